# Dataset files -> which source each belongs to, and which stream it reads. Everything else is made of these.
locals {
  datasets_dir = startswith(var.datasets_dir, "/") ? var.datasets_dir : "${path.module}/${var.datasets_dir}"

  files = {
    for file in fileset(local.datasets_dir, "*.json") :
    trimsuffix(file, ".json") => jsondecode(file("${local.datasets_dir}/${file}"))
    if file != "dataset.schema.json"
  }
  datasets = module.datasets.datasets

  # What a name becomes in the names of functions, queues and rules.
  slugs = { for name in keys(local.datasets) : name => lower(replace(name, "/[^A-Za-z0-9_-]+/", "-")) }

  # Which of var.sources a dataset belongs to.
  origins = {
    for name, dataset in local.datasets : name => (
      try(dataset.kind, "") == "saas" ? "saas" :
      try(dataset.kind, "") == "cdc" ? (try(dataset.source.format, "") == "debezium_json" ? "kafka" : "cdc") :
      can(dataset.watch.alerts) ? "iot" : try(dataset.source.type, "")
    )
  }
  # That of the datasets whose source is on.
  served = { for name, origin in local.origins : name => local.datasets[name] if contains(var.sources, origin) }

  # Those that records of a Kinesis data stream belong to.
  streamed = { for name, dataset in local.served : name => dataset if contains(["kinesis", "iot"], local.origins[name]) && try(dataset.source.type, "") == "kinesis" }
  # Those that Firehose delivers.
  delivered = { for name, dataset in local.served : name => dataset if contains(["firehose", "iot"], local.origins[name]) && try(dataset.source.type, "") == "firehose" }
  stream_of = merge(
    { for name in keys(local.streamed) : name => local.slugs[name] },
    merge([for stream, read in var.streams : { for name in read.datasets : name => stream if contains(keys(local.streamed), name) }]...),
  )
  streams = {
    for stream in toset(values(local.stream_of)) : stream => {
      datasets         = [for name, read in local.stream_of : name if read == stream]
      enhanced_fan_out = try(var.streams[stream].enhanced_fan_out, false)
      retention_hours  = try(var.streams[stream].retention_hours, 72)
      shards           = try(var.streams[stream].shards, null)
    }
  }

  # What streams names, and reads none.
  misplaced = distinct(flatten([for stream in var.streams : [for name in stream.datasets : name if contains(keys(local.datasets), name) && try(local.datasets[name].source.type, "") != "kinesis"]]))
  # Tables that are made of change files below cdc/.
  changing = [for name, dataset in local.datasets : name if startswith(try(dataset.kind, "") == "saas" ? try(dataset.source.changes, "cdc/saas/") : try(dataset.kind, "") == "cdc" ? try(dataset.source.prefix, "") : "", "cdc/")]

  hashed = [for name, dataset in local.served : name if anytrue([for column in try(dataset.columns, []) : try(column.mask, null) == "hash"])]
}

module "datasets" {
  source = "./modules/datasets"

  files  = local.files
  folder = var.datasets_dir
}

# What a wrong setting would break later and less clearly.
resource "terraform_data" "datasets" {
  input = sort(keys(local.datasets))

  lifecycle {
    precondition {
      condition     = alltrue(flatten([for stream in var.streams : [for name in stream.datasets : contains(keys(local.datasets), name)]]))
      error_message = "streams names datasets that have no file in ${var.datasets_dir}: ${join(", ", flatten([for stream in var.streams : [for name in stream.datasets : name if !contains(keys(local.datasets), name)]]))}. Add the file, or take the name out of streams (streams = {} gives each dataset a stream of its own)."
    }
    # A dataset whose source is off waits for its stream, and one of another kind never reads any.
    precondition {
      condition     = length(local.misplaced) == 0
      error_message = "streams names datasets that read no Kinesis data stream: ${join(", ", local.misplaced)}. Take them out of streams, or set source.type to kinesis."
    }
    precondition {
      condition     = alltrue([for name in local.changing : coalesce(var.lake.cdc_expire_days, 1000000) * 24 > try(local.datasets[name].source.lateness_hours, 72)])
      error_message = "lake.cdc_expire_days must be more than source.lateness_hours of every dataset, or files that may still change a table are gone: ${join(", ", [for name in local.changing : name if coalesce(var.lake.cdc_expire_days, 1000000) * 24 <= try(local.datasets[name].source.lateness_hours, 72)])}."
    }
    precondition {
      condition     = var.lake.cdc_expire_days == null || alltrue([for name in local.changing : try(local.datasets[name].source.on_truncate, "keep") == "keep"])
      error_message = "With lake.cdc_expire_days files vanish, which empties a table whose source.on_truncate is \"follow\": ${join(", ", [for name in local.changing : name if try(local.datasets[name].source.on_truncate, "keep") != "keep"])}. Leave one of the two out."
    }
    precondition {
      condition     = length(local.hashed) == 0 || nonsensitive(var.secrets.mask_key != null)
      error_message = "Columns of ${join(", ", local.hashed)} are hashed: set secrets.mask_key, at least 16 bytes, such as TF_VAR_secrets='{\"mask_key\":\"…\"}' with the output of `openssl rand -hex 32`."
    }
    precondition {
      condition     = !contains(var.sources, "api") || var.api.auth == "iam" || nonsensitive(var.secrets.signing_keys != null)
      error_message = "The API checks signatures: set secrets.signing_keys (see functions/api-ingest), or api.auth = \"iam\"."
    }
    precondition {
      condition     = nonsensitive(var.secrets.signing_keys == null) || length(local.without_key) == 0
      error_message = "secrets.signing_keys has no key for ${join(", ", local.without_key)}: add one for all (KEY), or for each (${try(local.without_key[0], "")}:KEY)."
    }
    precondition {
      condition     = length(local.signers_of_none) == 0 || var.api.auth == "iam" || !contains(var.sources, "api")
      error_message = "secrets.signing_keys: what stands before the `:` in key ${join(", ", local.signers_of_none)} is no dataset that takes records over HTTP. There are ${join(", ", local.signed)}."
    }
    precondition {
      condition     = length(var.databases) == 0 || contains(var.sources, "cdc")
      error_message = "databases is set, and \"cdc\" is not in sources: add it."
    }
  }
}

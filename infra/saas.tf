locals {
  saas = { for name, dataset in local.served : name => {
    flow     = dataset.source.flow
    prefix   = try(dataset.source.prefix, "raw/saas/${dataset.source.flow}/")
    changes  = try(dataset.source.changes, "cdc/saas/${name}/")
    format   = dataset.source.format
    snapshot = "${dirname(dataset.target.snapshot)}/"
    # The product's fields: what its columns' paths begin with. A part of a compound field that has a field of its own is
    # taken from that one, for Salesforce's Bulk API has no compound fields.
    fields = flatten([for column in dataset.columns : [
      for path in compact([try(strcontains(column.path, "."), false) && can(column.fallback) ? null : try(column.path, column.name), try(column.fallback, null)]) : split(".", path)[0]
    ]])
    versioned = try(dataset.target.publish, "replace") == "versioned"
  } if local.origins[name] == "saas" }

  connections = contains(var.sources, "saas") ? var.connections : {}
  flows       = merge([for connection in local.connections : connection.flows]...)
  # Flow -> its datasets.
  flown = { for flow in keys(local.flows) : flow => [for name, saas in local.saas : name if saas.flow == flow] }

  # Where AppFlow writes: it puts <flow>/ below a folder itself.
  flow_folders = distinct([for saas in local.saas : dirname(trimsuffix(saas.prefix, "/"))])

  saas_instances = { for name, saas in local.saas : "appflow-process-${local.slugs[name]}" => {
    package  = "appflow-process"
    dataset  = name
    settings = local.lake
    secrets  = contains(local.hashed, name) ? ["MASK_KEY"] : []
    permissions = {
      runs  = { actions = ["appflow:DescribeFlowExecutionRecords"], resources = ["${local.arn.appflow}:flow/${saas.flow}"] }
      files = { actions = ["s3:GetObject"], resources = ["${local.bucket_arn}/${saas.prefix}*"] }
      notes = { actions = ["s3:GetObject", "s3:PutObject"], resources = [for folder in ["_headgate/appflow/${name}/", saas.changes, "quarantine/${name}/"] : "${local.bucket_arn}/${folder}*"] }
      table = {
        actions   = concat(["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"], saas.versioned ? ["s3:DeleteObject"] : [])
        resources = ["${local.bucket_arn}/${saas.snapshot}*"]
      }
      lake_list = {
        actions   = ["s3:ListBucket"]
        resources = [local.bucket_arn]
        condition = { test = "StringLike", variable = "s3:prefix", values = [for folder in [saas.prefix, "_headgate/appflow/${name}/", saas.changes, "quarantine/${name}/", saas.snapshot] : "${folder}*"] }
      }
    }
    metrics = { for hours in try([local.flows[saas.flow].lag_hours], []) : "lag" => { metric = "Lag", limit = hours * 3600, statistic = "Minimum", while = "FilesPending" } }
    trigger = {
      kind = "event"
      pattern = jsonencode({
        source      = ["aws.appflow"]
        detail-type = ["AppFlow End Flow Run Report", "AppFlow Event Flow Deactivated", "AppFlow Scheduled Flow Deactivated"]
        detail      = { flow-name = [saas.flow] }
      })
      # Beside the reports, which are best effort: it asks for the runs that none came of.
      schedule       = "rate(1 hour)"
      schedule_input = jsonencode({ datasets = [name] })
    }
  } }
}

module "appflow" {
  source   = "./modules/appflow"
  for_each = local.connections

  bucket    = module.lake.bucket
  connector = each.value.connector
  flows = { for name, flow in each.value.flows : name => merge(flow, {
    fields = flow.dataset_fields ? distinct(flatten([for dataset in local.flown[name] : local.saas[dataset].fields])) : flow.fields
    folder = try(dirname(trimsuffix(local.saas[local.flown[name][0]].prefix, "/")), "raw/saas")
    format = try(local.saas[local.flown[name][0]].format, "parquet")
  }) }
  kms_key_arn = aws_kms_key.main.arn
  name        = "${var.name}-${each.key}"
  profile     = each.value.profile
  salesforce  = each.value.salesforce
  token       = try(var.secrets.salesforce_tokens[each.key], null)
}

# What the connections and the dataset files say of each other.
resource "terraform_data" "flows" {
  input = local.flown

  lifecycle {
    precondition {
      condition     = length(var.connections) == 0 || contains(var.sources, "saas")
      error_message = "connections is set, and \"saas\" is not in sources: add it."
    }
    precondition {
      condition     = alltrue([for names in local.flown : length(names) > 0])
      error_message = "No saas dataset has the source.flow ${join(", ", [for flow, names in local.flown : flow if length(names) == 0])}: copy a preset into ${var.datasets_dir}, or correct the flow's name in connections."
    }
    precondition {
      condition     = alltrue([for saas in local.saas : endswith(saas.prefix, "/${saas.flow}/")])
      error_message = "In ${var.datasets_dir}, source.prefix must end in the flow's name, for AppFlow puts it there: ${join(", ", [for name, saas in local.saas : "${name}.json (…/${saas.flow}/)" if !endswith(saas.prefix, "/${saas.flow}/")])}."
    }
    precondition {
      condition     = alltrue([for names in local.flown : length(distinct([for name in names : jsonencode([local.saas[name].format, local.saas[name].prefix])])) <= 1])
      error_message = "Datasets of one flow must have the same source.format and source.prefix: ${join("; ", [for flow, names in local.flown : "${flow}: ${join(", ", names)}" if length(distinct([for name in names : jsonencode([local.saas[name].format, local.saas[name].prefix])])) > 1])}."
    }
  }
}

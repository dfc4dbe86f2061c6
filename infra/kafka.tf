locals {
  clusters = contains(var.sources, "kafka") ? var.clusters : {}

  # Dataset -> the topic that it reads, and its cluster.
  topics = merge([for cluster, given in local.clusters : {
    for name, topic in given.topics : name => merge(topic, {
      cluster  = cluster
      group    = "${var.name}-${local.slugs[name]}"
      registry = given.registry
    }) if try(local.origins[name], "") == "kafka"
  }]...)

  # What is written of a dataset's topic: rows, or of a table's change topic the files that dms-merge reads.
  landings = { for name in keys(local.topics) : name => [
    local.served[name].kind == "cdc" ? local.served[name].source.prefix : local.served[name].target.prefix,
    "quarantine/${name}/",
  ] }

  kafka_instances = { for name, topic in local.topics : "msk-consumer-${local.slugs[name]}" => {
    package = "msk-consumer"
    dataset = name
    # The mapping takes partial batches with pollers of its own; without, the code must not answer with them.
    settings = merge(
      local.lake, local.state,
      { FAILURES = topic.pollers == null ? "batch" : "records" },
      topic.registry == null ? {} : { REGISTRY = topic.registry },
    )
    secrets = concat(
      contains(local.hashed, name) ? ["MASK_KEY"] : [],
      topic.registry != null && topic.registry != "glue" && nonsensitive(var.secrets.registry_auth != null) ? ["REGISTRY_AUTH"] : [],
    )
    permissions = merge(
      {
        lake  = { actions = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], resources = [for folder in local.landings[name] : "${local.bucket_arn}/${folder}*"] }
        state = { actions = ["dynamodb:GetItem", "dynamodb:PutItem"], resources = [local.state_arn] }
        # Without it a missing object is 403 and not 404.
        lake_list = {
          actions   = ["s3:ListBucket"]
          resources = [local.bucket_arn]
          condition = { test = "StringLike", variable = "s3:prefix", values = [for folder in local.landings[name] : "${folder}*"] }
        }
      },
      # A record tells its schema by a version's id, which names no registry: AWS has no finer grain for that.
      topic.registry != "glue" ? {} : { registry = { actions = ["glue:GetSchemaVersion"], resources = ["*"] } },
    )
    # Where neither compaction nor transactions leave gaps, each is a record that was never seen.
    metrics = topic.gaps ? {} : { skipped = { metric = "OffsetsSkipped", limit = 0, statistic = "Sum" } }
    trigger = {
      kind              = "kafka"
      batch_size        = topic.batch_size
      batching_window   = topic.batching_window
      group             = topic.group
      pollers           = topic.pollers
      source_arn        = module.msk[topic.cluster].arn
      starting_position = topic.starting_position
      topic             = topic.topic
    }
  } }

  landed = [for name, origin in local.origins : name if origin == "kafka" && contains(var.sources, "kafka")]
  avro   = [for name, topic in local.topics : name if topic.registry == null && contains(["avro", "debezium_avro"], try(local.served[name].source.format, ""))]
}

module "msk" {
  source   = "./modules/msk"
  for_each = local.clusters

  alarms             = { lag_records = var.alarms.offset_lag, lag_seconds = var.alarms.iterator_age_seconds, topic_arn = aws_sns_topic.alarms.arn }
  brokers            = each.value.brokers
  consumers          = { for name, topic in local.topics : local.slugs[name] => { group = topic.group, topic = topic.topic } if topic.cluster == each.key }
  existing           = each.value.arn == null ? null : { arn = each.value.arn, bootstrap_servers = each.value.bootstrap_servers }
  kms_key_arn        = aws_kms_key.main.arn
  log_retention_days = var.functions.log_retention_days
  name               = "${var.name}-${each.key}"
  network            = { security_group_ids = each.value.security_group_ids, subnet_ids = each.value.subnet_ids }
  registry = each.value.registry != "glue" ? null : {
    existing_name = each.value.registry_name
    schemas = { for name, file in each.value.schemas : name => {
      compatibility = "BACKWARD"
      definition    = file(startswith(file, "/") ? file : "${path.module}/${file}")
      format        = endswith(file, ".proto") ? "PROTOBUF" : endswith(file, ".avsc") ? "AVRO" : "JSON"
    } }
  }
}

module "connector" {
  source   = "./modules/connector"
  for_each = { for name, connector in var.connectors : name => connector if contains(keys(local.clusters), connector.cluster) }

  alarms             = { topic_arn = aws_sns_topic.alarms.arn }
  bucket             = each.value.kind == "s3-sink" ? { arn = local.bucket_arn, folder = coalesce(each.value.folder, "raw/kafka/${each.key}"), name = module.lake.bucket } : null
  capacity           = each.value.capacity
  cluster            = { arn = module.msk[each.value.cluster].arn, bootstrap_servers = module.msk[each.value.cluster].bootstrap_servers }
  configuration      = each.value.configuration
  kind               = each.value.kind
  kms_key_arn        = aws_kms_key.main.arn
  log_retention_days = var.functions.log_retention_days
  name               = "${var.name}-${each.key}"
  network            = { security_group_ids = var.clusters[each.value.cluster].security_group_ids, subnet_ids = var.clusters[each.value.cluster].subnet_ids }
  plugin             = merge(each.value.plugin, { secret_arn = each.value.secret_arn, secret_kms_key_arn = each.value.secret_kms_key_arn })
  topics             = each.value.topics
}

# What the clusters and the dataset files say of each other.
resource "terraform_data" "topics" {
  input = keys(local.topics)

  lifecycle {
    precondition {
      condition     = length(var.clusters) == 0 || contains(var.sources, "kafka")
      error_message = "clusters is set, and \"kafka\" is not in sources: add it."
    }
    precondition {
      condition     = length(setsubtract(local.landed, keys(local.topics))) == 0
      error_message = "No cluster has a topic for ${join(", ", setsubtract(local.landed, keys(local.topics)))}: add clusters = { NAME = { topics = { DATASET = { topic = \"…\" } } … } }, or take the dataset's file away."
    }
    precondition {
      condition     = alltrue(flatten([for cluster in var.clusters : [for name in keys(cluster.topics) : try(local.origins[name], "") == "kafka"]]))
      error_message = "Topics of clusters are for datasets whose source.type is kafka, or cdc ones whose source.format is debezium_json; there is none of the name ${join(", ", flatten([for cluster in var.clusters : [for name in keys(cluster.topics) : name if try(local.origins[name], "") != "kafka"]]))} in ${var.datasets_dir}."
    }
    precondition {
      condition     = length(local.avro) == 0
      error_message = "Records of ${join(", ", local.avro)} are Avro: set the cluster's registry to \"glue\" or a Confluent registry's address."
    }
  }
}

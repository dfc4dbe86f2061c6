module "firehose" {
  source   = "./modules/firehose"
  for_each = local.delivered

  alarms             = { freshness_seconds = var.alarms.freshness_seconds, topic_arn = aws_sns_topic.alarms.arn }
  backup             = try(var.deliveries[each.key].backup, false)
  bucket             = { arn = local.bucket_arn, name = module.lake.bucket }
  buffer             = { megabytes = try(var.deliveries[each.key].megabytes, 128), seconds = try(var.deliveries[each.key].seconds, 300) }
  function_arn       = module.function["firehose-transform-${local.slugs[each.key]}"].alias_arn
  kms_key_arn        = aws_kms_key.main.arn
  log_retention_days = var.functions.log_retention_days
  name               = "${var.name}-${local.slugs[each.key]}"
  partitions         = concat(local.time_parts[try(each.value.partition_by.time, "hour")], try(each.value.partition_by.columns, []))
  prefix             = each.value.target.prefix
  schema = {
    arns     = ["${local.arn.glue}:catalog", "${local.arn.glue}:database/${module.lake.database}", "${local.arn.glue}:table/${module.lake.database}/${module.lake.tables[each.key]}"]
    database = module.lake.database
    region   = var.region
    table    = module.lake.tables[each.key]
  }
}

locals {
  time_parts = { none = [], year = ["year"], month = ["year", "month"], day = ["year", "month", "day"], hour = ["year", "month", "day", "hour"] }
}

# A name that is none would be passed over.
resource "terraform_data" "deliveries" {
  input = keys(var.deliveries)

  lifecycle {
    precondition {
      condition     = length(setsubtract(keys(var.deliveries), keys(local.delivered))) == 0
      error_message = "deliveries names datasets that Firehose does not deliver: ${join(", ", setsubtract(keys(var.deliveries), keys(local.delivered)))}. It delivers ${length(local.delivered) == 0 ? "none" : join(", ", keys(local.delivered))}: those with source.type \"firehose\", and firehose in sources."
    }
  }
}

module "firehose" {
  source   = "./modules/firehose"
  for_each = local.delivered

  alarms             = { freshness_seconds = var.alarms.freshness_seconds, topic_arn = aws_sns_topic.alarms.arn }
  bucket             = { arn = local.bucket_arn, name = module.lake.bucket }
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

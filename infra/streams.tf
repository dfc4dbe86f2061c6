module "stream" {
  source   = "./modules/stream"
  for_each = local.streams

  alarm_topic_arn      = aws_sns_topic.alarms.arn
  enhanced_fan_out     = each.value.enhanced_fan_out ? toset(each.value.datasets) : []
  iterator_age_seconds = var.alarms.iterator_age_seconds
  kms_key_arn          = aws_kms_key.main.arn
  name                 = "${var.name}-${each.key}"
  retention_hours      = each.value.retention_hours
  shards               = each.value.shards
}

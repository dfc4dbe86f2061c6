locals {
  consumers = { for dataset in var.enhanced_fan_out : dataset => replace(dataset, "/[^a-zA-Z0-9_.-]/", "-") }
}

resource "aws_kinesis_stream" "main" {
  name             = var.name
  encryption_type  = "KMS"
  kms_key_id       = var.kms_key_arn
  retention_period = var.retention_hours
  shard_count      = var.shards

  stream_mode_details {
    stream_mode = var.shards == null ? "ON_DEMAND" : "PROVISIONED"
  }
}

resource "aws_kinesis_stream_consumer" "main" {
  for_each = var.enhanced_fan_out

  name       = local.consumers[each.value]
  stream_arn = aws_kinesis_stream.main.arn
}

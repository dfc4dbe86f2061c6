output "backup" {
  description = "Where records go as they came; null where they do not."
  value       = one([for backup in one(aws_kinesis_firehose_delivery_stream.main.extended_s3_configuration).s3_backup_configuration : backup.prefix])
}

output "name" {
  description = "The delivery stream's name."
  value       = aws_kinesis_firehose_delivery_stream.main.name
}

output "prefix" {
  description = "Where files go."
  value       = one(aws_kinesis_firehose_delivery_stream.main.extended_s3_configuration).prefix
}

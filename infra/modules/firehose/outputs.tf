output "name" {
  description = "The delivery stream's name."
  value       = aws_kinesis_firehose_delivery_stream.main.name
}

output "prefix" {
  description = "Where files go."
  value       = one(aws_kinesis_firehose_delivery_stream.main.extended_s3_configuration).prefix
}

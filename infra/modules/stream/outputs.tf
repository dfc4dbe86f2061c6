output "consumers" {
  description = "The names of those with a throughput of their own, by dataset."
  value       = local.consumers
}

output "name" {
  description = "The stream's name."
  value       = aws_kinesis_stream.main.name
}

output "sources" {
  description = "What a mapping reads: the stream (\"\"), or a consumer with a throughput of its own, by dataset."
  value       = merge({ "" = aws_kinesis_stream.main.arn }, { for name, consumer in aws_kinesis_stream_consumer.main : name => consumer.arn })
}

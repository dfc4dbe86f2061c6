output "alarms_topic" {
  description = "The topic of alarms."
  value       = aws_sns_topic.alarms.arn
}

output "api_url" {
  description = "Where records are posted: <url>/<dataset>."
  value       = one(module.api[*].url)
}

output "bucket" {
  description = "The lake's bucket."
  value       = module.lake.bucket
}

output "dashboard" {
  description = "The dashboard's name in CloudWatch."
  value       = module.monitoring.name
}

output "database" {
  description = "The Glue database."
  value       = module.lake.database
}

output "devices" {
  description = "Of devices: the topic of alerts, the policies of their certificates and of claim certificates, the provisioning template."
  value       = one([for iot in module.iot : { alerts = aws_sns_topic.devices[0].arn, claim_policy = iot.claim_policy, policy = iot.device_policy, template = iot.template }])
}

output "functions" {
  description = "The functions, by their names without the prefix."
  value       = { for name, function in module.function : name => function.name }
}

output "idle_tables" {
  description = "Datasets whose source is not in `sources`, by that source: they have a table, and nothing that fills it."
  value       = { for origin in distinct(values(local.origins)) : origin => [for name, of in local.origins : name if of == origin] if !contains(var.sources, origin) }
}

output "streams" {
  description = "The streams to put records into."
  value       = { for name, stream in module.stream : name => stream.name }
}

output "tables" {
  description = "The Glue table of each dataset."
  value       = module.lake.tables
}

output "workgroup" {
  description = "The Athena workgroup to query with."
  value       = module.lake.workgroup
}

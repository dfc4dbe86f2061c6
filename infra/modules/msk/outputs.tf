output "alarms" {
  description = "The names of its alarms."
  value       = sort(concat([for alarm in aws_cloudwatch_metric_alarm.broker : alarm.alarm_name], aws_cloudwatch_metric_alarm.controller[*].alarm_name, [for alarm in aws_cloudwatch_metric_alarm.lag : alarm.alarm_name]))
}

output "arn" {
  description = "The cluster's ARN."
  value       = var.existing == null ? concat(aws_msk_cluster.main[*].arn, aws_msk_serverless_cluster.main[*].arn)[0] : var.existing.arn
}

output "bootstrap_servers" {
  description = "Where clients begin that log in with IAM; null where nobody said it of a cluster that exists."
  value       = var.existing == null ? concat(aws_msk_cluster.main[*].bootstrap_brokers_sasl_iam, aws_msk_serverless_cluster.main[*].bootstrap_brokers_sasl_iam)[0] : var.existing.bootstrap_servers
}

output "dimensions" {
  description = "Those of the metrics of its brokers, and of its consumer groups."
  value = {
    brokers = { for id in local.brokers : id => { "Cluster Name" = local.cluster, "Broker ID" = id } }
    groups  = { for name, consumer in var.consumers : name => { "Cluster Name" = local.cluster, "Consumer Group" = consumer.group, Topic = consumer.topic } }
  }
}

output "registry" {
  description = "The name of the schema registry, if there is one."
  value       = local.registry
}

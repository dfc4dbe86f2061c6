output "alarms" {
  description = "The names of its alarms, by what they are about."
  value       = { for name, alarm in merge(aws_cloudwatch_metric_alarm.lambda, aws_cloudwatch_metric_alarm.queue, aws_cloudwatch_metric_alarm.own, aws_cloudwatch_metric_alarm.rate, aws_cloudwatch_metric_alarm.rule) : name => alarm.alarm_name }
}

output "alias_arn" {
  description = "What is called."
  value       = aws_lambda_alias.live.arn
}

output "code" {
  description = "The hash of the code that is deployed, and that of the package."
  value = {
    # Not known while a deployment is ahead; the version is what the provider plans so, and the hash is still the old one.
    deployed = aws_lambda_function.main.version == "" ? null : aws_lambda_function.main.code_sha256
    package  = fileexists(var.package) ? filebase64sha256(var.package) : null
  }
}

output "facts" {
  description = "What tests hold: policy, mapping, log retention, failure destination, settings, what comes in."
  value = {
    policy         = aws_iam_role_policy.main.policy
    response_types = concat([for mapping in aws_lambda_event_source_mapping.kinesis : mapping.function_response_types], [for mapping in aws_lambda_event_source_mapping.queue : mapping.function_response_types], [for mapping in aws_lambda_event_source_mapping.kafka : mapping.function_response_types])
    retention      = aws_cloudwatch_log_group.main.retention_in_days
    failures       = one(one(aws_lambda_function_event_invoke_config.main.destination_config).on_failure).destination
    environment    = concat(keys(var.settings), nonsensitive(keys(var.secrets)))
    pattern        = try(aws_cloudwatch_event_rule.event[0].event_pattern, null)
    schedule_input = try(one(aws_scheduler_schedule.main[0].target).input, null)
    settings       = var.settings
  }
}

output "name" {
  description = "The function's name."
  value       = aws_lambda_function.main.function_name
}

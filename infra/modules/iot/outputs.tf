output "claim_policy" {
  description = "The policy of claim certificates."
  value       = one(aws_iot_policy.claim[*].name)
}

output "device_policy" {
  description = "The policy of devices."
  value       = aws_iot_policy.device.name
}

output "facts" {
  description = "What tests hold: of each rule its SQL, its role's policy, and where what failed goes; what devices may do."
  value = {
    alarms = [for alarm in merge(aws_cloudwatch_metric_alarm.count, aws_cloudwatch_metric_alarm.query) : alarm.alarm_name]
    device = aws_iot_policy.device.policy
    hook   = one([for template in aws_iot_provisioning_template.main : template.pre_provisioning_hook[0].target_arn])
    rules = { for key, rule in aws_iot_topic_rule.main : key => {
      errors = rule.error_action[0].s3[0].key
      policy = aws_iam_role_policy.rule[key].policy
      sql    = rule.sql
    } }
  }
}

output "template" {
  description = "The provisioning template."
  value       = one(aws_iot_provisioning_template.main[*].name)
}

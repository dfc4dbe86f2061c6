locals {
  # Of a rule. What an action did not take is asked for in the query language: the metric has the kind of the action as a
  # second dimension.
  counts = merge([for key, rule in var.rules : {
    "${key}-throttled"  = { rule = rule.name, metric = "RuleMessageThrottled" }
    "${key}-unreadable" = { rule = rule.name, metric = "ParseError" }
  }]...)
  queries = merge([for key, rule in var.rules : {
    "${key}-failed" = { rule = rule.name, metric = "Failure" }
    "${key}-lost"   = { rule = rule.name, metric = "ErrorActionFailure" }
  }]...)
}

# Devices that say nothing are no failure of a rule.
resource "aws_cloudwatch_metric_alarm" "count" {
  for_each = local.counts

  alarm_name          = "${var.name}-iot-${each.key}"
  alarm_description   = "${each.value.metric} of the rule ${each.value.rule}."
  namespace           = "AWS/IoT"
  metric_name         = each.value.metric
  dimensions          = { RuleName = each.value.rule }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarms.topic_arn]
  ok_actions          = [var.alarms.topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "query" {
  for_each = local.queries

  alarm_name          = "${var.name}-iot-${each.key}"
  alarm_description   = "${each.value.metric} of the rule ${each.value.rule}: see errors/iot/${each.value.rule}/ in the bucket."
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarms.topic_arn]
  ok_actions          = [var.alarms.topic_arn]

  metric_query {
    id          = "failures"
    expression  = "SELECT SUM(${each.value.metric}) FROM \"AWS/IoT\" WHERE RuleName = '${each.value.rule}'"
    label       = each.value.metric
    period      = 300
    return_data = true
  }
}

locals {
  # Lambda's own. Nobody calling is no failure: no data is well, but for what waits.
  lambda_alarms = merge(
    {
      # An error or a throttle is tried again: minutes of them are told. Once is enough where nobody tries again: an
      # asynchronous event was given up, such as that of a schedule whose function timed out, or what was given up is lost.
      errors          = { metric = "Errors", statistic = "Sum", limit = 0, minutes = 3 }
      throttles       = { metric = "Throttles", statistic = "Sum", limit = 0, minutes = 3 }
      given-up        = { metric = "AsyncEventsDropped", statistic = "Sum", limit = 0, minutes = 1 }
      failed-to-store = { metric = "DestinationDeliveryFailures", statistic = "Sum", limit = 0, minutes = 1 }
    },
    var.trigger.kind == "kinesis" ? { iterator-age = { metric = "IteratorAge", statistic = "Maximum", limit = var.alarms.age_seconds * 1000, minutes = 3 } } : {},
  )
  # Twice what a message is hidden for: one that failed once comes back before anybody is told.
  queue_alarms = merge(
    local.dead == 0 ? {} : { dead-letters = { queue = aws_sqs_queue.dead[0].name, metric = "ApproximateNumberOfMessagesVisible", limit = 0 } },
    local.queues == 0 ? {} : { waiting = { queue = aws_sqs_queue.main[0].name, metric = "ApproximateAgeOfOldestMessage", limit = max(var.alarms.age_seconds, 2 * local.hidden_seconds) } },
  )
  # What the rule matched and nobody got: neither the target, nor the dead letters.
  rule_alarms = local.filling + local.evented == 0 ? {} : {
    rule-failed = "FailedInvocations"
    rule-lost   = "InvocationsFailedToBeSentToDlq"
  }
  own = merge({ Function = var.name }, var.alarms.dataset == null ? {} : { Dataset = var.alarms.dataset })
}

resource "aws_cloudwatch_metric_alarm" "lambda" {
  for_each = local.lambda_alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.metric} of ${var.name}."
  namespace           = "AWS/Lambda"
  metric_name         = each.value.metric
  dimensions          = { FunctionName = var.name }
  statistic           = each.value.statistic
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = each.value.minutes
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.limit
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarms.topic_arn]
  ok_actions          = [var.alarms.topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "queue" {
  for_each = local.queue_alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.metric} of ${each.value.queue}."
  namespace           = "AWS/SQS"
  metric_name         = each.value.metric
  dimensions          = { QueueName = each.value.queue }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.limit
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarms.topic_arn]
  ok_actions          = [var.alarms.topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "rule" {
  for_each = local.rule_alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value} of the rule ${var.name}: the key's policy, the target's, or that of the dead letters."
  namespace           = "AWS/Events"
  metric_name         = each.value
  dimensions          = { RuleName = var.name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  # Told where it is not 0 alone.
  treat_missing_data = "notBreaching"
  alarm_actions      = [var.alarms.topic_arn]
  ok_actions         = [var.alarms.topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "own" {
  for_each = { for name, alarm in var.alarms.metrics : name => alarm if alarm.per == null && alarm.while == null }

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.metric} of ${var.name}; see the function's README."
  namespace           = "Headgate"
  metric_name         = each.value.metric
  dimensions          = local.own
  statistic           = each.value.statistic
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.limit
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarms.topic_arn]
  ok_actions          = [var.alarms.topic_arn]
}

# Of two metrics: a share in percent, or one that counts while the other is above 0.
locals {
  pairs = { for name, alarm in var.alarms.metrics : name => merge(alarm, alarm.per != null ? {
    expression = "100 * part / IF(whole > 0, whole, 1)"
    label      = "${alarm.metric} in % of ${alarm.per}"
    metrics    = { part = alarm.metric, whole = alarm.per }
    } : {
    expression = "IF(waiting > 0, value, 0)"
    label      = "${alarm.metric} while ${alarm.while} is above 0"
    metrics    = { value = alarm.metric, waiting = alarm.while }
  }) if alarm.per != null || alarm.while != null }
}

resource "aws_cloudwatch_metric_alarm" "rate" {
  for_each = local.pairs

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.label}, of ${var.name}; see the function's README."
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.limit
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarms.topic_arn]
  ok_actions          = [var.alarms.topic_arn]

  metric_query {
    id          = "result"
    expression  = each.value.expression
    label       = each.value.label
    return_data = true
  }

  dynamic "metric_query" {
    for_each = each.value.metrics

    content {
      id = metric_query.key

      metric {
        namespace   = "Headgate"
        metric_name = metric_query.value
        dimensions  = local.own
        period      = 300
        stat        = each.value.statistic
      }
    }
  }
}

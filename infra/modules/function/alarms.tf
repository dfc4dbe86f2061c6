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
  queue_alarms = merge(
    local.dead == 0 ? {} : { dead-letters = { queue = aws_sqs_queue.dead[0].name, metric = "ApproximateNumberOfMessagesVisible", limit = 0 } },
    local.queues == 0 ? {} : { waiting = { queue = aws_sqs_queue.main[0].name, metric = "ApproximateAgeOfOldestMessage", limit = max(var.alarms.age_seconds, 2 * var.runtime.timeout_seconds) } },
  )
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

resource "aws_cloudwatch_metric_alarm" "own" {
  for_each = { for name, alarm in var.alarms.metrics : name => alarm if alarm.per == null }

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

# A share of another metric, in percent.
resource "aws_cloudwatch_metric_alarm" "rate" {
  for_each = { for name, alarm in var.alarms.metrics : name => alarm if alarm.per != null }

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.metric} of ${var.name} in % of ${each.value.per}; see the function's README."
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.limit
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarms.topic_arn]
  ok_actions          = [var.alarms.topic_arn]

  metric_query {
    id          = "share"
    expression  = "100 * part / IF(whole > 0, whole, 1)"
    label       = "${each.value.metric} in % of ${each.value.per}"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { part = each.value.metric, whole = each.value.per }

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

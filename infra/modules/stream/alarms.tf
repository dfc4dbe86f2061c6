locals {
  alarms = {
    # Half of the retention is where loss begins to be near; the age that was asked for comes before.
    iterator-age    = { metric = "GetRecords.IteratorAgeMilliseconds", limit = min(var.iterator_age_seconds, var.retention_hours * 1800) * 1000, statistic = "Maximum" }
    write-throttled = { metric = "WriteProvisionedThroughputExceeded", limit = 0, statistic = "Sum" }
    read-throttled  = { metric = "ReadProvisionedThroughputExceeded", limit = 0, statistic = "Sum" }
  }
}

# A stream that nobody writes to or reads has no data, which is no failure.
resource "aws_cloudwatch_metric_alarm" "main" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.metric} of the stream ${var.name}."
  namespace           = "AWS/Kinesis"
  metric_name         = each.value.metric
  dimensions          = { StreamName = var.name }
  statistic           = each.value.statistic
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.limit
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}

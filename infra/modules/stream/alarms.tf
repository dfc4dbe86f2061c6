locals {
  # Half of the retention is where loss begins to be near; the age that was asked for comes before.
  oldest = min(var.iterator_age_seconds, var.retention_hours * 1800) * 1000
  whole  = { StreamName = var.name }

  alarms = merge(
    {
      iterator-age    = { metric = "GetRecords.IteratorAgeMilliseconds", limit = local.oldest, statistic = "Maximum", of = local.whole }
      write-throttled = { metric = "WriteProvisionedThroughputExceeded", limit = 0, statistic = "Sum", of = local.whole }
      read-throttled  = { metric = "ReadProvisionedThroughputExceeded", limit = 0, statistic = "Sum", of = local.whole }
    },
    # Whoever has a throughput of his own asks for no records, and has no iterator's age.
    { for consumer in local.consumers : "behind-${consumer}" => { metric = "SubscribeToShardEvent.MillisBehindLatest", limit = local.oldest, statistic = "Maximum", of = merge(local.whole, { ConsumerName = consumer }) } },
  )
}

# A stream that nobody writes to or reads has no data, which is no failure.
resource "aws_cloudwatch_metric_alarm" "main" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.metric} of the stream ${var.name}."
  namespace           = "AWS/Kinesis"
  metric_name         = each.value.metric
  dimensions          = each.value.of
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

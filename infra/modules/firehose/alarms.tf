locals {
  # Success is a share: 1 is all. Nothing to deliver is no failure.
  alarms = {
    freshness  = { metric = "DeliveryToS3.DataFreshness", statistic = "Maximum", above = true, limit = var.alarms.freshness_seconds }
    delivery   = { metric = "DeliveryToS3.Success", statistic = "Average", above = false, limit = 0.99 }
    processing = { metric = "ExecuteProcessing.Success", statistic = "Average", above = false, limit = 0.99 }
    conversion = { metric = "FailedConversion.Records", statistic = "Sum", above = true, limit = 0 }
    throttled  = { metric = "ThrottledRecords", statistic = "Sum", above = true, limit = 0 }
    partitions = { metric = "PartitionCountExceeded", statistic = "Maximum", above = true, limit = 0 }
  }
}

resource "aws_cloudwatch_metric_alarm" "main" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.metric} of the delivery stream ${var.name}."
  namespace           = "AWS/Firehose"
  metric_name         = each.value.metric
  dimensions          = { DeliveryStreamName = var.name }
  statistic           = each.value.statistic
  period              = 300
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  comparison_operator = each.value.above ? "GreaterThanThreshold" : "LessThanThreshold"
  threshold           = each.value.limit
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarms.topic_arn]
  ok_actions          = [var.alarms.topic_arn]
}

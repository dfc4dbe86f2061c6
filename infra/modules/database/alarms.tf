locals {
  # Metrics go by the task's resource id, the end of its ARN.
  dimensions = local.serverless ? null : {
    ReplicationInstanceIdentifier = var.name
    ReplicationTaskIdentifier     = reverse(split(":", aws_dms_replication_task.main[0].replication_task_arn))[0]
  }

  # The source's latency is 0 while nothing changes; no data means that the task does not run, which is told.
  alarms = local.serverless ? {} : {
    source-latency = { metric = "CDCLatencySource", limit = var.alarms.latency_seconds, missing = "breaching" }
    target-latency = { metric = "CDCLatencyTarget", limit = var.alarms.latency_seconds, missing = "breaching" }
    # What waits grows where the target is too slow.
    incoming = { metric = "CDCIncomingChanges", limit = 100000, missing = "notBreaching" }
  }
}

resource "aws_cloudwatch_metric_alarm" "main" {
  for_each = { for name, alarm in local.alarms : name => alarm if var.start }

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.metric} of the task ${var.name}."
  namespace           = "AWS/DMS"
  metric_name         = each.value.metric
  dimensions          = local.dimensions
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.limit
  treat_missing_data  = each.value.missing
  alarm_actions       = [var.alarms.topic_arn]
  ok_actions          = [var.alarms.topic_arn]
}

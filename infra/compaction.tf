# Files that a compaction has to leave, because whoever wrote them may write them again. In a closed partition there are none
# a day later, but where a consumer's attempt or a replay was left unfinished. Of a table of windows the last file of each
# shard waits for ever, so nothing follows from it there.
resource "aws_cloudwatch_metric_alarm" "files_waiting" {
  for_each = { for name, instance in local.instances : name => instance if instance.package == "lake-compact" && !can(local.datasets[instance.dataset].window.key) }

  alarm_name          = "${var.name}-${each.key}-waiting"
  alarm_description   = "FilesWaiting of ${var.name}-${each.key} for three days; see the function's README."
  namespace           = "Headgate"
  metric_name         = "FilesWaiting"
  dimensions          = { Dataset = each.value.dataset, Function = "${var.name}-${each.key}" }
  statistic           = "Minimum"
  period              = 86400
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  # Days without a compaction say nothing.
  treat_missing_data = "notBreaching"
  alarm_actions      = [aws_sns_topic.alarms.arn]
  ok_actions         = [aws_sns_topic.alarms.arn]
}

locals {
  brokers = local.provisioned == 0 ? [] : [for id in range(1, var.brokers.count + 1) : tostring(id)]
  broker_alarms = merge([for id in local.brokers : {
    # A silent broker says nothing of its disk; the alarm stays as it was.
    "disk-${id}" = { id = id, metric = "KafkaDataLogsDiskUsed", limit = 80, missing = "ignore" }
    # A broker that tells nothing is down, and what it has is not replicated.
    "under-replicated-${id}" = { id = id, metric = "UnderReplicatedPartitions", limit = 0, missing = "breaching" }
  }]...)

  lag_alarms = merge([for name, consumer in var.consumers : {
    "lag-${name}"      = merge(consumer, { metric = "MaxOffsetLag", limit = var.alarms.lag_records })
    "lag-time-${name}" = merge(consumer, { metric = "EstimatedMaxTimeLag", limit = var.alarms.lag_seconds })
  }]...)
}

resource "aws_cloudwatch_metric_alarm" "broker" {
  for_each = local.broker_alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.metric} of broker ${each.value.id} of ${local.cluster}."
  namespace           = "AWS/Kafka"
  metric_name         = each.value.metric
  dimensions          = { "Cluster Name" = local.cluster, "Broker ID" = each.value.id }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.limit
  treat_missing_data  = each.value.missing
  alarm_actions       = [var.alarms.topic_arn]
  ok_actions          = [var.alarms.topic_arn]

  depends_on = [aws_msk_cluster.main]
}

# None, or two that both think they are. Each node tells 0 or 1 a minute; their sum may slip into the next minute once.
resource "aws_cloudwatch_metric_alarm" "controller" {
  count = local.provisioned

  alarm_name          = "${var.name}-controller"
  alarm_description   = "ActiveControllerCount of ${local.cluster} is not 1."
  evaluation_periods  = 5
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  # A cluster that tells nothing has none.
  treat_missing_data = "breaching"
  alarm_actions      = [var.alarms.topic_arn]
  ok_actions         = [var.alarms.topic_arn]

  metric_query {
    id          = "wrong"
    expression  = "IF(active != 1, 1, 0)"
    label       = "ActiveControllerCount is not 1"
    return_data = true
  }

  metric_query {
    id = "active"

    metric {
      namespace   = "AWS/Kafka"
      metric_name = "ActiveControllerCount"
      dimensions  = { "Cluster Name" = local.cluster }
      period      = 60
      stat        = "Sum"
    }
  }

  depends_on = [aws_msk_cluster.main]
}

# MSK tells no lag of a group that has not begun, and none of one that falls apart. The first is no trouble, and an alarm
# begins without data; the second is told, for it is the alarm's data that end.
resource "aws_cloudwatch_metric_alarm" "lag" {
  for_each = local.lag_alarms

  alarm_name                = "${var.name}-${each.key}"
  alarm_description         = "${each.value.metric} of ${each.value.group} on ${each.value.topic} of ${local.cluster}; without data: the group does not read."
  namespace                 = "AWS/Kafka"
  metric_name               = each.value.metric
  dimensions                = { "Cluster Name" = local.cluster, "Consumer Group" = each.value.group, Topic = each.value.topic }
  statistic                 = "Maximum"
  period                    = 300
  evaluation_periods        = 3
  comparison_operator       = "GreaterThanThreshold"
  threshold                 = each.value.limit
  treat_missing_data        = "missing"
  alarm_actions             = [var.alarms.topic_arn]
  insufficient_data_actions = [var.alarms.topic_arn]
  ok_actions                = [var.alarms.topic_arn]
}

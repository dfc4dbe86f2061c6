# A topic of MSK -> function. The mapping's pollers are in the cluster's subnets, by network interfaces that the function's
# role makes; the function itself is in no network.
locals {
  # Topics and groups go by the cluster's ARN.
  kafka = var.trigger.kind != "kafka" ? null : {
    topic = "${replace(var.trigger.source_arn, ":cluster/", ":topic/")}/${var.trigger.topic}"
    group = "${replace(var.trigger.source_arn, ":cluster/", ":group/")}/${var.trigger.group}"
    ec2   = "${replace(regex("^arn:[a-z-]+:kafka:[a-z0-9-]+:[0-9]+", var.trigger.source_arn), ":kafka:", ":ec2:")}:*/*"
  }

  kafka_statements = local.kafka == null ? {} : {
    kafka_cluster = {
      actions   = ["kafka-cluster:Connect", "kafka-cluster:DescribeClusterDynamicConfiguration", "kafka:DescribeClusterV2", "kafka:GetBootstrapBrokers"]
      resources = [var.trigger.source_arn]
    }
    kafka_topic = { actions = ["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"], resources = [local.kafka.topic] }
    kafka_group = { actions = ["kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"], resources = [local.kafka.group] }
    # Lambda looks whether the role may do it before there is an interface, so no interface can be named.
    kafka_network = { actions = ["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"], resources = [local.kafka.ec2] }
    # These know no resource.
    kafka_look = { actions = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"], resources = ["*"] }
  }
}

resource "aws_lambda_event_source_mapping" "kafka" {
  count = var.trigger.kind == "kafka" ? 1 : 0

  function_name                      = aws_lambda_alias.live.arn
  event_source_arn                   = var.trigger.source_arn
  topics                             = [var.trigger.topic]
  batch_size                         = coalesce(var.trigger.batch_size, 10000)
  function_response_types            = local.response_types
  maximum_batching_window_in_seconds = coalesce(var.trigger.batching_window, 30)
  # Only pollers of its own take a number; else Lambda gives up after ten.
  maximum_retry_attempts = var.trigger.pollers == null ? null : var.trigger.retries
  starting_position      = var.trigger.starting_position

  amazon_managed_kafka_event_source_config {
    consumer_group_id = var.trigger.group
  }

  # S3 alone gets a batch with its records.
  destination_config {
    on_failure {
      destination_arn = var.failures.bucket_arn
    }
  }

  dynamic "provisioned_poller_config" {
    for_each = var.trigger.pollers[*]

    content {
      maximum_pollers = provisioned_poller_config.value.maximum
      minimum_pollers = provisioned_poller_config.value.minimum
    }
  }

  depends_on = [aws_iam_role_policy.main]
}

locals {
  # From the key: arn:PARTITION:kms:REGION:ACCOUNT:…
  partition = split(":", var.kms_key_arn)[1]
  region    = split(":", var.kms_key_arn)[3]
  account   = split(":", var.kms_key_arn)[4]

  history = "${var.name}.schema-history"
}

resource "aws_cloudwatch_log_group" "main" {
  name              = "/aws/mskconnect/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

# Named after its file: a plugin cannot change, so a new file is a new plugin, made before the old one goes.
resource "aws_mskconnect_custom_plugin" "main" {
  name         = "${var.name}-${substr(sha256(jsonencode([var.plugin.bucket_arn, var.plugin.key, var.plugin.object_version])), 0, 8)}"
  content_type = upper(regex("[a-z]+$", var.plugin.key))

  location {
    s3 {
      bucket_arn     = var.plugin.bucket_arn
      file_key       = var.plugin.key
      object_version = var.plugin.object_version
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

locals {
  worker = <<-EOT
    key.converter=org.apache.kafka.connect.storage.StringConverter
    value.converter=org.apache.kafka.connect.storage.StringConverter
    config.providers=secretsmanager
    config.providers.secretsmanager.class=com.amazonaws.kafka.config.providers.SecretsManagerConfigProvider
    config.providers.secretsmanager.param.region=${local.region}
  EOT
}

# As a plugin, it cannot change.
resource "aws_mskconnect_worker_configuration" "main" {
  name                    = var.name
  description             = "How secrets are looked up."
  properties_file_content = local.worker
}

resource "aws_mskconnect_connector" "main" {
  name                       = var.name
  description                = "${var.kind} of ${var.name}."
  connector_configuration    = local.configuration
  kafkaconnect_version       = "3.7.x"
  service_execution_role_arn = aws_iam_role.main.arn

  capacity {
    autoscaling {
      max_worker_count = var.capacity.maximum
      mcu_count        = var.capacity.units
      min_worker_count = var.capacity.minimum

      scale_in_policy {
        cpu_utilization_percentage = 20
      }

      scale_out_policy {
        cpu_utilization_percentage = 80
      }
    }
  }

  kafka_cluster {
    apache_kafka_cluster {
      bootstrap_servers = var.cluster.bootstrap_servers

      vpc {
        security_groups = var.network.security_group_ids
        subnets         = var.network.subnet_ids
      }
    }
  }

  kafka_cluster_client_authentication {
    authentication_type = "IAM"
  }

  kafka_cluster_encryption_in_transit {
    encryption_type = "TLS"
  }

  log_delivery {
    worker_log_delivery {
      cloudwatch_logs {
        enabled   = true
        log_group = aws_cloudwatch_log_group.main.name
      }
    }
  }

  plugin {
    custom_plugin {
      arn      = aws_mskconnect_custom_plugin.main.arn
      revision = aws_mskconnect_custom_plugin.main.latest_revision
    }
  }

  worker_configuration {
    arn      = aws_mskconnect_worker_configuration.main.arn
    revision = aws_mskconnect_worker_configuration.main.latest_revision
  }

  lifecycle {
    precondition {
      condition     = length(local.missing) == 0
      error_message = "The connector ${var.name} of the kind ${var.kind} needs in its configuration: ${join(", ", local.missing)}."
    }
  }

  depends_on = [aws_iam_role_policy.main]
}

# No worker tells of a task where none runs: no data is a connector that stands still.
resource "aws_cloudwatch_metric_alarm" "main" {
  for_each = {
    failed  = { metric = "ErroredTaskCount", comparison = "GreaterThanThreshold", limit = 0, statistic = "Maximum" }
    running = { metric = "RunningTaskCount", comparison = "LessThanThreshold", limit = 1, statistic = "Maximum" }
  }

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.metric} of the connector ${var.name}."
  namespace           = "AWS/KafkaConnect"
  metric_name         = each.value.metric
  dimensions          = { ConnectorName = var.name }
  statistic           = each.value.statistic
  period              = 300
  evaluation_periods  = 3
  comparison_operator = each.value.comparison
  threshold           = each.value.limit
  treat_missing_data  = "breaching"
  alarm_actions       = [var.alarms.topic_arn]
  ok_actions          = [var.alarms.topic_arn]

  depends_on = [aws_mskconnect_connector.main]
}

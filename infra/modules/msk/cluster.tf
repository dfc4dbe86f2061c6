locals {
  provisioned = var.existing == null && var.brokers != null ? 1 : 0
  serverless  = var.existing == null && var.brokers == null ? 1 : 0

  cluster = var.existing == null ? var.name : split("/", var.existing.arn)[1]

  # Nothing that a client's mistake makes: no topic by its name alone, no record that is lost with one broker.
  properties = local.provisioned == 0 ? {} : merge(
    {
      "auto.create.topics.enable"      = "false"
      "default.replication.factor"     = tostring(min(var.brokers.count, 3))
      "delete.topic.enable"            = "true"
      "log.retention.hours"            = "168"
      "min.insync.replicas"            = var.brokers.count > 2 ? "2" : "1"
      "num.partitions"                 = "3"
      "unclean.leader.election.enable" = "false"
    },
    var.brokers.properties,
  )
}

resource "aws_cloudwatch_log_group" "main" {
  count = local.provisioned

  name              = "/aws/msk/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_msk_configuration" "main" {
  count = local.provisioned

  # With the version, which a configuration cannot change: the new one is made while the old one is in use.
  name              = "${var.name}-${replace(var.brokers.kafka_version, ".", "-")}"
  kafka_versions    = [var.brokers.kafka_version]
  server_properties = join("\n", [for key, value in local.properties : "${key}=${value}"])

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_msk_cluster" "main" {
  count = local.provisioned

  cluster_name  = var.name
  kafka_version = var.brokers.kafka_version
  # The least that tells which broker's partitions have too few replicas.
  enhanced_monitoring    = "PER_BROKER"
  number_of_broker_nodes = var.brokers.count

  broker_node_group_info {
    client_subnets  = var.network.subnet_ids
    instance_type   = var.brokers.instance_type
    security_groups = var.network.security_group_ids

    storage_info {
      ebs_storage_info {
        volume_size = var.brokers.volume_gb
      }
    }
  }

  client_authentication {
    unauthenticated = false

    sasl {
      iam = true
    }
  }

  configuration_info {
    arn      = aws_msk_configuration.main[0].arn
    revision = aws_msk_configuration.main[0].latest_revision
  }

  encryption_info {
    encryption_at_rest_kms_key_arn = var.kms_key_arn

    encryption_in_transit {
      client_broker = "TLS"
      in_cluster    = true
    }
  }

  logging_info {
    broker_logs {
      cloudwatch_logs {
        enabled   = true
        log_group = aws_cloudwatch_log_group.main[0].name
      }
    }
  }
}

# It encrypts with a key of AWS's own, lets in by IAM alone and over TLS alone, and has no brokers to watch.
resource "aws_msk_serverless_cluster" "main" {
  count = local.serverless

  cluster_name = var.name

  client_authentication {
    sasl {
      iam {
        enabled = true
      }
    }
  }

  vpc_config {
    security_group_ids = var.network.security_group_ids
    subnet_ids         = var.network.subnet_ids
  }
}

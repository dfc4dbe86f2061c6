# A Kafka cluster with its alarms and schemas, and the mapping of a topic.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  alarms             = { lag_records = 1000, lag_seconds = 600, topic_arn = "arn:aws:sns:ap-northeast-2:123456789012:alarms" }
  consumers          = { shipments = { group = "headgate-shipments", topic = "shop.shipments" } }
  kms_key_arn        = "arn:aws:kms:ap-northeast-2:123456789012:key/11111111-2222-3333-4444-555555555555"
  log_retention_days = 30
  name               = "headgate-main"
  network            = { security_group_ids = ["sg-1"], subnet_ids = ["subnet-1", "subnet-2", "subnet-3"] }
}

run "provisioned" {
  command = plan

  module {
    source = "./modules/msk"
  }

  variables {
    brokers  = { properties = { "log.retention.hours" = "24" } }
    registry = { schemas = { shipment = { compatibility = "BACKWARD", definition = "{\"type\":\"long\"}", format = "AVRO" } } }
  }

  assert {
    condition     = aws_msk_cluster.main[0].kafka_version == "3.9.x.kraft" && one(aws_msk_cluster.main[0].client_authentication[0].sasl).iam && !aws_msk_cluster.main[0].client_authentication[0].unauthenticated
    error_message = "KRaft, and nobody without IAM."
  }
  assert {
    condition     = aws_msk_cluster.main[0].encryption_info[0].encryption_in_transit[0].client_broker == "TLS" && aws_msk_cluster.main[0].encryption_info[0].encryption_at_rest_kms_key_arn == var.kms_key_arn
    error_message = "TLS alone, and disks under the key."
  }
  assert {
    condition     = alltrue([for line in ["auto.create.topics.enable=false", "min.insync.replicas=2", "default.replication.factor=3", "log.retention.hours=24"] : contains(split("\n", aws_msk_configuration.main[0].server_properties), line)])
    error_message = "The configuration's own properties, and what goes over them: ${aws_msk_configuration.main[0].server_properties}"
  }
  assert {
    condition     = aws_msk_cluster.main[0].enhanced_monitoring == "PER_BROKER" && one(aws_msk_cluster.main[0].logging_info[0].broker_logs[0].cloudwatch_logs).enabled
    error_message = "Brokers tell what the alarms ask, and log."
  }
  assert {
    condition = output.alarms == tolist([
      "headgate-main-controller", "headgate-main-disk-1", "headgate-main-disk-2", "headgate-main-disk-3",
      "headgate-main-lag-shipments", "headgate-main-lag-time-shipments",
      "headgate-main-under-replicated-1", "headgate-main-under-replicated-2", "headgate-main-under-replicated-3",
    ])
    error_message = "Disk, replicas, controller and lag have alarms: ${join(", ", output.alarms)}"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.broker["disk-1"].threshold == 80 && aws_cloudwatch_metric_alarm.broker["disk-1"].dimensions["Cluster Name"] == "headgate-main" && aws_cloudwatch_metric_alarm.broker["under-replicated-2"].dimensions["Broker ID"] == "2"
    error_message = "A broker's metrics go by the cluster's name and its id."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.broker["disk-1"].treat_missing_data == "ignore" && aws_cloudwatch_metric_alarm.broker["under-replicated-1"].treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.controller[0].treat_missing_data == "breaching" && length(aws_cloudwatch_metric_alarm.lag["lag-shipments"].insufficient_data_actions) == 1
    error_message = "What no data says of each."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.lag["lag-shipments"].dimensions == tomap({ "Cluster Name" = "headgate-main", "Consumer Group" = "headgate-shipments", Topic = "shop.shipments" })
    error_message = "Lag is of the mapping's group on its topic."
  }
  assert {
    condition     = aws_glue_schema.main["shipment"].registry_arn == "arn:aws:glue:ap-northeast-2:123456789012:registry/registry" && output.registry == "headgate-main"
    error_message = "A schema is in the cluster's registry."
  }
}

run "serverless" {
  command = plan

  module {
    source = "./modules/msk"
  }

  assert {
    condition     = one(aws_msk_serverless_cluster.main[0].client_authentication[0].sasl[0].iam).enabled && length(aws_msk_cluster.main) + length(aws_cloudwatch_log_group.main) + length(aws_glue_registry.main) == 0
    error_message = "Without brokers the cluster is serverless."
  }
  assert {
    condition     = output.alarms == tolist(["headgate-main-lag-shipments", "headgate-main-lag-time-shipments"]) && output.bootstrap_servers == "boot:9098"
    error_message = "It has no brokers to watch, and clients begin at its address."
  }
}

run "one_that_exists" {
  command = plan

  module {
    source = "./modules/msk"
  }

  variables {
    existing = { arn = "arn:aws:kafka:ap-northeast-2:123456789012:cluster/events/11111111-2222-3333-4444-555555555555-1", bootstrap_servers = "b:9098" }
    registry = { existing_name = "schemas", schemas = { shipment = { compatibility = "FULL", definition = "{}", format = "JSON" } } }
  }

  assert {
    condition     = length(aws_msk_cluster.main) + length(aws_msk_serverless_cluster.main) + length(aws_glue_registry.main) == 0 && output.arn == var.existing.arn
    error_message = "Nothing is made of what exists."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.lag["lag-time-shipments"].dimensions["Cluster Name"] == "events" && aws_glue_schema.main["shipment"].registry_arn == "arn:aws:glue:ap-northeast-2:123456789012:registry/schemas"
    error_message = "Its name is in its ARN, and schemas go to the registry that exists."
  }
}

run "wrong_variables" {
  command = plan

  module {
    source = "./modules/msk"
  }

  variables {
    kms_key_arn        = "key"
    log_retention_days = 31
    alarms             = { lag_records = 0, lag_seconds = 600, topic_arn = "t" }
    brokers            = { count = 4, instance_type = "express.m7g.large", kafka_version = "3.9.x", volume_gb = 0 }
    consumers          = { a = { group = "a:b", topic = "t" } }
    name               = "a cluster"
    registry           = { schemas = { a = { compatibility = "SOME", definition = "{}", format = "XML" } } }
  }

  expect_failures = [var.alarms, var.brokers, var.consumers, var.kms_key_arn, var.log_retention_days, var.name, var.registry]
}

run "wrong_network_and_cluster" {
  command = plan

  module {
    source = "./modules/msk"
  }

  variables {
    existing = { arn = "arn:aws:kafka:ap-northeast-2:123456789012:topic/events" }
    network  = { security_group_ids = [], subnet_ids = ["subnet-1"] }
  }

  expect_failures = [var.existing]
}

run "wrong_network" {
  command = plan

  module {
    source = "./modules/msk"
  }

  variables {
    network = { security_group_ids = [], subnet_ids = ["subnet-1"] }
  }

  expect_failures = [var.network]
}

# A connector of MSK Connect.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  alarms             = { topic_arn = "arn:aws:sns:ap-northeast-2:123456789012:alarms" }
  cluster            = { arn = "arn:aws:kafka:ap-northeast-2:123456789012:cluster/main/11111111-2222-3333-4444-555555555555-1", bootstrap_servers = "b:9098" }
  kms_key_arn        = "arn:aws:kms:ap-northeast-2:123456789012:key/11111111-2222-3333-4444-555555555555"
  log_retention_days = 30
  name               = "headgate-shop"
  network            = { security_group_ids = ["sg-1"], subnet_ids = ["subnet-1"] }
}

run "debezium" {
  command = plan

  module {
    source = "./modules/connector"
  }

  variables {
    configuration = { "database.dbname" = "shop", "table.include.list" = "public.orders", "topic.prefix" = "shop" }
    kind          = "debezium-postgres"
    plugin        = { bucket_arn = "arn:aws:s3:::plugins", key = "debezium-postgres.zip", secret_arn = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:shop-AbCdEf" }
    topics        = { write = ["shop.*"] }
  }

  assert {
    condition     = output.configuration["database.password"] == "$${secretsmanager:arn%3Aaws%3Asecretsmanager%3Aap-northeast-2%3A123456789012%3Asecret%3Ashop-AbCdEf:password}" && output.configuration["connector.class"] == "io.debezium.connector.postgresql.PostgresConnector"
    error_message = "The password is named, never told: ${output.configuration["database.password"]}"
  }
  assert {
    condition     = length(regexall("config.providers.secretsmanager.class=com.amazonaws.kafka.config.providers.SecretsManagerConfigProvider", aws_mskconnect_worker_configuration.main.properties_file_content)) == 1 && aws_mskconnect_custom_plugin.main.content_type == "ZIP"
    error_message = "Workers look secrets up."
  }
  assert {
    condition     = aws_mskconnect_connector.main.kafka_cluster_client_authentication[0].authentication_type == "IAM" && aws_mskconnect_connector.main.kafka_cluster_encryption_in_transit[0].encryption_type == "TLS"
    error_message = "IAM over TLS."
  }
  assert {
    condition     = !anytrue(flatten([for statement in jsondecode(output.policy).Statement : [for action in statement.Action : strcontains(action, "*") || startswith(action, "s3:")]])) && !anytrue([for statement in jsondecode(output.policy).Statement : contains(statement.Resource, "*")])
    error_message = "No action has a `*`, none is of all resources, and a source has no part in the bucket."
  }
  assert {
    condition     = one([for statement in jsondecode(output.policy).Statement : statement.Resource if statement.Sid == "Write"]) == ["arn:aws:kafka:ap-northeast-2:123456789012:topic/main/11111111-2222-3333-4444-555555555555-1/shop.*"]
    error_message = "It writes its topics alone."
  }
  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.main) == ["failed", "running"] && aws_cloudwatch_metric_alarm.main["running"].treat_missing_data == "breaching"
    error_message = "Tasks that fail or do not run are told."
  }
}

run "debezium_mysql" {
  command = plan

  module {
    source = "./modules/connector"
  }

  variables {
    configuration = { "database.server.id" = "4711", "decimal.handling.mode" = "string", "table.include.list" = "shop.orders", "topic.prefix" = "shop" }
    kind          = "debezium-mysql"
    plugin        = { bucket_arn = "arn:aws:s3:::plugins", key = "debezium-mysql.zip", secret_arn = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:shop-AbCdEf" }
    topics        = { write = ["shop.*"] }
  }

  assert {
    condition     = output.configuration["schema.history.internal.kafka.topic"] == "headgate-shop.schema-history" && output.configuration["schema.history.internal.producer.sasl.mechanism"] == "AWS_MSK_IAM" && output.configuration["decimal.handling.mode"] == "string"
    error_message = "MySQL's history of schemas is in a topic, by IAM; the configuration goes over the kind's."
  }
  assert {
    condition     = anytrue([for statement in jsondecode(output.policy).Statement : endswith(statement.Resource[0], "/headgate-shop.schema-history") && contains(statement.Action, "kafka-cluster:ReadData")])
    error_message = "It reads its history again."
  }
}

run "sink" {
  command = plan

  module {
    source = "./modules/connector"
  }

  variables {
    bucket        = { arn = "arn:aws:s3:::lake", folder = "raw/kafka/audit", name = "lake" }
    configuration = { topics = "audit" }
    kind          = "s3-sink"
    plugin        = { bucket_arn = "arn:aws:s3:::plugins", key = "s3.zip" }
    topics        = { read = ["audit"] }
  }

  assert {
    condition     = output.configuration["topics.dir"] == "raw/kafka/audit" && output.configuration["s3.bucket.name"] == "lake" && output.configuration["s3.region"] == "ap-northeast-2"
    error_message = "A sink writes to its folder."
  }
  assert {
    condition     = one([for statement in jsondecode(output.policy).Statement : statement.Resource if statement.Sid == "Folder"]) == ["arn:aws:s3:::lake/raw/kafka/audit/*"] && !anytrue(flatten([for statement in jsondecode(output.policy).Statement : [for action in statement.Action : action == "kafka-cluster:WriteData" && !strcontains(statement.Resource[0], "/__amazon_msk_connect_")]]))
    error_message = "Its folder alone, and no topic is written but MSK Connect's own."
  }
}

run "settings_that_are_missing" {
  command = plan

  module {
    source = "./modules/connector"
  }

  variables {
    kind   = "other"
    plugin = { bucket_arn = "arn:aws:s3:::plugins", key = "any.jar" }
    topics = { read = ["audit"] }
  }

  expect_failures = [aws_mskconnect_connector.main]
}

run "wrong_variables" {
  command = plan

  module {
    source = "./modules/connector"
  }

  variables {
    alarms             = { topic_arn = "t" }
    kms_key_arn        = "key"
    log_retention_days = 31
    capacity           = { maximum = 1, minimum = 2, units = 3 }
    configuration      = { "connector.class" = "c", "tasks.max" = "1", "database.password" = "hunter2" }
    kind               = "other"
    name               = "a connector"
    plugin             = { bucket_arn = "plugins", key = "any.tar", secret_arn = "shop" }
    topics             = { read = ["*"] }
  }

  expect_failures = [var.alarms, var.capacity, var.configuration, var.kms_key_arn, var.log_retention_days, var.name, var.plugin, var.topics]
}

run "wrong_bucket" {
  command = plan

  module {
    source = "./modules/connector"
  }

  variables {
    bucket = { arn = "arn:aws:s3:::lake", folder = "/raw/", name = "lake" }
    kind   = "other"
    plugin = { bucket_arn = "arn:aws:s3:::plugins", key = "any.jar" }
    topics = { read = ["audit"] }
  }

  expect_failures = [var.bucket]
}

run "wrong_kind" {
  command = plan

  module {
    source = "./modules/connector"
  }

  variables {
    kind   = "sink"
    plugin = { bucket_arn = "arn:aws:s3:::plugins", key = "any.jar" }
    topics = { read = ["audit"] }
  }

  expect_failures = [var.kind]
}

run "no_login" {
  command = plan

  module {
    source = "./modules/connector"
  }

  variables {
    kind   = "debezium-postgres"
    plugin = { bucket_arn = "arn:aws:s3:::plugins", key = "any.jar" }
    topics = { write = ["shop.*"] }
  }

  expect_failures = [var.plugin]
}

run "wrong_cluster_and_network" {
  command = plan

  module {
    source = "./modules/connector"
  }

  variables {
    cluster       = { arn = "arn:aws:kafka:ap-northeast-2:123456789012:cluster/main/11111111-2222-3333-4444-555555555555-1", bootstrap_servers = null }
    configuration = { "connector.class" = "c", "tasks.max" = "1" }
    kind          = "s3-sink"
    network       = { security_group_ids = [], subnet_ids = [] }
    plugin        = { bucket_arn = "arn:aws:s3:::plugins", key = "any.jar" }
    topics        = { read = ["audit"] }
  }

  expect_failures = [var.cluster, var.kind, var.network]
}

# The root with Kafka: a consumer of each topic, and the merge of what it lands of change topics.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  account_id = "123456789012"
  clusters = { main = {
    arn                = "arn:aws:kafka:ap-northeast-2:123456789012:cluster/events/11111111-2222-3333-4444-555555555555-1"
    registry           = "glue"
    schemas            = { shipment = "tests/fixtures/kafka/shipment.avsc" }
    security_group_ids = ["sg-1"]
    subnet_ids         = ["subnet-1", "subnet-2"]
    topics = {
      payments  = { topic = "shop.public.payments", gaps = false, pollers = { maximum = 4, minimum = 1 } }
      shipments = { topic = "shipments" }
    }
  } }
  datasets_dir = "tests/fixtures/kafka"
  packages_dir = "tests/fixtures/packages"
  region       = "ap-northeast-2"
  secrets      = { mask_key = "0123456789abcdef" }
  sources      = ["kafka"]
  streams      = {}
}

run "topics" {
  command = plan

  assert {
    condition     = toset(keys(output.functions)) == toset(["dms-merge-payments", "msk-consumer-payments", "msk-consumer-shipments"])
    error_message = "Each topic has its consumer, and a change topic the merge of its table: ${join(", ", keys(output.functions))}."
  }

  assert {
    condition = length(setsubtract(
      ["MaxOffsetLag Topic=shop.public.payments", "EstimatedMaxTimeLag Topic=shipments", "MaxOffsetLag Cluster Name=events", "RowsStored Dataset=shipments"],
      flatten([for widget in jsondecode(module.monitoring.body).widgets : [
        for line in widget.properties.metrics : [for index in range(2, length(line) - 1, 2) : "${line[1]} ${line[index]}=${line[index + 1]}"] if length(line) > 1
      ] if widget.type == "metric"]),
    )) == 0
    error_message = "Each topic's lag is drawn."
  }

  # The code's answers and the mappings agree.
  assert {
    condition     = module.function["msk-consumer-payments"].facts.response_types == [toset(["ReportBatchItemFailures"])] && module.function["msk-consumer-payments"].facts.settings.FAILURES == "records"
    error_message = "With pollers of its own failures are named, and the mapping asks for it."
  }
  assert {
    condition     = length(flatten([for types in module.function["msk-consumer-shipments"].facts.response_types : try(tolist(types), [])])) == 0 && module.function["msk-consumer-shipments"].facts.settings.FAILURES == "batch"
    error_message = "Without pollers a batch comes again whole, and nothing is named."
  }
  assert {
    condition     = module.function["msk-consumer-shipments"].facts.settings.REGISTRY == "glue" && contains(module.function["msk-consumer-shipments"].facts.environment, "MASK_KEY") && !contains(module.function["msk-consumer-payments"].facts.environment, "MASK_KEY")
    error_message = "A function knows the registry, and the secrets that it needs."
  }

  # Least privilege.
  assert {
    condition     = !anytrue(flatten([for function in module.function : [for statement in jsondecode(function.facts.policy).Statement : [for action in statement.Action : strcontains(action, "*")]]]))
    error_message = "No action has a `*`."
  }
  assert {
    condition     = toset(flatten([for function in module.function : [for statement in jsondecode(function.facts.policy).Statement : statement.Action if contains(statement.Resource, "*")]])) == toset(["ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs", "glue:GetSchemaVersion"])
    error_message = "Of all resources is only what AWS has no finer grain for."
  }
  assert {
    condition = { for statement in jsondecode(module.function["msk-consumer-payments"].facts.policy).Statement : statement.Sid => statement.Resource if startswith(statement.Sid, "Kafka") && statement.Sid != "KafkaLook" } == {
      KafkaCluster = ["arn:aws:kafka:ap-northeast-2:123456789012:cluster/events/11111111-2222-3333-4444-555555555555-1"]
      KafkaGroup   = ["arn:aws:kafka:ap-northeast-2:123456789012:group/events/11111111-2222-3333-4444-555555555555-1/headgate-payments"]
      KafkaNetwork = ["arn:aws:ec2:ap-northeast-2:123456789012:*/*"]
      KafkaTopic   = ["arn:aws:kafka:ap-northeast-2:123456789012:topic/events/11111111-2222-3333-4444-555555555555-1/shop.public.payments"]
    }
    error_message = "A mapping reads its topic in its group."
  }
  assert {
    condition     = one([for statement in jsondecode(module.function["msk-consumer-payments"].facts.policy).Statement : statement.Resource if statement.Sid == "Lake"]) == ["arn:aws:s3:::headgate-lake-123456789012/cdc/shop/payments/*", "arn:aws:s3:::headgate-lake-123456789012/quarantine/payments/*"]
    error_message = "A change topic lands where dms-merge reads."
  }
  assert {
    condition     = !strcontains(module.function["msk-consumer-payments"].facts.policy, "curated/") && strcontains(module.function["dms-merge-payments"].facts.policy, "cdc/shop/payments/")
    error_message = "The consumer does not touch the table, and the merge reads the files."
  }

  assert {
    condition     = !contains(keys(local.places), "payments")
    error_message = "What Debezium brings is no table of a DMS task."
  }

  # Alarms.
  assert {
    condition     = alltrue([for name in ["payments", "shipments"] : length(setsubtract(["errors", "failures", "freshness", "quarantined", "throttles"], keys(module.function["msk-consumer-${name}"].alarms))) == 0])
    error_message = "A consumer has alarms of failures, refused records and freshness."
  }
  assert {
    condition     = contains(keys(module.function["msk-consumer-payments"].alarms), "skipped") && !contains(keys(module.function["msk-consumer-shipments"].alarms), "skipped")
    error_message = "Offsets that never came are told where a topic has no gaps."
  }
  assert {
    condition     = module.msk["main"].alarms == tolist(["headgate-main-lag-payments", "headgate-main-lag-shipments", "headgate-main-lag-time-payments", "headgate-main-lag-time-shipments"])
    error_message = "Each consumer's lag has alarms: ${join(", ", module.msk["main"].alarms)}"
  }
}

run "connector_into_a_cluster_of_its_own" {
  command = plan

  variables {
    clusters = { main = {
      brokers            = {}
      registry           = "https://registry.example.com"
      security_group_ids = ["sg-1"]
      subnet_ids         = ["subnet-1", "subnet-2", "subnet-3"]
      topics             = { payments = { topic = "p" }, shipments = { topic = "s" } }
    } }
    connectors = { shop = {
      cluster       = "main"
      configuration = { "database.dbname" = "shop", "table.include.list" = "public.payments", "topic.prefix" = "shop" }
      kind          = "debezium-postgres"
      plugin        = { bucket_arn = "arn:aws:s3:::plugins", key = "debezium.zip" }
      secret_arn    = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:shop-AbCdEf"
      topics        = { write = ["shop.*"] }
    } }
    secrets = { mask_key = "0123456789abcdef", registry_auth = "user:password" }
  }

  assert {
    condition     = module.connector["shop"].name == "headgate-shop" && length(module.msk["main"].alarms) == 11
    error_message = "The connector is there, and the brokers have alarms."
  }
  assert {
    condition     = contains(module.function["msk-consumer-shipments"].facts.environment, "REGISTRY_AUTH") && !strcontains(module.function["msk-consumer-shipments"].facts.policy, "glue:GetSchemaVersion")
    error_message = "A Confluent registry has its login, and Glue is not asked."
  }
}

run "no_topic" {
  command = plan

  variables {
    clusters = {}
  }

  expect_failures = [terraform_data.topics]
}

run "no_registry" {
  command = plan

  variables {
    clusters = { main = {
      security_group_ids = ["sg-1"]
      subnet_ids         = ["subnet-1", "subnet-2"]
      topics             = { payments = { topic = "p" }, shipments = { topic = "s" }, unknown = { topic = "u" } }
    } }
  }

  expect_failures = [terraform_data.topics]
}

run "source_is_off" {
  command = plan

  variables {
    sources = ["cdc"]
  }

  expect_failures = [terraform_data.topics]
}

run "wrong_variables" {
  command = plan

  variables {
    alarms = { offset_lag = 0 }
    clusters = { for name in ["Main", "other"] : name => {
      arn                = "arn:aws:kafka:ap-northeast-2:123456789012:cluster/events/11111111-2222-3333-4444-555555555555-1"
      brokers            = {}
      registry           = "http"
      schemas            = { a = "none.avsc" }
      security_group_ids = ["sg-1"]
      subnet_ids         = ["subnet-1", "subnet-2"]
      topics             = { payments = { topic = "p", batch_size = 0 } }
    } }
  }

  expect_failures = [var.alarms, var.clusters]
}

run "connector_without_cluster" {
  command = plan

  variables {
    connectors = { shop = { cluster = "other", kind = "s3-sink", plugin = { bucket_arn = "b", key = "k" }, topics = {} } }
  }

  expect_failures = [var.connectors]
}

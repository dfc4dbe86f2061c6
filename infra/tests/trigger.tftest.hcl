# What invokes a function: a topic, or EventBridge itself.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  alarms      = { topic_arn = "arn:aws:sns:ap-northeast-2:123456789012:alarms", age_seconds = 600 }
  description = "A function."
  failures    = { bucket_arn = "arn:aws:s3:::lake" }
  kms_key_arn = "arn:aws:kms:ap-northeast-2:123456789012:key/11111111-2222-3333-4444-555555555555"
  name        = "headgate-msk-consumer-orders"
  package     = "./tests/fixtures/packages/msk-consumer/bootstrap.zip"
  permissions = {}
  runtime     = { architecture = "arm64", log_retention_days = 30, memory_mb = 512, timeout_seconds = 100 }
  settings    = { DATASET = "orders" }
}

run "topic" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    trigger = { kind = "kafka", group = "g", partial_batches = true, pollers = { maximum = 3, minimum = 1 }, source_arn = "arn:aws:kafka:ap-northeast-2:123456789012:cluster/c/1-2", topic = "t" }
  }

  assert {
    condition     = aws_lambda_event_source_mapping.kafka[0].topics == toset(["t"]) && aws_lambda_event_source_mapping.kafka[0].starting_position == "TRIM_HORIZON" && one(aws_lambda_event_source_mapping.kafka[0].amazon_managed_kafka_event_source_config).consumer_group_id == "g"
    error_message = "A mapping reads its topic from the beginning, as its group."
  }
  assert {
    condition     = aws_lambda_event_source_mapping.kafka[0].function_response_types == toset(["ReportBatchItemFailures"]) && aws_lambda_event_source_mapping.kafka[0].maximum_retry_attempts == 100 && one(aws_lambda_event_source_mapping.kafka[0].provisioned_poller_config).maximum_pollers == 3
    error_message = "With pollers of its own it takes partial batches and a number of attempts."
  }
  assert {
    condition     = one(one(aws_lambda_event_source_mapping.kafka[0].destination_config).on_failure).destination_arn == "arn:aws:s3:::lake"
    error_message = "What is given up is kept, with its records."
  }
  assert {
    condition     = length(aws_lambda_event_source_mapping.kinesis) + length(aws_lambda_event_source_mapping.queue) + length(aws_cloudwatch_event_rule.event) == 0
    error_message = "And nothing else invokes the function."
  }
}

run "event" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    trigger = { kind = "event", pattern = "{\"source\":[\"aws.appflow\"]}" }
  }

  assert {
    condition     = one(aws_cloudwatch_event_target.event[0].dead_letter_config).arn == aws_sqs_queue.dead[0].arn && keys(aws_sqs_queue_policy.main) == ["dead"] && jsondecode(aws_sqs_queue_policy.main["dead"].policy).Statement[0].Condition.ArnEquals["aws:SourceArn"] == aws_cloudwatch_event_rule.event[0].arn
    error_message = "What the rule could not hand over waits among the dead letters, where it may write."
  }
  assert {
    condition     = toset(["dead-letters", "rule-failed", "rule-lost"]) == setintersection(["dead-letters", "rule-failed", "rule-lost"], keys(output.alarms))
    error_message = "And is told of."
  }
  assert {
    condition     = aws_cloudwatch_event_target.event[0].arn == aws_lambda_alias.live.arn && aws_lambda_permission.event[0].qualifier == "live" && aws_lambda_permission.event[0].source_arn == aws_cloudwatch_event_rule.event[0].arn
    error_message = "The rule calls the alias, and may."
  }
  assert {
    condition     = length(aws_sqs_queue.main) + length(aws_scheduler_schedule.main) == 0
    error_message = "There is no queue between, and no schedule."
  }
}

run "partial_batches_without_pollers" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    trigger = { kind = "kafka", group = "g", partial_batches = true, source_arn = "arn:aws:kafka:ap-northeast-2:123456789012:cluster/c/1-2", topic = "t" }
  }

  expect_failures = [var.trigger]
}

run "topic_without_group" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    trigger = { kind = "kafka", source_arn = "arn:aws:kafka:ap-northeast-2:123456789012:cluster/c/1-2", topic = "t", group = "a:b" }
  }

  expect_failures = [var.trigger]
}

run "no_pollers" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    trigger = { kind = "kafka", group = "g", pollers = { maximum = 1, minimum = 2 }, source_arn = "arn:aws:kafka:ap-northeast-2:123456789012:cluster/c/1-2", topic = "t" }
  }

  expect_failures = [var.trigger]
}

run "other_position" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    trigger = { kind = "kafka", group = "g", source_arn = "arn:aws:kafka:ap-northeast-2:123456789012:cluster/c/1-2", starting_position = "AT_TIMESTAMP", topic = "t" }
  }

  expect_failures = [var.trigger]
}

run "event_without_pattern" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    trigger = { kind = "event" }
  }

  expect_failures = [var.trigger]
}

# A function with its permissions, logs, queue and alarms.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  alarms      = { topic_arn = "arn:aws:sns:ap-northeast-2:123456789012:alarms", age_seconds = 600 }
  description = "A function."
  failures    = { bucket_arn = "arn:aws:s3:::lake" }
  kms_key_arn = "arn:aws:kms:ap-northeast-2:123456789012:key/11111111-2222-3333-4444-555555555555"
  name        = "headgate-dms-merge-orders"
  package     = "./tests/fixtures/packages/dms-merge/bootstrap.zip"
  permissions = {}
  runtime     = { architecture = "arm64", log_retention_days = 30, memory_mb = 512, timeout_seconds = 100 }
  settings    = { DATASET = "orders" }
  trigger     = { kind = "none" }
}

run "queue" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    alarms  = { topic_arn = "arn:aws:sns:ap-northeast-2:123456789012:alarms", age_seconds = 60, metrics = { lag = { metric = "Lag", limit = 3600, statistic = "Minimum", while = "FilesPending" }, share = { metric = "Bad", limit = 1, per = "All", statistic = "Sum" } } }
    trigger = { kind = "queue", batching_window = 40, partial_batches = true, pattern = "{\"source\":[\"aws.s3\"]}", schedule = "rate(1 hour)", schedule_input = "{}" }
  }

  assert {
    condition     = aws_sqs_queue.main[0].visibility_timeout_seconds == 200 && jsondecode(aws_sqs_queue.main[0].redrive_policy).maxReceiveCount == 20 && one(aws_lambda_event_source_mapping.queue).maximum_batching_window_in_seconds == 40
    error_message = "A message is hidden for the window, the function's timeout and a minute, and has tries enough."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.queue["waiting"].threshold == 400
    error_message = "Nobody is told of a message that comes back once."
  }
  assert {
    condition     = { for name, alarm in aws_cloudwatch_metric_alarm.rule : name => "${alarm.namespace} ${alarm.metric_name} ${alarm.dimensions.RuleName}" } == { rule-failed = "AWS/Events FailedInvocations headgate-dms-merge-orders", rule-lost = "AWS/Events InvocationsFailedToBeSentToDlq headgate-dms-merge-orders" } && length(setsubtract(["lag", "rule-failed", "rule-lost"], keys(output.alarms))) == 0
    error_message = "What the rule could not send is told of."
  }
  assert {
    condition = { for name, alarm in aws_cloudwatch_metric_alarm.rate : name => join("; ", sort([for query in alarm.metric_query : query.return_data == true ? query.expression : "${query.id} ${one(query.metric).metric_name} ${one(query.metric).stat}"])) } == {
      lag   = "IF(waiting > 0, value, 0); value Lag Minimum; waiting FilesPending Minimum"
      share = "100 * part / IF(whole > 0, whole, 1); part Bad Sum; whole All Sum"
    }
    error_message = "An old table is told of while files wait, and a share is one."
  }
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.own) == 0
    error_message = "And not by the metric alone."
  }
  assert {
    condition     = toset([for statement in jsondecode(aws_iam_role_policy.main.policy).Statement : jsonencode(statement.Condition) if statement.Sid == "FailuresBucket"]) == toset(["{\"StringLikeIfExists\":{\"s3:prefix\":[\"aws/lambda/*\",\"\"]}}"])
    error_message = "Whoever looks whether the bucket is there asks for no prefix."
  }
  assert {
    condition     = aws_scheduler_schedule.main[0].target[0].arn == aws_sqs_queue.main[0].arn
    error_message = "The schedule goes through the queue."
  }
  assert {
    condition     = aws_lambda_alias.live.function_version == "3"
    error_message = "The alias is at the newest version."
  }
}

# What a schedule could not deliver is not lost, with a queue or without.
run "schedule_without_a_queue" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    trigger = { kind = "none", schedule = "rate(1 hour)", schedule_input = "{}" }
  }

  # The queue's own, so that it is not taken for another.
  override_resource {
    target          = aws_sqs_queue.dead
    override_during = plan
    values          = { arn = "arn:aws:sqs:ap-northeast-2:123456789012:dead" }
  }

  assert {
    condition     = aws_scheduler_schedule.main[0].target[0].arn == aws_lambda_alias.live.arn && one(aws_scheduler_schedule.main[0].target[0].dead_letter_config).arn == aws_sqs_queue.dead[0].arn
    error_message = "The schedule calls the function, and has its dead letters."
  }
  assert {
    condition     = anytrue([for statement in jsondecode(aws_iam_role_policy.schedule[0].policy).Statement : statement.Action == ["sqs:SendMessage"] && statement.Resource == ["arn:aws:sqs:ap-northeast-2:123456789012:dead"]])
    error_message = "The schedule may write its dead letters: ${aws_iam_role_policy.schedule[0].policy}"
  }
  assert {
    condition     = length(aws_sqs_queue.main) == 0 && keys(aws_cloudwatch_metric_alarm.queue) == ["dead-letters"] && aws_cloudwatch_metric_alarm.queue["dead-letters"].dimensions.QueueName == "headgate-dms-merge-orders-dead"
    error_message = "Dead letters have an alarm."
  }
  assert {
    condition     = { for name, alarm in aws_cloudwatch_metric_alarm.lambda : name => "${alarm.metric_name} ${alarm.datapoints_to_alarm}" } == { errors = "Errors 3", failed-to-store = "DestinationDeliveryFailures 1", given-up = "AsyncEventsDropped 1", throttles = "Throttles 3" }
    error_message = "What is tried again may fail a few times, and what is not may not."
  }
}

run "rollback" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    runtime = { architecture = "arm64", ephemeral_mb = 2560, log_retention_days = 30, memory_mb = 512, pinned_version = "2", timeout_seconds = 100 }
  }

  assert {
    condition     = aws_lambda_alias.live.function_version == "2"
    error_message = "A pinned version is what the alias is at."
  }
  assert {
    condition     = one(aws_lambda_function.main.ephemeral_storage).size == 2560
    error_message = "A function has the disk that it needs."
  }
  assert {
    condition     = length(aws_lambda_event_source_mapping.kinesis) + length(aws_lambda_event_source_mapping.queue) + length(aws_scheduler_schedule.main) == 0
    error_message = "Without a trigger there is no mapping and no schedule."
  }
}

run "no_package" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    package = "./tests/fixtures/packages/none/bootstrap.zip"
  }

  expect_failures = [aws_lambda_function.main]
}

run "wrong_variables" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    kms_key_arn = "key"
    alarms      = { topic_arn = "t", age_seconds = 600, metrics = { a = { metric = "A", limit = -1, statistic = "Sum", per = "A", while = "B" } } }
    description = join("", [for number in range(257) : "."])
    failures    = { bucket_arn = "arn:aws:sqs:ap-northeast-2:123456789012:queue" }
    name        = "a name"
    package     = "bootstrap"
    permissions = { all = { actions = ["s3:*"], resources = ["*"] } }
    runtime     = { architecture = "sparc", concurrency = -1, ephemeral_mb = 100, pinned_version = "live", log_retention_days = 31, memory_mb = 1, timeout_seconds = 901 }
    trigger     = { kind = "post", schedule = "daily" }
  }

  expect_failures = [var.alarms, var.description, var.failures, var.kms_key_arn, var.name, var.package, var.permissions, var.runtime, var.trigger]
}

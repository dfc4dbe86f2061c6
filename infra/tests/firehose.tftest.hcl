# A delivery stream behind firehose-transform.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  alarms             = { freshness_seconds = 900, topic_arn = "arn:aws:sns:ap-northeast-2:123456789012:alarms" }
  bucket             = { arn = "arn:aws:s3:::lake", name = "lake" }
  function_arn       = "arn:aws:lambda:ap-northeast-2:123456789012:function:f:live"
  kms_key_arn        = "arn:aws:kms:ap-northeast-2:123456789012:key/11111111-2222-3333-4444-555555555555"
  log_retention_days = 30
  name               = "headgate-logs"
  partitions         = ["year", "level"]
  prefix             = "raw/logs/"
  schema             = { arns = ["arn:aws:glue:ap-northeast-2:123456789012:catalog"], database = "headgate", region = "ap-northeast-2", table = "logs" }
}

run "delivery" {
  command = plan

  module {
    source = "./modules/firehose"
  }

  assert {
    condition     = output.prefix == "raw/logs/year=!{partitionKeyFromLambda:year}/level=!{partitionKeyFromLambda:level}/"
    error_message = "Each key of the transform is in the path: ${output.prefix}"
  }
  assert {
    condition     = length(regexall("!\\{firehose:error-output-type\\}", aws_kinesis_firehose_delivery_stream.main.extended_s3_configuration[0].error_output_prefix)) == 1 && length(aws_kinesis_firehose_delivery_stream.main.extended_s3_configuration[0].dynamic_partitioning_configuration) == 1
    error_message = "Errors are told apart, and partitions are dynamic."
  }
  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.main)) == toset(["conversion", "delivery", "freshness", "partitions", "processing", "throttled"])
    error_message = "Freshness, delivery and processing have alarms."
  }
}

run "wrong_variables" {
  command = plan

  module {
    source = "./modules/firehose"
  }

  variables {
    bucket             = { arn = "lake", name = "lake" }
    function_arn       = "f"
    kms_key_arn        = "key"
    log_retention_days = 31
    alarms             = { freshness_seconds = 0, topic_arn = "t" }
    buffer             = { seconds = 30 }
    name               = "a name"
    partitions         = ["year", "year"]
    prefix             = "/raw"
  }

  expect_failures = [var.alarms, var.bucket, var.buffer, var.function_arn, var.kms_key_arn, var.log_retention_days, var.name, var.partitions, var.prefix]
}

run "backup" {
  command = plan

  module {
    source = "./modules/firehose"
  }

  variables {
    backup = true
  }

  assert {
    condition     = output.backup == "errors/headgate-logs/backup/"
    error_message = "Records are kept as they came, where the role may write and where they expire: ${coalesce(output.backup, "nowhere")}."
  }
}

run "deliveries" {
  command = plan

  variables {
    account_id   = "123456789012"
    datasets_dir = "tests/fixtures/datasets"
    deliveries   = { logs = { backup = true, seconds = 60 } }
    packages_dir = "tests/fixtures/packages"
    sources      = ["firehose"]
    streams      = {}
  }

  assert {
    condition     = module.firehose["logs"].backup == "errors/headgate-logs-logs/backup/"
    error_message = "A dataset's delivery is as it is set."
  }
}

run "wrong_deliveries" {
  command = plan

  variables {
    account_id   = "123456789012"
    datasets_dir = "tests/fixtures/datasets"
    deliveries   = { logs = { seconds = 10 } }
    packages_dir = "tests/fixtures/packages"
    sources      = ["firehose"]
    streams      = {}
  }

  expect_failures = [var.deliveries]
}

run "unknown_delivery" {
  command = plan

  variables {
    account_id   = "123456789012"
    datasets_dir = "tests/fixtures/datasets"
    deliveries   = { nobody = {} }
    packages_dir = "tests/fixtures/packages"
    sources      = ["firehose"]
    streams      = {}
  }

  expect_failures = [terraform_data.deliveries]
}

# A Kinesis data stream with its alarms.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  alarm_topic_arn      = "arn:aws:sns:ap-northeast-2:123456789012:alarms"
  iterator_age_seconds = 600
  kms_key_arn          = "arn:aws:kms:ap-northeast-2:123456789012:key/11111111-2222-3333-4444-555555555555"
  name                 = "headgate-clicks"
  retention_hours      = 72
}

run "provisioned_with_fan_out" {
  command = plan

  module {
    source = "./modules/stream"
  }

  variables {
    enhanced_fan_out = ["clicks"]
    shards           = 2
  }

  assert {
    condition     = aws_kinesis_stream.main.stream_mode_details[0].stream_mode == "PROVISIONED" && aws_kinesis_stream.main.encryption_type == "KMS" && keys(output.sources) == ["", "clicks"]
    error_message = "Shards make a stream provisioned, and each named dataset has its consumer."
  }
  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.main) == ["behind-clicks", "iterator-age", "read-throttled", "write-throttled"] && aws_cloudwatch_metric_alarm.main["iterator-age"].threshold == 600000
    error_message = "A stream has alarms of age and of throttles."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.main["behind-clicks"].dimensions == tomap({ StreamName = "headgate-clicks", ConsumerName = aws_kinesis_stream_consumer.main["clicks"].name }) && aws_cloudwatch_metric_alarm.main["behind-clicks"].threshold == 600000
    error_message = "Who has a throughput of his own has an age of his own."
  }
}

run "wrong_variables" {
  command = plan

  module {
    source = "./modules/stream"
  }

  variables {
    alarm_topic_arn      = "t"
    kms_key_arn          = "key"
    iterator_age_seconds = 1
    name                 = "a stream"
    retention_hours      = 12
    shards               = 0
  }

  expect_failures = [var.alarm_topic_arn, var.iterator_age_seconds, var.kms_key_arn, var.name, var.retention_hours, var.shards]
}

# What AWS would answer with, in the form that the provider checks.
mock_data "aws_partition" {
  defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
}

mock_data "aws_caller_identity" {
  defaults = { account_id = "123456789012" }
}

mock_resource "aws_kms_key" {
  defaults = { arn = "arn:aws:kms:ap-northeast-2:123456789012:key/11111111-2222-3333-4444-555555555555" }
}

mock_resource "aws_sns_topic" {
  defaults = { arn = "arn:aws:sns:ap-northeast-2:123456789012:alarms" }
}

mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::123456789012:role/role" }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:ap-northeast-2:123456789012:log-group:group" }
}

mock_resource "aws_kinesis_stream" {
  defaults = { arn = "arn:aws:kinesis:ap-northeast-2:123456789012:stream/stream" }
}

mock_resource "aws_kinesis_stream_consumer" {
  defaults = { arn = "arn:aws:kinesis:ap-northeast-2:123456789012:stream/stream/consumer/consumer:1" }
}

mock_resource "aws_lambda_alias" {
  defaults = { arn = "arn:aws:lambda:ap-northeast-2:123456789012:function:function:live" }
}

mock_resource "aws_lambda_function" {
  defaults = { arn = "arn:aws:lambda:ap-northeast-2:123456789012:function:function", version = "3" }
}

mock_resource "aws_sqs_queue" {
  defaults = { arn = "arn:aws:sqs:ap-northeast-2:123456789012:queue" }
}

mock_resource "aws_cloudwatch_event_rule" {
  defaults = { arn = "arn:aws:events:ap-northeast-2:123456789012:rule/rule" }
}

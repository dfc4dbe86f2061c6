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
  # The hash is that of the fixtures' packages, which are empty zips.
  defaults = { arn = "arn:aws:lambda:ap-northeast-2:123456789012:function:function", version = "3", code_sha256 = "hznHbmgfkAkjuQDJ3w73XPQh05yrtUZQxLmtGbanbYU=" }
}

mock_resource "aws_sqs_queue" {
  defaults = { arn = "arn:aws:sqs:ap-northeast-2:123456789012:queue" }
}

mock_resource "aws_cloudwatch_event_rule" {
  defaults = { arn = "arn:aws:events:ap-northeast-2:123456789012:rule/rule" }
}

mock_resource "aws_dms_replication_instance" {
  defaults = { replication_instance_arn = "arn:aws:dms:ap-northeast-2:123456789012:rep:INSTANCE" }
}

mock_resource "aws_dms_replication_task" {
  defaults = { replication_task_arn = "arn:aws:dms:ap-northeast-2:123456789012:task:TASK" }
}

mock_resource "aws_dms_endpoint" {
  defaults = { endpoint_arn = "arn:aws:dms:ap-northeast-2:123456789012:endpoint:SOURCE" }
}

mock_resource "aws_dms_s3_endpoint" {
  defaults = { endpoint_arn = "arn:aws:dms:ap-northeast-2:123456789012:endpoint:LAKE" }
}

mock_resource "aws_apigatewayv2_api" {
  defaults = { execution_arn = "arn:aws:execute-api:ap-northeast-2:123456789012:api" }
}

mock_resource "aws_iot_policy" {
  defaults = { arn = "arn:aws:iot:ap-northeast-2:123456789012:policy/policy" }
}

mock_resource "aws_iot_ca_certificate" {
  defaults = { id = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }
}

mock_resource "aws_msk_cluster" {
  defaults = {
    arn                        = "arn:aws:kafka:ap-northeast-2:123456789012:cluster/cluster/11111111-2222-3333-4444-555555555555-1"
    bootstrap_brokers_sasl_iam = "b-1:9098,b-2:9098"
  }
}

mock_resource "aws_msk_serverless_cluster" {
  defaults = {
    arn                        = "arn:aws:kafka:ap-northeast-2:123456789012:cluster/serverless/11111111-2222-3333-4444-555555555555-s1"
    bootstrap_brokers_sasl_iam = "boot:9098"
  }
}

mock_resource "aws_msk_configuration" {
  defaults = { arn = "arn:aws:kafka:ap-northeast-2:123456789012:configuration/configuration/11111111-2222-3333-4444-555555555555-1" }
}

mock_resource "aws_mskconnect_custom_plugin" {
  defaults = { arn = "arn:aws:kafkaconnect:ap-northeast-2:123456789012:custom-plugin/plugin/11111111-2222-3333-4444-555555555555-1" }
}

mock_resource "aws_mskconnect_worker_configuration" {
  defaults = { arn = "arn:aws:kafkaconnect:ap-northeast-2:123456789012:worker-configuration/worker/11111111-2222-3333-4444-555555555555-1" }
}

mock_resource "aws_glue_registry" {
  defaults = { arn = "arn:aws:glue:ap-northeast-2:123456789012:registry/registry" }
}

mock_resource "aws_appflow_connector_profile" {
  defaults = { arn = "arn:aws:appflow:ap-northeast-2:123456789012:connectorprofile/profile" }
}

mock_resource "aws_appflow_flow" {
  defaults = { arn = "arn:aws:appflow:ap-northeast-2:123456789012:flow/flow" }
}

# Records over HTTP.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  access_log_days = 30
  alarm_topic_arn = "arn:aws:sns:ap-northeast-2:123456789012:alarms"
  auth            = "iam"
  kms_key_arn     = "arn:aws:kms:ap-northeast-2:123456789012:key/11111111-2222-3333-4444-555555555555"
  name            = "headgate"
  routes          = { clicks = "arn:aws:lambda:ap-northeast-2:123456789012:function:f:live" }
  throttle        = { burst = 20, rate = 10 }
}

run "routes" {
  command = plan

  module {
    source = "./modules/api"
  }

  assert {
    condition     = aws_apigatewayv2_route.main["clicks"].route_key == "POST /clicks" && aws_apigatewayv2_route.main["clicks"].authorization_type == "AWS_IAM"
    error_message = "A dataset has its route."
  }
  assert {
    condition     = aws_apigatewayv2_stage.main.default_route_settings[0].throttling_rate_limit == 10
    error_message = "Callers are throttled."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.main.metric_name == "5xx" && aws_cloudwatch_metric_alarm.main.dimensions == tomap({ ApiId = aws_apigatewayv2_api.main.id, Stage = "$default" })
    error_message = "Records that are not taken are told of."
  }
}

run "wrong_variables" {
  command = plan

  module {
    source = "./modules/api"
  }

  variables {
    access_log_days = 31
    alarm_topic_arn = "t"
    kms_key_arn     = "key"
    auth            = "none"
    name            = "an api"
    routes          = {}
    throttle        = { burst = 0, rate = 0 }
  }

  expect_failures = [var.access_log_days, var.alarm_topic_arn, var.auth, var.kms_key_arn, var.name, var.routes, var.throttle]
}

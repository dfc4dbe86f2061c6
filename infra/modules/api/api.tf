resource "aws_apigatewayv2_api" "main" {
  name          = var.name
  description   = "POST /<dataset>"
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_integration" "main" {
  for_each = var.routes

  api_id                 = aws_apigatewayv2_api.main.id
  integration_type       = "AWS_PROXY"
  integration_uri        = each.value
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "main" {
  for_each = var.routes

  api_id             = aws_apigatewayv2_api.main.id
  authorization_type = var.auth == "iam" ? "AWS_IAM" : "NONE" # The function checks the signature of the body.
  route_key          = "POST /${each.key}"
  target             = "integrations/${aws_apigatewayv2_integration.main[each.key].id}"
}

resource "aws_apigatewayv2_stage" "main" {
  api_id      = aws_apigatewayv2_api.main.id
  name        = "$default"
  auto_deploy = true

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.main.arn
    # Neither bodies nor headers: a signature is one.
    format = jsonencode({ id = "$context.requestId", ip = "$context.identity.sourceIp", path = "$context.path", status = "$context.status", bytes = "$context.responseLength", ms = "$context.responseLatency" })
  }

  default_route_settings {
    detailed_metrics_enabled = true
    throttling_burst_limit   = var.throttle.burst
    throttling_rate_limit    = var.throttle.rate
  }
}

resource "aws_cloudwatch_log_group" "main" {
  name              = "/aws/apigateway/${var.name}"
  retention_in_days = var.access_log_days
  kms_key_id        = var.kms_key_arn
}

# Senders try again after a 5xx, so some are no news; and nobody sending is no failure.
resource "aws_cloudwatch_metric_alarm" "main" {
  alarm_name          = "${var.name}-api-errors"
  alarm_description   = "5xx of the API ${var.name}: records that were not taken."
  namespace           = "AWS/ApiGateway"
  metric_name         = "5xx"
  dimensions          = local.dimensions
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}

locals {
  dimensions = { ApiId = aws_apigatewayv2_api.main.id, Stage = aws_apigatewayv2_stage.main.name }
}

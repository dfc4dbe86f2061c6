# EventBridge -> function, without a queue: for functions that take the event itself. One that fails goes where all
# asynchronous events go.
locals {
  evented = var.trigger.kind == "event" ? 1 : 0
}

resource "aws_cloudwatch_event_rule" "event" {
  count = local.evented

  name          = var.name
  description   = var.description
  event_pattern = var.trigger.pattern
}

resource "aws_cloudwatch_event_target" "event" {
  count = local.evented

  rule = aws_cloudwatch_event_rule.event[0].name
  arn  = aws_lambda_alias.live.arn

  # What EventBridge could not hand over; what the function failed at is at its own destination.
  dead_letter_config {
    arn = aws_sqs_queue.dead[0].arn
  }
}

resource "aws_lambda_permission" "event" {
  count = local.evented

  statement_id  = "event"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.main.function_name
  qualifier     = aws_lambda_alias.live.name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.event[0].arn
}

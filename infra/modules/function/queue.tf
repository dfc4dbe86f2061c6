# EventBridge -> queue -> function; what fails too often waits among the dead letters, and so does what a schedule or a rule
# could not deliver.
locals {
  queues  = var.trigger.kind == "queue" ? 1 : 0
  filling = local.queues == 1 && var.trigger.pattern != null ? 1 : 0
  timed   = var.trigger.schedule != null ? 1 : 0
  dead    = max(local.evented, local.queues, local.timed)
  # A message is hidden for as long as a batch may be gathered and worked on, and no longer: one that failed is back soon.
  # Lambda asks for no less than the function's timeout; six times that is for functions that throttle their mapping, which
  # scaling_config keeps from happening here.
  batching_window = coalesce(var.trigger.batching_window, 1)
  hidden_seconds  = var.runtime.timeout_seconds + local.batching_window + 60
}

resource "aws_sqs_queue" "dead" {
  count = local.dead

  name                      = "${var.name}-dead"
  kms_master_key_id         = var.kms_key_arn
  message_retention_seconds = 1209600
}

resource "aws_sqs_queue" "main" {
  count = local.queues

  name                       = var.name
  kms_master_key_id          = var.kms_key_arn
  message_retention_seconds  = 345600
  visibility_timeout_seconds = local.hidden_seconds
  # Of the longest function's, hours: a table that is mended within them needs nobody to send its messages again.
  redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead[0].arn, maxReceiveCount = 20 })
}

resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  count = local.queues

  queue_url            = aws_sqs_queue.dead[0].id
  redrive_allow_policy = jsonencode({ redrivePermission = "byQueue", sourceQueueArns = [aws_sqs_queue.main[0].arn] })
}

resource "aws_cloudwatch_event_rule" "main" {
  count = local.filling

  name          = var.name
  description   = var.description
  event_pattern = var.trigger.pattern
}

resource "aws_cloudwatch_event_target" "main" {
  count = local.filling

  rule = aws_cloudwatch_event_rule.main[0].name
  arn  = aws_sqs_queue.main[0].arn

  dead_letter_config {
    arn = aws_sqs_queue.dead[0].arn
  }
}

resource "aws_sqs_queue_policy" "main" {
  for_each = merge(
    local.filling == 0 ? {} : { main = aws_sqs_queue.main[0] },
    local.filling + local.evented == 0 ? {} : { dead = aws_sqs_queue.dead[0] },
  )

  queue_url = each.value.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sqs:SendMessage"
      Principal = { Service = "events.amazonaws.com" }
      Resource  = each.value.arn
      Condition = { ArnEquals = { "aws:SourceArn" = one(concat(aws_cloudwatch_event_rule.main, aws_cloudwatch_event_rule.event)).arn } }
    }]
  })
}

locals {
  # Into the queue where there is one, so that bursts become batches; else to the function.
  schedule_target = local.timed == 0 ? null : local.queues == 1 ? aws_sqs_queue.main[0].arn : aws_lambda_alias.live.arn
}

resource "aws_iam_role" "schedule" {
  count = local.timed

  name = "${var.name}-schedule"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "scheduler.amazonaws.com" } }]
  })

  lifecycle {
    precondition {
      condition     = length(var.name) <= 55
      error_message = "${var.name}-schedule is too long for a role. Shorten the dataset's name, or the environment's (name)."
    }
  }
}

resource "aws_iam_role_policy" "schedule" {
  count = local.timed

  name = "call"
  role = aws_iam_role.schedule[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = [local.queues == 1 ? "sqs:SendMessage" : "lambda:InvokeFunction"], Resource = [local.schedule_target] },
      { Effect = "Allow", Action = ["sqs:SendMessage"], Resource = [aws_sqs_queue.dead[0].arn] },
      { Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = [var.kms_key_arn] },
    ]
  })
}

resource "aws_scheduler_schedule" "main" {
  count = local.timed

  name                = var.name
  description         = var.description
  kms_key_arn         = var.kms_key_arn
  schedule_expression = var.trigger.schedule

  # So that the schedules of many datasets do not come at once.
  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 5
  }

  target {
    arn      = local.schedule_target
    role_arn = aws_iam_role.schedule[0].arn
    input    = var.trigger.schedule_input

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 10
    }

    dead_letter_config {
      arn = aws_sqs_queue.dead[0].arn
    }
  }
}

locals {
  response_types = var.trigger.partial_batches ? ["ReportBatchItemFailures"] : []
}

resource "aws_lambda_event_source_mapping" "kinesis" {
  count = var.trigger.kind == "kinesis" ? 1 : 0

  function_name                      = aws_lambda_alias.live.arn
  event_source_arn                   = var.trigger.source_arn
  batch_size                         = coalesce(var.trigger.batch_size, 10000)
  bisect_batch_on_function_error     = var.trigger.bisect
  function_response_types            = local.response_types
  maximum_batching_window_in_seconds = coalesce(var.trigger.batching_window, 30)
  maximum_retry_attempts             = var.trigger.retries
  # A shard has one order, which checkpoints and windows rest on.
  parallelization_factor     = 1
  starting_position          = "TRIM_HORIZON"
  tumbling_window_in_seconds = var.trigger.tumbling

  # S3 alone gets a batch with its records.
  destination_config {
    on_failure {
      destination_arn = var.failures.bucket_arn
    }
  }

  depends_on = [aws_iam_role_policy.main]
}

resource "aws_lambda_event_source_mapping" "queue" {
  count = var.trigger.kind == "queue" ? 1 : 0

  function_name                      = aws_lambda_alias.live.arn
  event_source_arn                   = aws_sqs_queue.main[0].arn
  batch_size                         = coalesce(var.trigger.batch_size, 10)
  function_response_types            = local.response_types
  maximum_batching_window_in_seconds = local.batching_window

  # The least there is: two at once are safe, and do work twice.
  scaling_config {
    maximum_concurrency = 2
  }

  depends_on = [aws_iam_role_policy.main]
}

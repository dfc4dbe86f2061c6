locals {
  statements = merge(
    var.permissions,
    local.kafka_statements,
    {
      logs     = { actions = ["logs:CreateLogStream", "logs:PutLogEvents"], resources = ["${aws_cloudwatch_log_group.main.arn}:*"] }
      keys     = { actions = ["kms:Decrypt", "kms:GenerateDataKey"], resources = [var.kms_key_arn] }
      failures = { actions = ["s3:PutObject"], resources = [local.failed] }
      # Lambda looks whether the destination is there, by a request that may have no prefix.
      failures_bucket = { actions = ["s3:ListBucket"], resources = [var.failures.bucket_arn], condition = { test = "StringLikeIfExists", variable = "s3:prefix", values = ["aws/lambda/*", ""] } }
    },
    { for kind in ["kinesis"] : kind => {
      actions   = ["kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards", "kinesis:SubscribeToShard"]
      resources = distinct(compact([var.trigger.stream_arn, "${var.trigger.stream_arn}/consumer/*"]))
    } if var.trigger.kind == kind },
    { for kind in ["queue"] : kind => {
      actions   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
      resources = [aws_sqs_queue.main[0].arn]
    } if var.trigger.kind == kind },
  )
}

resource "aws_iam_role" "main" {
  name        = var.name
  description = var.description
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "main" {
  name = "function"
  role = aws_iam_role.main.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for sid, statement in local.statements : merge(
      { Sid = replace(title(replace(sid, "_", " ")), " ", ""), Effect = "Allow", Action = statement.actions, Resource = statement.resources },
      try(statement.condition, null) == null ? {} : { Condition = { (statement.condition.test) = { (statement.condition.variable) = statement.condition.values } } },
    )]
  })
}

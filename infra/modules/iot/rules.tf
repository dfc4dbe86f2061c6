# Topics -> functions, streams and tables. One action a rule, so that what failed can be published again for it alone.
resource "aws_iot_topic_rule" "main" {
  for_each = var.rules

  name        = each.value.name
  description = "Messages of devices, to ${coalesce(try(each.value.stream.name, null), try(each.value.delivery.name, null), try(each.value.timestream.table, null), "a function")}."
  enabled     = true
  sql         = each.value.sql
  sql_version = "2016-03-23"

  dynamic "lambda" {
    for_each = each.value.function_arn == null ? [] : [each.value.function_arn]

    content {
      function_arn = lambda.value
    }
  }

  # By topic, so that a device's messages keep their order.
  dynamic "kinesis" {
    for_each = each.value.stream == null ? [] : [each.value.stream]

    content {
      partition_key = "$${topic()}"
      role_arn      = aws_iam_role.rule[each.key].arn
      stream_name   = kinesis.value.name
    }
  }

  dynamic "firehose" {
    for_each = each.value.delivery == null ? [] : [each.value.delivery]

    content {
      batch_mode           = true
      delivery_stream_name = firehose.value.name
      role_arn             = aws_iam_role.rule[each.key].arn
    }
  }

  dynamic "timestream" {
    for_each = each.value.timestream == null ? [] : [each.value.timestream]

    content {
      database_name = timestream.value.database
      role_arn      = aws_iam_role.rule[each.key].arn
      table_name    = timestream.value.table

      dynamic "dimension" {
        for_each = timestream.value.dimensions

        content {
          name  = dimension.key
          value = dimension.value
        }
      }
    }
  }

  # Not the function that did not take it: it would not take it again.
  error_action {
    s3 {
      bucket_name = var.bucket.name
      key         = "${local.errors[each.key]}$${timestamp()}-$${newuuid()}.json"
      role_arn    = aws_iam_role.rule[each.key].arn
    }
  }

  depends_on = [aws_iam_role_policy.rule]
}

locals {
  account_id = split(":", var.iot_arn)[4]
  errors     = { for key, rule in var.rules : key => "errors/iot/${rule.name}/" }

  # What a rule's own action may do.
  actions = { for key, rule in var.rules : key => concat(
    rule.stream == null ? [] : [{ Effect = "Allow", Action = ["kinesis:PutRecord"], Resource = [rule.stream.arn] }],
    rule.delivery == null ? [] : [{ Effect = "Allow", Action = ["firehose:PutRecord", "firehose:PutRecordBatch"], Resource = [rule.delivery.arn] }],
    rule.timestream == null ? [] : [{ Effect = "Allow", Action = ["timestream:WriteRecords"], Resource = [rule.timestream.arn] }],
    # It has no finer grain: it tells where Timestream is.
    rule.timestream == null ? [] : [{ Effect = "Allow", Action = ["timestream:DescribeEndpoints"], Resource = ["*"] }],
  ) }
}

resource "aws_iam_role" "rule" {
  for_each = var.rules

  name = "${var.name}-iot-${each.key}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "iot.amazonaws.com" }
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account_id }
        ArnLike      = { "aws:SourceArn" = "${var.iot_arn}:rule/${each.value.name}" }
      }
    }]
  })

  lifecycle {
    precondition {
      condition     = can(regex("^[a-zA-Z0-9_-]{1,64}$", "${var.name}-iot-${each.key}"))
      error_message = "${var.name}-iot-${each.key} cannot be a role's name: at most 64 letters, digits, hyphens and underscores. Shorten the rule's or the dataset's name, or the environment's (name)."
    }
  }
}

resource "aws_iam_role_policy" "rule" {
  for_each = var.rules

  name = "act"
  role = aws_iam_role.rule[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.actions[each.key], [
      { Effect = "Allow", Action = ["s3:PutObject"], Resource = ["${var.bucket.arn}/${local.errors[each.key]}*"] },
      { Effect = "Allow", Action = ["kms:GenerateDataKey"], Resource = [var.kms_key_arn] },
    ])
  })
}

resource "aws_kinesis_firehose_delivery_stream" "main" {
  name        = var.name
  destination = "extended_s3"

  server_side_encryption {
    enabled  = true
    key_type = "CUSTOMER_MANAGED_CMK"
    key_arn  = var.kms_key_arn
  }

  extended_s3_configuration {
    bucket_arn          = var.bucket.arn
    role_arn            = aws_iam_role.main.arn
    buffering_interval  = var.buffer.seconds
    buffering_size      = var.buffer.megabytes
    compression_format  = "UNCOMPRESSED" # Parquet compresses within.
    error_output_prefix = "errors/${var.name}/!{firehose:error-output-type}/year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/"
    kms_key_arn         = var.kms_key_arn
    prefix              = "${var.prefix}${join("", [for key in var.partitions : "${key}=!{partitionKeyFromLambda:${key}}/"])}"
    s3_backup_mode      = var.backup ? "Enabled" : "Disabled"

    cloudwatch_logging_options {
      enabled         = true
      log_group_name  = aws_cloudwatch_log_group.main.name
      log_stream_name = aws_cloudwatch_log_stream.main.name
    }

    data_format_conversion_configuration {
      input_format_configuration {
        deserializer {
          open_x_json_ser_de {}
        }
      }

      output_format_configuration {
        serializer {
          parquet_ser_de {
            compression = "SNAPPY"
          }
        }
      }

      schema_configuration {
        database_name = var.schema.database
        region        = var.schema.region
        role_arn      = aws_iam_role.main.arn
        table_name    = var.schema.table
      }
    }

    # Below the errors, which expire: it is not masked.
    dynamic "s3_backup_configuration" {
      for_each = var.backup ? [1] : []

      content {
        bucket_arn         = var.bucket.arn
        role_arn           = aws_iam_role.main.arn
        buffering_interval = var.buffer.seconds
        buffering_size     = var.buffer.megabytes
        compression_format = "GZIP"
        kms_key_arn        = var.kms_key_arn
        prefix             = "errors/${var.name}/backup/"
      }
    }

    dynamic "dynamic_partitioning_configuration" {
      for_each = length(var.partitions) > 0 ? [1] : []

      content {
        enabled        = true
        retry_duration = 300
      }
    }

    processing_configuration {
      enabled = true

      # Called with the stream's role. Naming it, as any default, is a change in every plan: the provider reads no defaults.
      processors {
        type = "Lambda"

        parameters {
          parameter_name  = "LambdaArn"
          parameter_value = var.function_arn
        }
        # An answer has at most 6 MB, and records grow.
        parameters {
          parameter_name  = "BufferSizeInMBs"
          parameter_value = "0.9"
        }
        parameters {
          parameter_name  = "BufferIntervalInSeconds"
          parameter_value = "61"
        }
      }
    }
  }

  depends_on = [aws_iam_role_policy.main]
}

resource "aws_cloudwatch_log_group" "main" {
  name              = "/aws/kinesisfirehose/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_cloudwatch_log_stream" "main" {
  name           = "delivery"
  log_group_name = aws_cloudwatch_log_group.main.name
}

resource "aws_iam_role" "main" {
  name = "${var.name}-fh"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "firehose.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "main" {
  name = "deliver"
  role = aws_iam_role.main.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"], Resource = ["${var.bucket.arn}/${var.prefix}*", "${var.bucket.arn}/errors/${var.name}/*"] },
      { Effect = "Allow", Action = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"], Resource = [var.bucket.arn] },
      { Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = [var.kms_key_arn] },
      { Effect = "Allow", Action = ["lambda:GetFunctionConfiguration", "lambda:InvokeFunction"], Resource = [var.function_arn] },
      { Effect = "Allow", Action = ["glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"], Resource = var.schema.arns },
      { Effect = "Allow", Action = ["logs:PutLogEvents"], Resource = ["${aws_cloudwatch_log_group.main.arn}:*"] },
    ]
  })
}

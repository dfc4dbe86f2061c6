locals {
  postgres = strcontains(var.source_database.engine, "postgres")
}

resource "aws_dms_endpoint" "source" {
  endpoint_id   = "${var.name}-source"
  endpoint_type = "source"
  engine_name   = var.source_database.engine
  # Of MySQL the provider sends and reads none beside a secret, so that each plan would set it anew.
  database_name                   = local.postgres ? var.source_database.database : null
  kms_key_arn                     = var.kms_key_arn
  secrets_manager_access_role_arn = aws_iam_role.main.arn
  secrets_manager_arn             = var.source_database.secret_arn
  # MySQL is encrypted only with its authority's certificate.
  certificate_arn = var.source_database.certificate_arn
  ssl_mode        = local.postgres ? "require" : var.source_database.certificate_arn == null ? "none" : "verify-ca"

  dynamic "postgres_settings" {
    for_each = local.postgres ? [1] : []

    content {
      # Keeps the slot moving while the tables that are read stand still, or the log fills the database's disk.
      heartbeat_enable = true
      plugin_name      = var.source_database.plugin_name
      slot_name        = var.source_database.slot_name
    }
  }

  depends_on = [aws_iam_role_policy.main]
}

# What dms-merge relies on: an operation in each change, the commit time, file names in UTC and in the order of writing.
resource "aws_dms_s3_endpoint" "lake" {
  endpoint_id                                 = "${var.name}-lake"
  endpoint_type                               = "target"
  add_column_name                             = local.parquet ? null : local.first.header
  bucket_folder                               = var.folder
  bucket_name                                 = var.bucket.name
  cdc_inserts_and_updates                     = false
  cdc_inserts_only                            = false
  cdc_max_batch_interval                      = 60
  cdc_min_file_size                           = 32000
  compression_type                            = local.parquet ? "GZIP" : "NONE"
  csv_null_value                              = local.parquet ? null : local.first.csv_null
  data_format                                 = local.first.format
  date_partition_delimiter                    = "SLASH"
  date_partition_enabled                      = true
  date_partition_sequence                     = "YYYYMMDD"
  encryption_mode                             = "SSE_KMS"
  kms_key_arn                                 = var.kms_key_arn
  include_op_for_full_load                    = true
  parquet_timestamp_in_millisecond            = false
  parquet_version                             = local.parquet ? "parquet-1-0" : null
  preserve_transactions                       = false
  server_side_encryption_kms_key_id           = var.kms_key_arn
  service_access_role_arn                     = aws_iam_role.main.arn
  timestamp_column_name                       = local.first.timestamp_column
  use_task_start_time_for_full_load_timestamp = true

  depends_on = [aws_iam_role_policy.main]
}

resource "aws_iam_role" "main" {
  name = "${var.name}-dms"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = ["dms.amazonaws.com", "dms.${split(":", var.kms_key_arn)[3]}.amazonaws.com"] }
    }]
  })
}

resource "aws_iam_role_policy" "main" {
  name = "replicate"
  role = aws_iam_role.main.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      # DMS tests an endpoint by a file that it writes, reads and deletes.
      { Effect = "Allow", Action = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], Resource = ["${var.bucket.arn}/${var.folder}/*"] },
      { Effect = "Allow", Action = ["s3:GetBucketLocation", "s3:ListBucket"], Resource = [var.bucket.arn] },
      { Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = compact([var.kms_key_arn, var.source_database.secret_kms_key_arn]) },
      { Effect = "Allow", Action = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"], Resource = [var.source_database.secret_arn] },
    ]
  })
}

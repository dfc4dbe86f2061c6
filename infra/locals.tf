locals {
  account_id = coalesce(var.account_id, try(data.aws_caller_identity.this[0].account_id, null))
  partition  = data.aws_partition.this.partition
  arn        = { for service in ["appflow", "dynamodb", "firehose", "glue", "iot", "kinesis", "lambda", "logs", "scheduler", "sns", "sqs", "timestream"] : service => "arn:${local.partition}:${service}:${var.region}:${local.account_id}" }

  bucket     = coalesce(var.lake.bucket, "${var.name}-lake-${local.account_id}")
  bucket_arn = "arn:${local.partition}:s3:::${local.bucket}"

  # Where infra/package, and cargo-lambda's zips, have the dataset files: by their path from the repository's root.
  packaged_datasets = "/var/task/infra/datasets"

  packages_dir = startswith(var.packages_dir, "/") ? var.packages_dir : "${path.module}/${var.packages_dir}"
}

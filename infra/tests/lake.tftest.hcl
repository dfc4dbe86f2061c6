# Datasets -> the tables that Athena reads.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  bucket      = "lake"
  bucket_arn  = "arn:aws:s3:::lake"
  expire_days = { errors = 90, quarantine = 365 }
  glue_arn    = "arn:aws:glue:ap-northeast-2:123456789012"
  kms_key_arn = "arn:aws:kms:ap-northeast-2:123456789012:key/11111111-2222-3333-4444-555555555555"
  name        = "head-gate"
}

run "tables" {
  command = plan

  module {
    source = "./modules/lake"
  }

  variables {
    datasets = {
      clicks            = jsondecode(file("./tests/fixtures/datasets/clicks.json"))
      clicks_by_country = jsondecode(file("./tests/fixtures/datasets/clicks_by_country.json"))
      customers         = jsondecode(file("./tests/fixtures/datasets/customers.json"))
      invoices          = jsondecode(file("./tests/fixtures/datasets/invoices.json"))
    }
  }

  assert {
    condition = [for column in aws_glue_catalog_table.declared["clicks"].storage_descriptor[0].columns : "${column.name} ${column.type}"] == [
      "id bigint", "ts timestamp", "at bigint", "price decimal(10,2)", "big decimal(20,0)",
      "nested array<struct<time:bigint,json:array<decimal(20,0)>,at:timestamp,b:string>>", "_extra string",
    ]
    error_message = "Types as Hive writes them, without partition columns: ${jsonencode(output.columns.clicks)}"
  }
  assert {
    condition     = [for key in aws_glue_catalog_table.declared["clicks"].partition_keys : "${key.name} ${key.type}"] == ["year int", "month int", "day int", "country string", "shop int"]
    error_message = "Partitions are time, then columns."
  }
  assert {
    condition = { for key, value in aws_glue_catalog_table.declared["clicks"].parameters : key => value if startswith(key, "projection.") || startswith(key, "storage.") } == {
      "projection.enabled"        = "true"
      "projection.year.type"      = "integer"
      "projection.year.range"     = "2025,2030"
      "projection.year.digits"    = "4"
      "projection.month.type"     = "integer"
      "projection.month.range"    = "1,12"
      "projection.month.digits"   = "2"
      "projection.day.type"       = "integer"
      "projection.day.range"      = "1,31"
      "projection.day.digits"     = "2"
      "projection.country.type"   = "enum"
      "projection.country.values" = "DE,KR"
      "projection.shop.type"      = "injected"
      "storage.location.template" = "s3://lake/raw/clicks/year=$${year}/month=$${month}/day=$${day}/country=$${country}/shop=$${shop}/"
    }
    error_message = "Athena finds partitions where the functions write them."
  }
  assert {
    condition = [for column in aws_glue_catalog_table.declared["clicks_by_country"].storage_descriptor[0].columns : "${column.name} ${column.type}"] == [
      "window_start timestamp", "window_end timestamp", "shard string", "country string", "clicks bigint",
      "revenue decimal(38,2)", "shops bigint", "shops_sketch binary", "last_at timestamp",
    ]
    error_message = "A table of windows has what kinesis-window writes: ${jsonencode(output.columns.clicks_by_country)}"
  }
  assert {
    condition     = length(aws_glue_catalog_table.declared["clicks_by_country"].partition_keys) == 4
    error_message = "Without partition_by a stream's table is partitioned by the hour."
  }
  assert {
    condition     = endswith(aws_glue_catalog_table.declared["customers"].storage_descriptor[0].location, "curated/shop/customers/_current/") && endswith(aws_glue_catalog_table.declared["customers"].storage_descriptor[0].input_format, "SymlinkTextInputFormat")
    error_message = "Versions are read through their manifest."
  }
  assert {
    condition     = keys(aws_glue_catalog_table.crawled) == ["invoices"] && aws_glue_crawler.main[0].catalog_target[0].tables == tolist(["invoices"])
    error_message = "Columns that nobody declares are read from the files."
  }
  assert {
    condition     = alltrue([aws_s3_bucket_public_access_block.main.block_public_acls, aws_s3_bucket_public_access_block.main.block_public_policy, aws_s3_bucket_public_access_block.main.ignore_public_acls, aws_s3_bucket_public_access_block.main.restrict_public_buckets, !aws_s3_bucket.main.force_destroy, aws_s3_bucket_notification.main.eventbridge])
    error_message = "The bucket is closed to the public, kept at destroy, and tells of its objects."
  }
  assert {
    condition     = jsondecode(aws_s3_bucket_policy.main.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
    error_message = "The bucket wants TLS."
  }
  assert {
    condition     = { for rule in aws_s3_bucket_lifecycle_configuration.main.rule : rule.id => try(rule.expiration[0].days, rule.abort_incomplete_multipart_upload[0].days_after_initiation) } == { unfinished-uploads = 3, expire-athena-results = 14, expire-aws-lambda = 90, expire-errors = 90, expire-quarantine = 365 }
    error_message = "What expires."
  }
}

run "a_table_that_nothing_fills" {
  command = plan

  module {
    source = "./modules/lake"
  }

  variables {
    crawler  = { datasets = ["customers"] }
    datasets = { invoices = jsondecode(file("./tests/fixtures/datasets/invoices.json")) }
  }

  assert {
    condition     = keys(aws_glue_catalog_table.crawled) == ["invoices"] && length(aws_glue_crawler.main) + length(aws_iam_role.crawler) + length(aws_iam_role_policy.crawler) == 0
    error_message = "Nobody looks for its columns."
  }
}

run "versions_without_columns" {
  command = plan

  module {
    source = "./modules/lake"
  }

  variables {
    datasets = { t = { kind = "cdc", target = { snapshot = "curated/t/snapshot.parquet", publish = "versioned" } } }
  }

  expect_failures = [aws_glue_catalog_table.crawled["t"]]
}

run "wrong_variables" {
  command = plan

  module {
    source = "./modules/lake"
  }

  variables {
    kms_key_arn     = "key"
    bucket          = "Lake"
    bucket_arn      = "lake"
    crawler         = { schedule = "daily" }
    datasets        = { t = { kind = "cdc" } }
    expire_days     = { cdc = 0, errors = 1, quarantine = 1 }
    glue_arn        = "glue"
    infrequent_days = 5
    name            = "Head"
    partition_years = [2030, 2025]
  }

  expect_failures = [var.bucket, var.bucket_arn, var.crawler, var.datasets, var.expire_days, var.glue_arn, var.infrequent_days, var.kms_key_arn, var.name, var.partition_years]
}

run "writers" {
  command = plan

  module {
    source = "./modules/lake"
  }

  variables {
    datasets    = {}
    expire_days = { cdc = 30, errors = 90, quarantine = 365, raw = 60 }
    writers     = { appflow = { account = "123456789012", folders = ["raw/saas"], service = "appflow.amazonaws.com" } }
  }

  assert {
    condition     = [for statement in output.policy.Statement : "${statement.Sid} ${statement.Effect}"] == ["TlsOnly Deny", "WriteAppflow Allow", "LookAppflow Allow"] && output.policy.Statement[1].Resource == ["arn:aws:s3:::lake/raw/saas/*"]
    error_message = "A service writes its folder, and TLS is still asked for."
  }
  assert {
    condition     = { for rule in aws_s3_bucket_lifecycle_configuration.main.rule : one(rule.filter).prefix => rule.expiration[0].days if contains(["expire-cdc", "expire-raw"], rule.id) } == { "cdc/" = 30, "raw/" = 60 }
    error_message = "Change files and raw ones expire where somebody says so."
  }
}

run "wrong_writers" {
  command = plan

  module {
    source = "./modules/lake"
  }

  variables {
    datasets = {}
    writers  = { all = { account = "1", folders = ["*"], service = "*" } }
  }

  expect_failures = [var.writers]
}

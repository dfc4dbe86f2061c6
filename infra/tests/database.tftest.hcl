# A database's task: what dms-merge relies on.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  alarms          = { latency_seconds = 300, topic_arn = "arn:aws:sns:ap-northeast-2:123456789012:alarms" }
  bucket          = { arn = "arn:aws:s3:::lake", name = "lake" }
  compute         = { instance_class = "dms.t3.medium", multi_az = false }
  folder          = "cdc"
  kms_key_arn     = "arn:aws:kms:ap-northeast-2:123456789012:key/11111111-2222-3333-4444-555555555555"
  name            = "headgate-shop"
  network         = { security_group_ids = ["sg-1"], subnet_ids = ["subnet-1", "subnet-2"] }
  source_database = { database = "shop", engine = "postgres", secret_arn = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:shop-AbCdEf" }
  start           = true
  tables = {
    customers = { format = "parquet", op_column = "Op", schema = "shop", table = "customers", timestamp_column = "dms_ts", order_column = "seq", before_image_prefix = "BI_" }
    orders    = { format = "parquet", op_column = "Op", schema = "shop", table = "orders", timestamp_column = "dms_ts" }
  }
}

run "instance" {
  command = plan

  module {
    source = "./modules/database"
  }

  assert {
    condition = [for rule in jsondecode(output.mappings).rules : "${rule["rule-action"]} ${rule["object-locator"]["table-name"]}"] == [
      "explicit customers", "explicit orders", "add-column customers", "add-before-image-columns customers",
    ]
    error_message = "Each dataset's table is read, with the columns that its file asks for."
  }
  assert {
    condition     = one([for rule in jsondecode(output.mappings).rules : "${rule.value} ${rule.expression}" if rule["rule-action"] == "add-column"]) == "seq $AR_H_CHANGE_SEQ" && one([for rule in jsondecode(output.mappings).rules : rule["before-image-def"]["column-prefix"] if rule["rule-action"] == "add-before-image-columns"]) == "BI_"
    error_message = "The added columns are called as in the dataset file."
  }
  assert {
    condition     = jsondecode(aws_dms_replication_task.main[0].replication_task_settings).FullLoadSettings.TargetTablePrepMode == "DO_NOTHING" && !anytrue([for key in ["HandleSourceTableDropped", "HandleSourceTableTruncated"] : jsondecode(aws_dms_replication_task.main[0].replication_task_settings).ChangeProcessingDdlHandlingPolicy[key]])
    error_message = "Neither a start nor a truncate or drop deletes files of the lake."
  }
  assert {
    condition     = aws_dms_s3_endpoint.lake.include_op_for_full_load && aws_dms_s3_endpoint.lake.use_task_start_time_for_full_load_timestamp && aws_dms_s3_endpoint.lake.timestamp_column_name == "dms_ts" && aws_dms_s3_endpoint.lake.data_format == "parquet" && !aws_dms_s3_endpoint.lake.preserve_transactions
    error_message = "Files are what the merge reads."
  }
  assert {
    condition     = aws_dms_endpoint.source.database_name == "shop" && one(aws_dms_endpoint.source.postgres_settings).plugin_name == null && aws_dms_replication_instance.main[0].auto_minor_version_upgrade
    error_message = "PostgreSQL's database is named, the plugin is DMS's choice, and the instance is upgraded."
  }
  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.main) == ["incoming", "source-latency", "target-latency"] && aws_cloudwatch_metric_alarm.main["source-latency"].treat_missing_data == "breaching"
    error_message = "A task that runs has alarms, and one that stands still tells."
  }
}

run "serverless_mysql" {
  command = plan

  module {
    source = "./modules/database"
  }

  variables {
    compute         = { instance_class = "unused", multi_az = false, serverless_units = 2 }
    source_database = { engine = "mysql", secret_arn = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:shop-AbCdEf", certificate_arn = "arn:aws:dms:ap-northeast-2:123456789012:cert:C" }
  }

  assert {
    condition     = length(aws_dms_replication_instance.main) == 0 && aws_dms_replication_config.main[0].compute_config[0].max_capacity_units == 2 && aws_dms_endpoint.source.ssl_mode == "verify-ca"
    error_message = "Serverless has no instance, and MySQL with a certificate is verified."
  }
  assert {
    condition     = aws_dms_endpoint.source.database_name == null && length(aws_dms_endpoint.source.postgres_settings) == 0
    error_message = "Of MySQL no database is named, which the provider would plan again and again."
  }
}

run "wrong_variables" {
  command = plan

  module {
    source = "./modules/database"
  }

  variables {
    bucket          = { arn = "lake", name = "lake" }
    kms_key_arn     = "key"
    alarms          = { latency_seconds = 0, topic_arn = "t" }
    compute         = { instance_class = "x", multi_az = false, serverless_units = 3 }
    folder          = "/cdc/"
    name            = "Shop"
    network         = { security_group_ids = [], subnet_ids = ["subnet-1"] }
    source_database = { database = "shop", engine = "access", secret_arn = "secret" }
    tables = {
      a = { format = "parquet", op_column = "Operation", schema = "s", table = "a" }
      b = { format = "csv", op_column = "Op", schema = "s", table = "b" }
    }
  }

  expect_failures = [var.alarms, var.bucket, var.compute, var.folder, var.kms_key_arn, var.name, var.network, var.source_database, var.tables]
}

# The suffix that only the whole ARN has: without it the role may read no secret.
run "half_an_arn" {
  command = plan

  module {
    source = "./modules/database"
  }

  variables {
    source_database = { database = "shop", engine = "postgres", secret_arn = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:shop" }
  }

  expect_failures = [var.source_database]
}

run "which_database" {
  command = plan

  module {
    source = "./modules/database"
  }

  variables {
    source_database = { engine = "postgres", secret_arn = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:shop-AbCdEf" }
  }

  expect_failures = [var.source_database]
}

run "no_such_plugin" {
  command = plan

  module {
    source = "./modules/database"
  }

  variables {
    source_database = { database = "shop", engine = "postgres", plugin_name = "wal2json", secret_arn = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:shop-AbCdEf" }
  }

  expect_failures = [var.source_database]
}

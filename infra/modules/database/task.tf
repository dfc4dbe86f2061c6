# Dataset files -> what the task reads, and which columns it adds.
locals {
  first = values(var.tables)[0]
  names = sort(keys(var.tables))

  selections = [for index, name in local.names : {
    rule-type      = "selection"
    rule-id        = tostring(1000 + index)
    rule-name      = name
    object-locator = { schema-name = var.tables[name].schema, table-name = var.tables[name].table }
    rule-action    = "explicit"
  }]
  # The order of changes within the task. Empty in the full load.
  orders = [for index, name in local.names : {
    rule-type      = "transformation"
    rule-id        = tostring(2000 + index)
    rule-name      = "order-${name}"
    rule-target    = "column"
    object-locator = { schema-name = var.tables[name].schema, table-name = var.tables[name].table }
    rule-action    = "add-column"
    value          = var.tables[name].order_column
    expression     = "$AR_H_CHANGE_SEQ"
    data-type      = { type = "string", length = 50 }
  } if var.tables[name].order_column != null]
  # The key as it was: without it the row under a key that changes stays.
  images = [for index, name in local.names : {
    rule-type        = "transformation"
    rule-id          = tostring(3000 + index)
    rule-name        = "before-${name}"
    rule-target      = "column"
    object-locator   = { schema-name = var.tables[name].schema, table-name = var.tables[name].table }
    rule-action      = "add-before-image-columns"
    before-image-def = { column-prefix = var.tables[name].before_image_prefix, column-suffix = "", column-filter = "pk-only" }
  } if var.tables[name].before_image_prefix != null]

  mappings = jsonencode({ rules = concat(local.selections, local.orders, local.images) })

  settings = jsonencode({
    # Nothing of the lake is deleted: not at a start, not by a truncate or drop in the database.
    FullLoadSettings                  = { TargetTablePrepMode = "DO_NOTHING", MaxFullLoadSubTasks = 8 }
    ChangeProcessingDdlHandlingPolicy = { HandleSourceTableDropped = false, HandleSourceTableTruncated = false, HandleSourceTableAltered = true }
    ChangeProcessingTuning            = { CommitTimeout = 1, MemoryLimitTotal = 1024, MemoryKeepTime = 60, MinTransactionSize = 1000, StatementCacheSize = 50 }
    ControlTablesSettings             = { ControlSchema = "", HistoryTableEnabled = false, StatusTableEnabled = false, SuspendedTablesTableEnabled = false }
    ErrorBehavior                     = { DataErrorPolicy = "SUSPEND_TABLE", TableErrorPolicy = "SUSPEND_TABLE", RecoverableErrorCount = -1, FailOnNoTablesCaptured = true, FailOnTransactionConsistencyBreached = false }
    Logging                           = { EnableLogging = true }
    TargetMetadata                    = { BatchApplyEnabled = false, SupportLobs = true, FullLobMode = false, LimitedSizeLobMode = true, LobMaxSize = 102400 }
  })

  parquet    = local.first.format == "parquet"
  serverless = var.compute.serverless_units != null
}

resource "aws_dms_replication_subnet_group" "main" {
  replication_subnet_group_id          = var.name
  replication_subnet_group_description = "Where ${var.name} is replicated."
  subnet_ids                           = var.network.subnet_ids
}

resource "aws_dms_replication_instance" "main" {
  count = local.serverless ? 0 : 1

  replication_instance_id    = var.name
  replication_instance_class = var.compute.instance_class
  allocated_storage          = 50
  # No version: upgrades of AWS would differ from it, and the next plan go back.
  auto_minor_version_upgrade  = true
  kms_key_arn                 = var.kms_key_arn
  multi_az                    = var.compute.multi_az
  publicly_accessible         = false
  replication_subnet_group_id = aws_dms_replication_subnet_group.main.id
  vpc_security_group_ids      = var.network.security_group_ids
}

resource "aws_dms_replication_task" "main" {
  count = local.serverless ? 0 : 1

  replication_task_id       = var.name
  migration_type            = "full-load-and-cdc"
  replication_instance_arn  = aws_dms_replication_instance.main[0].replication_instance_arn
  replication_task_settings = local.settings
  source_endpoint_arn       = aws_dms_endpoint.source.endpoint_arn
  start_replication_task    = var.start
  table_mappings            = local.mappings
  target_endpoint_arn       = aws_dms_s3_endpoint.lake.endpoint_arn

  lifecycle {
    # DMS fills in all other settings.
    ignore_changes = [replication_task_settings]
  }
}

resource "aws_dms_replication_config" "main" {
  count = local.serverless ? 1 : 0

  replication_config_identifier = var.name
  replication_settings          = local.settings
  replication_type              = "full-load-and-cdc"
  source_endpoint_arn           = aws_dms_endpoint.source.endpoint_arn
  start_replication             = var.start
  table_mappings                = local.mappings
  target_endpoint_arn           = aws_dms_s3_endpoint.lake.endpoint_arn

  compute_config {
    kms_key_id                  = var.kms_key_arn
    max_capacity_units          = var.compute.serverless_units
    multi_az                    = var.compute.multi_az
    replication_subnet_group_id = aws_dms_replication_subnet_group.main.id
    vpc_security_group_ids      = var.network.security_group_ids
  }

  lifecycle {
    ignore_changes = [replication_settings]
  }
}

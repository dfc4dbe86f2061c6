locals {
  parquet = {
    input  = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
    output = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
  }
  # Reads the files that the manifest in the folder names, so that a query keeps the version it began with.
  symlink = {
    input  = "org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat"
    output = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
  }
  serde = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
}

resource "aws_glue_catalog_database" "main" {
  name        = replace(var.name, "-", "_")
  description = "The tables of the lake, one a dataset."
}

resource "aws_glue_catalog_table" "declared" {
  for_each = { for name, table in local.tables : name => table if !contains(keys(local.crawled), name) }

  name          = each.value.table
  database_name = aws_glue_catalog_database.main.name
  description   = each.value.description
  table_type    = "EXTERNAL_TABLE"
  parameters    = merge({ classification = "parquet", EXTERNAL = "TRUE" }, local.projections[each.key])

  dynamic "partition_keys" {
    for_each = each.value.times

    content {
      name = partition_keys.value
      type = "int"
    }
  }

  dynamic "partition_keys" {
    for_each = each.value.values

    content {
      name = lower(partition_keys.value)
      type = local.types[each.key][partition_keys.value]
    }
  }

  storage_descriptor {
    location      = "s3://${var.bucket}/${each.value.folder}${each.value.versioned ? "_current/" : ""}"
    input_format  = (each.value.versioned ? local.symlink : local.parquet).input
    output_format = (each.value.versioned ? local.symlink : local.parquet).output

    ser_de_info {
      serialization_library = local.serde
      parameters            = { "serialization.format" = "1" }
    }

    dynamic "columns" {
      for_each = each.value.columns

      content {
        name = lower(columns.value.name)
        type = columns.value.type
      }
    }
  }
}

# A table whose dataset declares no columns. The crawler fills them in, and they are left as it has them.
resource "aws_glue_catalog_table" "crawled" {
  for_each = local.crawled

  name          = each.value.table
  database_name = aws_glue_catalog_database.main.name
  description   = each.value.description
  table_type    = "EXTERNAL_TABLE"
  parameters    = { classification = "parquet", EXTERNAL = "TRUE" }

  storage_descriptor {
    location      = "s3://${var.bucket}/${each.value.folder}"
    input_format  = local.parquet.input
    output_format = local.parquet.output

    ser_de_info {
      serialization_library = local.serde
      parameters            = { "serialization.format" = "1" }
    }
  }

  lifecycle {
    ignore_changes = [owner, parameters, storage_descriptor]

    precondition {
      condition     = !each.value.versioned
      error_message = "${each.key}.json: a crawler cannot read a manifest of versions. Declare `columns`, or set target.publish to \"replace\"."
    }
  }
}

resource "aws_athena_workgroup" "main" {
  name          = var.name
  force_destroy = true

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true

    result_configuration {
      output_location = "s3://${var.bucket}/athena-results/"

      encryption_configuration {
        encryption_option = "SSE_KMS"
        kms_key_arn       = var.kms_key_arn
      }
    }
  }
}

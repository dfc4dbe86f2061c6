locals {
  # AppFlow's tasks: which fields come, under their own names, which rows, and which values are not to be seen.
  tasks = { for name, flow in var.flows : name => concat(
    flow.fields == null ? [{ type = "Map_all", fields = [], into = null, operator = "NO_OP", properties = {} }] : concat(
      [{ type = "Filter", fields = flow.fields, into = null, operator = "PROJECTION", properties = {} }],
      [for field in flow.fields : { type = "Map", fields = [field], into = field, operator = "NO_OP", properties = {} }],
    ),
    [for filter in flow.filters : { type = "Filter", fields = [filter.field], into = null, operator = filter.operator, properties = merge({ DATA_TYPE = filter.data_type }, filter.properties) }],
    [for field in flow.masks : { type = "Mask", fields = [field], into = null, operator = "MASK_ALL", properties = { MASK_VALUE = "*" } }],
  ) }
}

resource "aws_appflow_flow" "main" {
  for_each = var.flows

  name        = each.key
  description = "${each.value.object} of ${var.connector}, for the lake."
  kms_arn     = var.kms_key_arn

  source_flow_config {
    api_version            = each.value.api_version
    connector_profile_name = local.profile
    connector_type         = var.connector

    source_connector_properties {
      dynamic "custom_connector" {
        for_each = var.connector == "CustomConnector" ? [1] : []

        content {
          entity_name = each.value.object
        }
      }

      dynamic "salesforce" {
        for_each = var.connector == "Salesforce" ? [1] : []

        content {
          # Pinned: left to AppFlow it changes with the number of records, and dates and nulls with it.
          data_transfer_api           = each.value.transfer_api
          enable_dynamic_field_update = each.value.fields == null
          # Else what is deleted there stays here.
          include_deleted_records = true
          object                  = each.value.object
        }
      }

      dynamic "service_now" {
        for_each = var.connector == "Servicenow" ? [1] : []

        content {
          object = each.value.object
        }
      }

      dynamic "slack" {
        for_each = var.connector == "Slack" ? [1] : []

        content {
          object = each.value.object
        }
      }

      dynamic "zendesk" {
        for_each = var.connector == "Zendesk" ? [1] : []

        content {
          object = each.value.object
        }
      }
    }

    dynamic "incremental_pull_config" {
      for_each = each.value.incremental_field[*]

      content {
        datetime_type_field_name = incremental_pull_config.value
      }
    }
  }

  destination_flow_config {
    connector_type = "S3"

    destination_connector_properties {
      s3 {
        bucket_name   = var.bucket
        bucket_prefix = each.value.folder

        s3_output_format_config {
          file_type                   = upper(each.value.format)
          preserve_source_data_typing = each.value.format == "parquet" ? true : null

          aggregation_config {
            aggregation_type = "None"
            target_file_size = each.value.file_mb
          }

          # Without the run's id in the path nobody can tell whose a file is.
          prefix_config {
            prefix_format    = "DAY"
            prefix_hierarchy = ["EXECUTION_ID"]
            prefix_type      = "PATH"
          }
        }
      }
    }
  }

  dynamic "task" {
    for_each = local.tasks[each.key]

    content {
      destination_field = task.value.into
      source_fields     = task.value.fields
      task_properties   = task.value.properties
      task_type         = task.value.type

      connector_operator {
        custom_connector = var.connector == "CustomConnector" ? task.value.operator : null
        salesforce       = var.connector == "Salesforce" ? task.value.operator : null
        service_now      = var.connector == "Servicenow" ? task.value.operator : null
        slack            = var.connector == "Slack" ? task.value.operator : null
        zendesk          = var.connector == "Zendesk" ? task.value.operator : null
      }
    }
  }

  trigger_config {
    trigger_type = "Scheduled"

    trigger_properties {
      scheduled {
        data_pull_mode      = each.value.incremental_field == null ? "Complete" : "Incremental"
        schedule_expression = each.value.schedule
        # What is committed late is still pulled.
        schedule_offset = each.value.incremental_field == null ? null : each.value.offset_seconds
      }
    }
  }
}

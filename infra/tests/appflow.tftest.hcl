# A connection to a SaaS product, and its flows.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  bucket      = "lake"
  connector   = "Salesforce"
  kms_key_arn = "arn:aws:kms:ap-northeast-2:123456789012:key/11111111-2222-3333-4444-555555555555"
  name        = "headgate-crm"
  flows       = { crm-deals = { folder = "raw/saas", format = "parquet", incremental_field = "SystemModstamp", object = "Opportunity", schedule = "rate(1hours)" } }
  salesforce  = { client_credentials_arn = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:app-AbCdEf", instance_url = "https://example.my.salesforce.com" }
  token       = "a refresh token"
}

run "salesforce" {
  command = plan

  module {
    source = "./modules/appflow"
  }

  assert {
    condition     = aws_appflow_connector_profile.salesforce[0].connection_mode == "Public" && aws_appflow_connector_profile.salesforce[0].kms_arn == var.kms_key_arn
    error_message = "The login is under the key, and the connection is no private one."
  }
  assert {
    condition     = one([for source in aws_appflow_flow.main["crm-deals"].source_flow_config : one(one(source.source_connector_properties).salesforce).data_transfer_api]) == "BULKV2" && one([for source in aws_appflow_flow.main["crm-deals"].source_flow_config : one(one(source.source_connector_properties).salesforce).include_deleted_records])
    error_message = "The API is pinned, and deletions come."
  }
  assert {
    condition = jsonencode([for destination in aws_appflow_flow.main["crm-deals"].destination_flow_config : [for s3 in one(destination.destination_connector_properties).s3 : [
      s3.bucket_name, s3.bucket_prefix, one(s3.s3_output_format_config).file_type, one(s3.s3_output_format_config).preserve_source_data_typing,
      one(one(s3.s3_output_format_config).prefix_config).prefix_hierarchy, one(one(s3.s3_output_format_config).aggregation_config).target_file_size,
    ]]]) == jsonencode([[["lake", "raw/saas", "PARQUET", true, ["EXECUTION_ID"], 64]]])
    error_message = "Files are what appflow-process reads: typed Parquet, of a run that is told, and not too large."
  }
  assert {
    condition     = [for task in aws_appflow_flow.main["crm-deals"].task : "${task.task_type} ${one(task.connector_operator).salesforce}"] == ["Map_all NO_OP"]
    error_message = "All fields come where none are named."
  }
  assert {
    condition     = jsonencode([for trigger in aws_appflow_flow.main["crm-deals"].trigger_config : [for scheduled in one(trigger.trigger_properties).scheduled : [scheduled.data_pull_mode, scheduled.schedule_expression, scheduled.schedule_offset]]]) == jsonencode([[["Incremental", "rate(1hours)", 300]]])
    error_message = "What is new is pulled, and what is committed late too."
  }
}

run "fields_filter_and_mask" {
  command = plan

  module {
    source = "./modules/appflow"
  }

  variables {
    flows = { crm-deals = {
      fields   = ["Id", "Email"]
      filters  = [{ data_type = "string", field = "RecordTypeId", operator = "EQUAL_TO", properties = { VALUE = "012" } }]
      folder   = "raw/saas"
      format   = "json"
      masks    = ["Email"]
      object   = "Contact"
      schedule = "rate(1days)"
    } }
  }

  assert {
    condition = toset([for task in aws_appflow_flow.main["crm-deals"].task : "${task.task_type} ${join(",", task.source_fields)} ${one(task.connector_operator).salesforce}"]) == toset([
      "Filter Id,Email PROJECTION", "Map Id NO_OP", "Map Email NO_OP", "Filter RecordTypeId EQUAL_TO", "Mask Email MASK_ALL",
    ])
    error_message = "Named fields are mapped, rows filtered and values masked: ${jsonencode([for task in aws_appflow_flow.main["crm-deals"].task : "${task.task_type} ${join(",", task.source_fields)} ${one(task.connector_operator).salesforce}"])}"
  }
  assert {
    condition     = one([for trigger in aws_appflow_flow.main["crm-deals"].trigger_config : one(one(trigger.trigger_properties).scheduled).data_pull_mode]) == "Complete"
    error_message = "Without a field that tells what is new, everything comes each time."
  }
}

run "profiles_that_exist" {
  command = plan

  module {
    source = "./modules/appflow"
  }

  variables {
    connector  = "CustomConnector"
    flows      = { contacts = { api_version = "v3", folder = "raw/saas", format = "json", object = "contacts", schedule = "rate(30minutes)" } }
    profile    = "hubspot"
    salesforce = null
    token      = null
  }

  assert {
    condition     = length(aws_appflow_connector_profile.salesforce) == 0 && output.profile == "hubspot"
    error_message = "A profile that exists is used by its name."
  }
  assert {
    condition     = jsonencode([for source in aws_appflow_flow.main["contacts"].source_flow_config : [source.api_version, source.connector_type, one(one(source.source_connector_properties).custom_connector).entity_name]]) == jsonencode([["v3", "CustomConnector", "contacts"]])
    error_message = "HubSpot is a connector of the newer kind, of a pinned version."
  }
}

run "zendesk" {
  command = plan

  module {
    source = "./modules/appflow"
  }

  variables {
    connector  = "Zendesk"
    flows      = { tickets = { folder = "raw/saas", format = "json", incremental_field = "updated_at", object = "tickets", schedule = "rate(1hours)" } }
    profile    = "zendesk"
    salesforce = null
  }

  assert {
    condition     = one([for source in aws_appflow_flow.main["tickets"].source_flow_config : one(one(source.source_connector_properties).zendesk).object]) == "tickets" && [for task in aws_appflow_flow.main["tickets"].task : one(task.connector_operator).zendesk] == ["NO_OP"]
    error_message = "The connector's own properties and operators."
  }
}

run "servicenow" {
  command = plan

  module {
    source = "./modules/appflow"
  }

  variables {
    connector  = "Servicenow"
    flows      = { incidents = { folder = "raw/saas", format = "json", object = "incident", schedule = "rate(1hours)" } }
    profile    = "servicenow"
    salesforce = null
  }

  assert {
    condition     = one([for source in aws_appflow_flow.main["incidents"].source_flow_config : one(one(source.source_connector_properties).service_now).object]) == "incident" && [for task in aws_appflow_flow.main["incidents"].task : one(task.connector_operator).service_now] == ["NO_OP"]
    error_message = "The connector's own properties and operators."
  }
}

run "slack" {
  command = plan

  module {
    source = "./modules/appflow"
  }

  variables {
    connector  = "Slack"
    flows      = { messages = { folder = "raw/saas", format = "json", object = "conversations/C1", schedule = "rate(1hours)" } }
    profile    = "slack"
    salesforce = null
  }

  assert {
    condition     = one([for source in aws_appflow_flow.main["messages"].source_flow_config : one(one(source.source_connector_properties).slack).object]) == "conversations/C1" && [for task in aws_appflow_flow.main["messages"].task : one(task.connector_operator).slack] == ["NO_OP"]
    error_message = "The connector's own properties and operators."
  }
}

run "no_login" {
  command = plan

  module {
    source = "./modules/appflow"
  }

  variables {
    token = null
  }

  expect_failures = [aws_appflow_connector_profile.salesforce]
}

run "no_profile" {
  command = plan

  module {
    source = "./modules/appflow"
  }

  variables {
    connector = "Slack"
  }

  expect_failures = [var.profile]
}

run "no_version" {
  command = plan

  module {
    source = "./modules/appflow"
  }

  variables {
    connector = "CustomConnector"
    profile   = "hubspot"
  }

  expect_failures = [var.flows]
}

run "wrong_variables" {
  command = plan

  module {
    source = "./modules/appflow"
  }

  variables {
    kms_key_arn = "key"
    flows       = { "a flow" = { fields = [], file_mb = 0, folder = "/raw/", format = "xml", object = "o", offset_seconds = -1, schedule = "rate(1 hour)", transfer_api = "AUTOMATIC" } }
    name        = "a connection"
    salesforce  = { client_credentials_arn = "secret", grant = "CLIENT_CREDENTIALS", instance_url = "example.com" }
  }

  expect_failures = [var.flows, var.kms_key_arn, var.name, var.salesforce]
}

run "wrong_connector" {
  command = plan

  module {
    source = "./modules/appflow"
  }

  variables {
    connector = "Fax"
    profile   = "fax"
  }

  expect_failures = [var.connector]
}

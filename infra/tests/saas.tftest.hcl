# The root with SaaS: flows into the lake, and the function that makes tables of their runs.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  account_id = "123456789012"
  connections = { crm = {
    connector  = "Salesforce"
    salesforce = { client_credentials_arn = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:app-AbCdEf", instance_url = "https://example.my.salesforce.com" }
    flows      = { crm-deals = { dataset_fields = true, incremental_field = "SystemModstamp", object = "Opportunity", lag_hours = 3 } }
  } }
  datasets_dir = "tests/fixtures/saas"
  packages_dir = "tests/fixtures/packages"
  region       = "ap-northeast-2"
  secrets      = { mask_key = "0123456789abcdef", salesforce_tokens = { crm = "a refresh token" } }
  sources      = ["saas"]
  streams      = {}
}

run "flows" {
  command = plan

  assert {
    condition     = toset(keys(output.functions)) == toset(["appflow-process-deals", "appflow-process-tickets"])
    error_message = "Each dataset has its function, whoever made its flow: ${join(", ", keys(output.functions))}."
  }
  assert {
    condition     = keys(module.appflow["crm"].flows) == ["crm-deals"]
    error_message = "A connection has its flows."
  }
  assert {
    condition     = local.saas.deals.fields == ["Id", "SystemModstamp", "IsDeleted", "BillingCity", "Email"]
    error_message = "The dataset's fields are what its paths begin with, and no compound one: ${jsonencode(local.saas.deals.fields)}"
  }
  assert {
    condition     = output.tables.deals == "deals" && contains(module.lake.columns.deals[*].name, "_extra") && !contains(module.lake.columns.tickets[*].name, "_extra")
    error_message = "The table has what the snapshot has."
  }

  # What comes in.
  assert {
    condition     = jsondecode(module.function["appflow-process-deals"].facts.pattern) == { source = ["aws.appflow"], detail-type = ["AppFlow End Flow Run Report", "AppFlow Event Flow Deactivated", "AppFlow Scheduled Flow Deactivated"], detail = { flow-name = ["crm-deals"] } }
    error_message = "Reports of its flow go to the function itself."
  }
  assert {
    condition     = jsondecode(module.function["appflow-process-deals"].facts.schedule_input) == { datasets = ["deals"] }
    error_message = "Runs that nobody reported are asked for."
  }
  assert {
    condition     = alltrue([for function in module.function : length(function.facts.response_types) == 0])
    error_message = "appflow-process answers no batches."
  }

  # Least privilege.
  assert {
    condition     = !anytrue(flatten([for function in module.function : [for statement in jsondecode(function.facts.policy).Statement : [for action in statement.Action : strcontains(action, "*")]]])) && !anytrue(flatten([for function in module.function : [for statement in jsondecode(function.facts.policy).Statement : contains(statement.Resource, "*")]]))
    error_message = "No action has a `*`, and no statement is of all resources."
  }
  assert {
    condition = { for statement in jsondecode(module.function["appflow-process-tickets"].facts.policy).Statement : statement.Sid => statement.Resource if contains(["Files", "Notes", "Runs", "Table"], statement.Sid) } == {
      Files = ["arn:aws:s3:::headgate-lake-123456789012/raw/support/tickets/*"]
      Notes = ["arn:aws:s3:::headgate-lake-123456789012/_headgate/appflow/tickets/*", "arn:aws:s3:::headgate-lake-123456789012/cdc/support/tickets/*", "arn:aws:s3:::headgate-lake-123456789012/quarantine/tickets/*"]
      Runs  = ["arn:aws:appflow:ap-northeast-2:123456789012:flow/tickets"]
      Table = ["arn:aws:s3:::headgate-lake-123456789012/curated/saas/tickets/*"]
    }
    error_message = "A function sees its flow's runs, and its dataset's folders."
  }
  assert {
    condition     = toset(flatten([for statement in jsondecode(module.function["appflow-process-deals"].facts.policy).Statement : statement.Action if contains(statement.Action, "s3:DeleteObject")])) == toset([]) && anytrue([for statement in jsondecode(module.function["appflow-process-tickets"].facts.policy).Statement : contains(statement.Action, "s3:DeleteObject")])
    error_message = "Only old versions of a table are deleted."
  }
  assert {
    condition     = { for statement in module.lake.policy.Statement : statement.Sid => statement.Resource if statement.Effect == "Allow" } == { LookAppflow = ["arn:aws:s3:::headgate-lake-123456789012"], WriteAppflow = ["arn:aws:s3:::headgate-lake-123456789012/raw/saas/*", "arn:aws:s3:::headgate-lake-123456789012/raw/support/*"] }
    error_message = "AppFlow may write the flows' folders: ${jsonencode(module.lake.policy)}"
  }
  assert {
    condition     = alltrue([for statement in module.lake.policy.Statement : statement.Condition.StringEquals["aws:SourceAccount"] == "123456789012" if statement.Effect == "Allow"])
    error_message = "And that for nobody but the account."
  }

  # Alarms.
  assert {
    condition     = length(setsubtract(["deactivated", "errors", "failed-runs", "failures", "lag", "quarantined", "refused", "throttles"], keys(module.function["appflow-process-deals"].alarms))) == 0 && !contains(keys(module.function["appflow-process-tickets"].alarms), "lag")
    error_message = "Runs, refused records and flows have alarms; lag where the schedule is known."
  }
}

run "presets" {
  command = plan

  variables {
    connections  = {}
    datasets_dir = "datasets/presets"
    name         = "headgate-prod"
  }

  assert {
    condition     = length(output.functions) == length(fileset("datasets/presets", "*.json")) && alltrue([for name in keys(output.functions) : startswith(name, "appflow-process-")])
    error_message = "Each preset has its function as it is: ${join(", ", keys(output.functions))}."
  }
}

run "no_dataset" {
  command = plan

  variables {
    connections = { crm = { connector = "Zendesk", profile = "zendesk", flows = { nothing = { object = "tickets" } } } }
  }

  expect_failures = [terraform_data.flows]
}

run "source_is_off" {
  command = plan

  variables {
    sources = ["kinesis"]
  }

  expect_failures = [terraform_data.flows]
}

run "wrong_datasets" {
  command = plan

  variables {
    connections  = { crm = { connector = "Zendesk", profile = "zendesk", flows = { tickets = { object = "tickets" } } } }
    datasets_dir = "tests/fixtures/broken/flows"
  }

  expect_failures = [terraform_data.flows]
}

run "wrong_variables" {
  command = plan

  variables {
    connections = { for name in ["A B", "b"] : name => {
      connector = "Zendesk"
      profile   = "zendesk"
      flows     = { crm-deals = { dataset_fields = true, fields = ["Id"], lag_hours = 0, object = "tickets" } }
    } }
  }

  expect_failures = [var.connections]
}

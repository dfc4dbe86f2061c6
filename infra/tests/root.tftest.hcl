# The root over dataset files: what each yields, and what all functions have.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  account_id   = "123456789012"
  packages_dir = "tests/fixtures/packages"
  region       = "ap-northeast-2"
  secrets      = { mask_key = "0123456789abcdef" }
}

run "small_by_default" {
  command = plan

  assert {
    condition     = keys(output.streams) == ["clickstream"]
    error_message = "Without settings there is one stream."
  }
  assert {
    condition     = toset(keys(output.functions)) == toset(["kinesis-consumer-clickstream", "kinesis-window-page_views"])
    error_message = "Sources that are off have no function: ${join(", ", keys(output.functions))}."
  }
  assert {
    condition     = output.idle_tables == { cdc = ["orders"], iot = ["temperature"], kafka = ["shipments"], saas = ["salesforce_account"] }
    error_message = "Tables that nothing fills are told, by the source that would: ${jsonencode(output.idle_tables)}."
  }
  assert {
    condition     = contains(module.function["kinesis-consumer-clickstream"].facts.environment, "MASK_KEY")
    error_message = "A dataset with a hashed column brings its function the key."
  }
  assert {
    condition     = alltrue([for function in module.function : contains(function.facts.environment, "DATASETS_DIR")])
    error_message = "Every function is told where its package has the dataset files."
  }
  assert {
    condition     = !contains(module.function["kinesis-window-page_views"].facts.environment, "MASK_KEY")
    error_message = "A function has no secret that it has no use for."
  }
}

run "a_dataset_file_is_enough" {
  command = plan

  variables {
    datasets_dir = "tests/fixtures/datasets"
    sources      = ["cdc", "kinesis"]
    streams      = { shop = { datasets = ["clicks", "clicks_by_country"], enhanced_fan_out = true } }
  }

  assert {
    condition = toset(keys(output.functions)) == toset([
      "dms-merge-customers", "dms-merge-invoices", "kinesis-consumer-clicks", "kinesis-window-clicks_by_country",
    ])
    error_message = "Each dataset has its function: ${join(", ", keys(output.functions))}."
  }
  assert {
    condition     = output.tables == { clicks = "clicks", clicks_by_country = "clicks_by_country", customers = "customers", invoices = "invoices", logs = "logs" }
    error_message = "Each dataset has its table."
  }
  assert {
    condition = alltrue([
      for name in ["clicks"] : anytrue([for statement in jsondecode(module.function["kinesis-consumer-${name}"].facts.policy).Statement :
        contains(statement.Action, "s3:PutObject") && contains(statement.Resource, "arn:aws:s3:::headgate-lake-123456789012/raw/${name}/*")
    ])])
    error_message = "The function may write its dataset's folder."
  }
  assert {
    condition     = alltrue([for name, function in module.function : setintersection(keys(function.alarms), ["errors", "throttles", "failures"]) == toset(["errors", "throttles", "failures"])])
    error_message = "Every function has alarms for errors, throttles and failures."
  }
  assert {
    condition     = alltrue([for name, function in module.function : contains(keys(function.alarms), "dead-letters") if startswith(name, "dms-merge")])
    error_message = "What has a queue has an alarm of its dead letters."
  }
  assert {
    condition     = alltrue([for name, function in module.function : alltrue([for key in ["quarantined", "iterator-age"] : contains(keys(function.alarms), key)]) if startswith(name, "kinesis")])
    error_message = "What reads a stream has alarms of refused records and of age."
  }

  # Least privilege.
  assert {
    condition     = !anytrue(flatten([for function in module.function : [for statement in jsondecode(function.facts.policy).Statement : [for action in statement.Action : strcontains(action, "*")]]]))
    error_message = "No action has a `*`."
  }
  assert {
    condition     = !anytrue(flatten([for function in module.function : [for statement in jsondecode(function.facts.policy).Statement : contains(statement.Resource, "*")]]))
    error_message = "No statement is of all resources."
  }
  assert {
    condition     = !strcontains(module.function["kinesis-consumer-clicks"].facts.policy, "curated/") && !strcontains(module.function["dms-merge-customers"].facts.policy, "raw/")
    error_message = "No function sees another dataset's folders."
  }
  assert {
    condition = !anytrue([for statement in jsondecode(module.function["dms-merge-customers"].facts.policy).Statement :
    contains(statement.Action, "s3:DeleteObject") && anytrue([for resource in statement.Resource : strcontains(resource, "/cdc/")])])
    error_message = "A merge deletes no change files."
  }

  # EventBridge says no source when it encrypts for a queue.
  assert {
    condition     = { for statement in jsondecode(aws_kms_key.main.policy).Statement : statement.Sid => try(keys(statement.Condition), []) } == { Account = [], Alarms = ["StringEquals"], Events = [], Logs = ["ArnLike"] }
    error_message = "Of services, EventBridge alone may use the key without a condition."
  }
  assert {
    condition     = alltrue([for function in module.function : length(setintersection(["lag"], keys(function.alarms))) == length([for name in ["dms-merge"] : name if strcontains(function.name, name)])])
    error_message = "A table of changes has an alarm of its age."
  }

  # What is given up is kept, and so are logs, for as long as was asked.
  assert {
    condition     = alltrue([for function in module.function : function.facts.failures == "arn:aws:s3:::headgate-lake-123456789012" && function.facts.retention == 30])
    error_message = "Every function has a destination of failures and a retention of its logs."
  }
}

# The code's answers and the mappings agree: each name is of a function that answers with batchItemFailures.
run "partial_batches_as_the_code_answers" {
  command = plan

  variables {
    datasets_dir = "tests/fixtures/datasets"
    sources      = ["cdc", "kinesis"]
    streams      = {}
  }

  assert {
    condition     = alltrue([for name, function in module.function : function.facts.response_types == [toset(["ReportBatchItemFailures"])]])
    error_message = "dms-merge, kinesis-consumer and kinesis-window answer with batchItemFailures: their mappings must have ReportBatchItemFailures."
  }
  assert {
    condition     = keys(output.streams) == ["clicks", "clicks_by_country"]
    error_message = "A dataset that is in no stream has one of its own."
  }
}

run "all_sources" {
  command = plan

  variables {
    compaction_schedule = "cron(15 3 * * ? *)"
    databases = { shop = {
      engine             = "mysql"
      schemas            = ["shop"]
      secret_arn         = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:shop-AbCdEf"
      security_group_ids = ["sg-1"]
      subnet_ids         = ["subnet-1", "subnet-2"]
    } }
    datasets_dir = "tests/fixtures/datasets"
    secrets      = { signing_keys = "0123456789abcdef" }
    sources      = ["api", "cdc", "firehose", "kinesis"]
    streams      = { shop = { datasets = ["clicks", "clicks_by_country"] } }
  }

  assert {
    condition = toset(keys(output.functions)) == toset([
      "api-ingest-shop", "dms-merge-customers", "dms-merge-invoices", "firehose-transform-logs", "kinesis-consumer-clicks",
      "kinesis-window-clicks_by_country", "lake-compact-clicks", "lake-compact-clicks_by_country", "lake-compact-logs",
    ])
    error_message = "Each source has its functions: ${join(", ", keys(output.functions))}."
  }
  assert {
    condition     = alltrue([for name, function in module.function : length(flatten([for types in function.facts.response_types : tolist(types)])) == 0 if !startswith(name, "dms-") && !startswith(name, "kinesis-")])
    error_message = "What does not answer with batchItemFailures has no ReportBatchItemFailures."
  }
  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.files_waiting) == ["lake-compact-clicks", "lake-compact-logs"] && aws_cloudwatch_metric_alarm.files_waiting["lake-compact-clicks"].dimensions == tomap({ Dataset = "clicks", Function = "headgate-lake-compact-clicks" })
    error_message = "Files that wait for ever are told of, but of windows, where some always do."
  }
  assert {
    condition     = alltrue([for name, function in module.function : contains(keys(function.alarms), "doubled") && contains(keys(function.alarms), "dead-letters") if startswith(name, "lake-compact-")])
    error_message = "A compaction has alarms of rows that are seen twice, and of schedules that came to nothing."
  }
  assert {
    condition     = length(output.idle_tables) == 0
    error_message = "No table waits for a source that is off."
  }
  assert {
    condition     = { for name, alarm in aws_cloudwatch_metric_alarm.forged : name => alarm.dimensions } == { clicks = tomap({ Dataset = "clicks", Function = "headgate-api-ingest-shop", Reason = "wrong_signature" }) }
    error_message = "Wrong signatures are told of, by the dimensions that the function tells them with."
  }
  assert {
    condition     = toset([for rule in jsondecode(module.database["shop"].mappings).rules : rule["object-locator"]["table-name"]]) == toset(["customers", "invoices"])
    error_message = "DMS reads the tables that have a dataset."
  }
  assert {
    condition     = module.firehose["logs"].prefix == "raw/logs/year=!{partitionKeyFromLambda:year}/month=!{partitionKeyFromLambda:month}/day=!{partitionKeyFromLambda:day}/level=!{partitionKeyFromLambda:level}/"
    error_message = "A delivery stream partitions as the dataset file says."
  }
  assert {
    condition     = !anytrue(flatten([for function in module.function : [for statement in jsondecode(function.facts.policy).Statement : [for action in statement.Action : strcontains(action, "*")]]]))
    error_message = "No action has a `*`."
  }
}

# A schema that no dataset is of, and a dataset whose schema no database has.
run "databases_and_datasets_apart" {
  command = plan

  variables {
    databases = { shop = {
      engine             = "mysql"
      schemas            = ["billing", "shop"]
      secret_arn         = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:shop-AbCdEf"
      security_group_ids = ["sg-1"]
      subnet_ids         = ["subnet-1", "subnet-2"]
    } }
    datasets_dir = "tests/fixtures/apart"
    sources      = ["cdc"]
    streams      = {}
  }

  expect_failures = [check.databases]

  assert {
    condition     = jsonencode([local.schemas_of_none, local.unread]) == jsonencode([["billing (shop)"], ["stock"]])
    error_message = "Each is named: ${jsonencode([local.schemas_of_none, local.unread])}."
  }
}

run "broken_json" {
  command = plan

  variables {
    datasets_dir = "tests/fixtures/broken/text"
  }

  expect_failures = [var.datasets_dir]
}

# A table of a database is in no stream.
run "streams_of_a_database" {
  command = plan

  variables {
    datasets_dir = "tests/fixtures/datasets"
    streams      = { shop = { datasets = ["customers"] } }
  }

  expect_failures = [terraform_data.datasets]
}

run "changes_that_are_gone_too_soon" {
  command = plan

  variables {
    datasets_dir = "tests/fixtures/datasets"
    lake         = { cdc_expire_days = 3 }
    streams      = {}
  }

  expect_failures = [terraform_data.datasets]
}

run "no_secret" {
  command = plan

  variables {
    secrets = {}
  }

  expect_failures = [terraform_data.datasets]
}

run "wrong_variables" {
  command = plan

  variables {
    account_id          = "12"
    alarms              = { emails = ["nobody"], freshness_seconds = 0 }
    api                 = { auth = "none", rate = 0 }
    compaction_schedule = "daily"
    databases = {
      for name in ["a", "b"] : name => { engine = "mysql", schemas = ["s"], secret_arn = "arn:", security_group_ids = [], subnet_ids = [] }
    }
    functions    = { architecture = "sparc", log_level = "LOUD", log_retention_days = 31 }
    lake         = { bucket = "Lake", cdc_expire_days = 0, partition_years = [2030, 2025], raw_infrequent_days = 5 }
    name         = "Head Gate"
    packages_dir = "tests/fixtures/packages/"
    region       = "Seoul"
    secrets      = { mask_key = "short" }
    sources      = ["kinesis", "fax"]
    streams      = { "a/b" = { datasets = ["clickstream"], retention_hours = 1 }, b = { datasets = ["clickstream"], shards = 0 } }
  }

  expect_failures = [var.account_id, var.alarms, var.api, var.compaction_schedule, var.databases, var.functions, var.lake, var.name, var.packages_dir, var.region, var.secrets, var.sources, var.streams]
}

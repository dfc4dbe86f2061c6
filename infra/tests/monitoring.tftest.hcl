# The dashboard: what is on is on it.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  account_id          = "123456789012"
  compaction_schedule = "cron(15 3 * * ? *)"
  databases = { shop = {
    engine             = "mysql"
    schemas            = ["shop"]
    secret_arn         = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:shop-AbCdEf"
    security_group_ids = ["sg-1"]
    subnet_ids         = ["subnet-1", "subnet-2"]
  } }
  datasets_dir = "tests/fixtures/datasets"
  name         = "headgate"
  packages_dir = "tests/fixtures/packages"
  region       = "ap-northeast-2"
  secrets      = { signing_keys = "0123456789abcdef" }
  sources      = ["api", "cdc", "firehose", "kinesis"]
  streams      = { shop = { datasets = ["clicks", "clicks_by_country"], enhanced_fan_out = true } }
}

run "all_that_is_on" {
  command = plan

  # Of the lines of each widget: "<metric> <a dimension>=<its value>".
  assert {
    condition = length(setsubtract(
      toset(concat(
        flatten([for name, function in output.functions : [for metric in ["Duration", "Errors", "Throttles"] : "${metric} FunctionName=${function}"]]),
        flatten([for name, stream in output.streams : [for metric in ["GetRecords.IteratorAgeMilliseconds", "WriteProvisionedThroughputExceeded"] : "${metric} StreamName=${stream}"]]),
        [for metric in ["DeliveryToS3.DataFreshness", "DeliveryToS3.Success", "ExecuteProcessing.Success"] : "${metric} DeliveryStreamName=headgate-logs"],
        [for metric in ["CDCIncomingChanges", "CDCLatencySource", "CDCLatencyTarget"] : "${metric} ReplicationTaskIdentifier=TASK"],
        ["SubscribeToShardEvent.MillisBehindLatest ConsumerName=clicks", "SubscribeToShardEvent.MillisBehindLatest ConsumerName=clicks_by_country"],
        ["5xx Stage=$default", "ApproximateNumberOfMessagesVisible QueueName=headgate-dms-merge-customers-dead", "ApproximateNumberOfMessagesVisible QueueName=headgate-lake-compact-logs-dead"],
        ["Freshness Dataset=clicks", "Freshness Function=headgate-kinesis-consumer-clicks", "RowsQuarantined Dataset=clicks", "Records Dataset=clicks", "Lag Dataset=customers", "DoubledTime Dataset=clicks", "RecordsFailed Dataset=logs", "RecordsAccepted Dataset=clicks"],
        ["IteratorAge FunctionName=headgate-kinesis-window-clicks_by_country"],
      )),
      toset(flatten([for widget in jsondecode(module.monitoring.body).widgets : [
        for line in widget.properties.metrics : [for index in range(2, length(line) - 1, 2) : "${line[1]} ${line[index]}=${line[index + 1]}"] if length(line) > 1
      ] if widget.type == "metric"])),
    )) == 0
    error_message = "Every function, stream, delivery, task and table is drawn."
  }
  assert {
    condition     = [for widget in jsondecode(module.monitoring.body).widgets : widget.properties.markdown if widget.type == "text"] == ["## Tables", "## Functions", "## Streams", "## Firehose", "## Databases", "## API"]
    error_message = "Each source has its section."
  }
  # 24 columns; no widget covers another.
  assert {
    condition     = alltrue([for widget in jsondecode(module.monitoring.body).widgets : widget.x + widget.width <= 24]) && length(distinct([for widget in jsondecode(module.monitoring.body).widgets : "${widget.x} ${widget.y}"])) == length(jsondecode(module.monitoring.body).widgets)
    error_message = "Widgets are beside and below each other."
  }
  # Metrics are found by exactly the dimensions that the functions tell them with.
  assert {
    condition = alltrue(flatten([for widget in jsondecode(module.monitoring.body).widgets : [
      for line in widget.properties.metrics : line[0] != "Headgate" || join(" ", [for index in range(2, length(line) - 1, 2) : line[index]]) == "Dataset Function" if length(line) > 1
    ] if widget.type == "metric"]))
    error_message = "Our own metrics go by Dataset and Function."
  }
  assert {
    condition = one([for widget in jsondecode(module.monitoring.body).widgets : jsonencode(widget.properties.metrics) if try(widget.properties.title, "") == "RecordsFailed in % of Records"]) == jsonencode([
      [{ expression = "100 * part0 / IF(whole0 > 0, whole0, 1)", id = "share0", label = "firehose-transform-logs" }],
      ["Headgate", "RecordsFailed", "Dataset", "logs", "Function", "headgate-firehose-transform-logs", { id = "part0", visible = false }],
      ["Headgate", "Records", "Dataset", "logs", "Function", "headgate-firehose-transform-logs", { id = "whole0", visible = false }],
    ])
    error_message = "A share is drawn as its alarm has it."
  }
  assert {
    condition     = one([for widget in jsondecode(module.monitoring.body).widgets : widget.properties.annotations.horizontal[0].value if try(widget.properties.title, "") == "Lag (an alarm while FilesPending > 0)"]) == 3600
    error_message = "The alarm's limit is marked."
  }
  # What has an alarm is drawn, whichever function it is of.
  assert {
    condition = length(setsubtract(
      toset(flatten([for instance in local.instances : [for alarm in values(local.metrics[instance.package]) : alarm.metric]])),
      toset([for widget in local.alarmed_widgets : widget.metrics[0]]),
    )) == 0
    error_message = "A metric with an alarm is not drawn."
  }
}

run "devices" {
  command = plan

  variables {
    databases    = {}
    datasets_dir = "tests/fixtures/devices"
    secrets      = { token_keys = "0123456789abcdef" }
    sources      = ["iot"]
    streams      = {}
  }

  assert {
    condition = length(setsubtract(
      toset(["AWS/IoT TopicMatch RuleName headgate_temperature", "Headgate MessagesJudged Dataset temperature Function headgate-iot-rule-temperature", "Headgate UnknownCa Function headgate-iot-provision-hook"]),
      toset(flatten([for widget in jsondecode(module.monitoring.body).widgets : [
        for line in widget.properties.metrics : join(" ", slice(line, 0, length(line) - 1)) if length(line) > 1
      ] if widget.type == "metric"])),
    )) == 0
    error_message = "Rules, and functions of no dataset, are drawn."
  }
}

run "little_is_on" {
  command = plan

  variables {
    compaction_schedule = null
    databases           = {}
    sources             = ["kinesis"]
    streams             = {}
  }

  assert {
    condition     = [for widget in jsondecode(module.monitoring.body).widgets : widget.properties.markdown if widget.type == "text"] == ["## Tables", "## Functions", "## Streams"]
    error_message = "What is off has no section."
  }
}

# A serverless task's metrics go by other dimensions.
run "serverless" {
  command = plan

  variables {
    databases = { shop = {
      engine             = "mysql"
      schemas            = ["shop"]
      secret_arn         = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:shop-AbCdEf"
      security_group_ids = ["sg-1"]
      serverless_units   = 2
      subnet_ids         = ["subnet-1", "subnet-2"]
    } }
  }

  assert {
    condition     = !contains([for widget in jsondecode(module.monitoring.body).widgets : try(widget.properties.markdown, "")], "## Databases")
    error_message = "Nothing is drawn that is not there."
  }
}

run "wrong_name" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    name     = "a dashboard"
    sections = [{ title = "S", widgets = [{ title = "W", namespace = "N", metrics = ["M"], of = { a = { D = "d" } }, per = "P", period = 300, stat = "Sum" }] }]
  }

  expect_failures = [var.name]
}

run "wrong_statistic" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    name     = "headgate"
    sections = [{ title = "S", widgets = [{ title = "W", namespace = "N", metrics = ["M"], of = { a = { D = "d" } }, per = "P", period = 300, stat = "Most" }] }]
  }

  expect_failures = [var.sections]
}

run "wrong_period" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    name     = "headgate"
    sections = [{ title = "S", widgets = [{ title = "W", namespace = "N", metrics = ["M"], of = { a = { D = "d" } }, per = "P", period = 90, stat = "Sum" }] }]
  }

  expect_failures = [var.sections]
}

run "nothing_to_draw" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    name     = "headgate"
    sections = [{ title = "S", widgets = [{ title = "W", namespace = "N", metrics = ["M"], of = {}, per = "P", period = 300, stat = "Sum" }] }]
  }

  expect_failures = [var.sections]
}

run "too_many_in_a_widget" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    name     = "headgate"
    sections = [{ title = "S", widgets = [{ title = "W", namespace = "N", metrics = [for number in range(251) : "m${number}"], of = { a = { D = "d" } }, per = "P", period = 300, stat = "p99" }] }]
  }

  expect_failures = [var.sections]
}

run "too_many_in_all" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    name     = "headgate"
    sections = [{ title = "S", widgets = [for widget in range(6) : { title = "W", namespace = "N", metrics = [for number in range(250) : "m${number}"], of = { a = { D = "d" } }, per = "P", period = 300, stat = "Sum" }] }]
  }

  expect_failures = [var.sections]
}

# The root with devices: what a dataset with `watch` yields, and who may come in.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  account_id   = "123456789012"
  datasets_dir = "tests/fixtures/devices"
  packages_dir = "tests/fixtures/packages"
  region       = "ap-northeast-2"
  secrets      = { token_keys = "0123456789abcdef" }
  sources      = ["iot"]
  streams      = {}
}

run "a_dataset_is_enough" {
  command = plan

  assert {
    condition = toset(keys(output.functions)) == toset([
      "firehose-transform-pressure", "iot-provision-hook", "iot-rule-pressure", "iot-rule-temperature", "iot-rule-vibration",
      "kinesis-consumer-temperature", "kinesis-consumer-vibration",
    ])
    error_message = "Each dataset has the function that watches, and the one that lands: ${join(", ", keys(output.functions))}."
  }
  assert {
    condition = { for key, rule in module.iot[0].facts.rules : key => rule.sql } == {
      pressure          = "SELECT *, topic() AS topic, topic(2) AS device FROM 'sensors/+/pressure'"
      pressure-delivery = "SELECT *, topic() AS topic, topic(2) AS device FROM 'sensors/+/pressure'"
      temperature       = "SELECT *, topic(2) AS device, timestamp() AS rx_ts, newuuid() AS mid FROM 'sensors/+/temperature'"
      vibration         = "SELECT encode(*, 'base64') AS data, topic(2) AS device FROM 'sensors/+/vibration'"
    }
    error_message = "A rule says what the dataset's `watch` needs, by the fields that the columns are read from: ${jsonencode(module.iot[0].facts.rules)}."
  }
  assert {
    condition     = { for name in ["pressure", "temperature", "vibration"] : name => module.function["iot-rule-${name}"].facts.settings.TOPIC_FILTER } == { for name in ["pressure", "temperature", "vibration"] : name => "sensors/+/${name}" }
    error_message = "A function knows where its rule looks for messages, so that it can say what the rule's SQL does."
  }
  assert {
    condition     = output.streams == { temperature = output.streams["temperature"], vibration = output.streams["vibration"] }
    error_message = "Readings go on to a stream where the dataset is of Kinesis, and to Firehose by a rule where it is of Firehose."
  }
  assert {
    condition     = anytrue([for statement in jsondecode(module.function["iot-rule-temperature"].facts.policy).Statement : statement.Action == ["kinesis:PutRecords"] && statement.Resource == ["arn:aws:kinesis:ap-northeast-2:123456789012:stream/headgate-temperature"]]) && !strcontains(module.function["iot-rule-pressure"].facts.policy, "kinesis:")
    error_message = "A function puts into its dataset's stream, and into none where a rule delivers."
  }
  assert {
    condition     = alltrue([for name in ["pressure", "temperature", "vibration"] : strcontains(module.function["iot-rule-${name}"].facts.policy, "/quarantine/${name}/*") && !strcontains(module.function["iot-rule-${name}"].facts.policy, "raw/")])
    error_message = "A function that watches writes refused messages and no files of the table."
  }
  assert {
    condition     = alltrue([for name, permission in aws_lambda_permission.iot : permission.principal == "iot.amazonaws.com" && permission.qualifier == "live" && permission.source_account == "123456789012"])
    error_message = "AWS IoT of this account invokes the alias."
  }
  assert {
    condition = { for name, permission in aws_lambda_permission.iot : name => permission.source_arn } == {
      iot-provision-hook   = "arn:aws:iot:ap-northeast-2:123456789012:provisioningtemplate/headgate"
      iot-rule-pressure    = "arn:aws:iot:ap-northeast-2:123456789012:rule/headgate_pressure"
      iot-rule-temperature = "arn:aws:iot:ap-northeast-2:123456789012:rule/headgate_temperature"
      iot-rule-vibration   = "arn:aws:iot:ap-northeast-2:123456789012:rule/headgate_vibration"
    }
    error_message = "A function is invoked by its own rule, the hook by its template."
  }
  assert {
    condition     = alltrue([for name, function in module.function : length(function.facts.response_types) == 0 && alltrue([for key in ["errors", "throttles", "failures"] : contains(keys(function.alarms), key)]) if startswith(name, "iot-")])
    error_message = "What AWS IoT invokes has no mapping, and alarms of errors, throttles and failures."
  }
  assert {
    condition     = alltrue([for key in ["given-up", "late", "quarantined"] : contains(keys(module.function["iot-rule-temperature"].alarms), key)]) && keys(aws_cloudwatch_metric_alarm.denied) == ["invalid_token", "used_up"]
    error_message = "Late and refused messages, what was given up, and strange devices have alarms."
  }
  assert {
    condition     = alltrue([for function in module.function : function.facts.failures == "arn:aws:s3:::headgate-lake-123456789012"])
    error_message = "What was given up is kept."
  }
  assert {
    condition     = !anytrue(flatten([for name, function in module.function : [for statement in jsondecode(function.facts.policy).Statement : contains(statement.Resource, "*") || anytrue([for action in statement.Action : strcontains(action, "*")])]]))
    error_message = "No action has a `*`, and none of these statements is of all resources."
  }
  assert {
    condition     = !contains(module.function["iot-provision-hook"].facts.environment, "TOKEN_KEYS") && !strcontains(module.function["iot-provision-hook"].facts.policy, "\"iot:")
    error_message = "The hook has keys only where tokens are signed, and never anything to do in the registry."
  }
  assert {
    condition     = output.devices.policy == "headgate-device" && output.devices.claim_policy == "headgate-claim" && output.devices.template == "headgate"
    error_message = "Policies and template are told."
  }
}

run "sql_as_the_dataset_file_says" {
  command = plan

  variables {
    datasets_dir = "datasets"
  }

  assert {
    condition     = endswith(jsondecode(file("datasets/temperature.json")).description, module.iot[0].facts.rules["temperature"].sql)
    error_message = "The rule's SQL is the one that the function's README and the dataset file are about: ${module.iot[0].facts.rules["temperature"].sql}."
  }
}

run "registered_just_in_time" {
  command = plan

  variables {
    devices = {
      ca_certificates = { plant = "-----BEGIN CERTIFICATE-----" }
      provisioning    = "signed"
      rules           = { kiosks = { sql = "SELECT * FROM 'kiosks/+/clicks'", stream = "temperature" }, presence = { sql = "SELECT * FROM '$aws/events/presence/connected/+'", delivery = "pressure" } }
      sql             = { vibration = "SELECT * FROM 'lines/+/vibration'" }
      topics          = { temperature = "plants/seoul/+/temperature" }
    }
  }

  assert {
    condition     = module.iot[0].facts.rules["registered"].sql == "SELECT * FROM '$aws/events/certificates/registered/#'" && aws_lambda_permission.iot["iot-provision-registered"].source_arn == "arn:aws:iot:ap-northeast-2:123456789012:rule/headgate_registered"
    error_message = "What is registered just in time comes by a rule."
  }
  assert {
    condition     = aws_iot_ca_certificate.main["plant"].allow_auto_registration && aws_iot_ca_certificate.main["plant"].certificate_mode == "SNI_ONLY"
    error_message = "The CA's certificates register themselves."
  }
  assert {
    condition     = [for statement in jsondecode(module.function["iot-provision-registered"].facts.policy).Statement : statement.Action if contains(statement.Resource, "*")] == [["iot:AttachThingPrincipal"]]
    error_message = "Only what has no finer grain is of all resources."
  }
  assert {
    condition     = contains(module.function["iot-provision-registered"].facts.environment, "CA_POLICIES") && !contains(module.function["iot-provision-registered"].facts.environment, "TEMPLATES") && contains(module.function["iot-provision-hook"].facts.environment, "TOKEN_KEYS")
    error_message = "The two tasks have functions of their own."
  }
  assert {
    condition     = strcontains(module.iot[0].facts.rules["temperature"].sql, "topic(3) AS device") && module.iot[0].facts.rules["vibration"].sql == "SELECT * FROM 'lines/+/vibration'"
    error_message = "The device is the segment of the first +; SQL that is set is taken as it is."
  }
  assert {
    condition     = module.function["iot-rule-temperature"].facts.settings.TOPIC_FILTER == "plants/seoul/+/temperature" && !contains(keys(module.function["iot-rule-vibration"].facts.settings), "TOPIC_FILTER")
    error_message = "A function knows its rule's filter, unless the SQL is another than this one makes."
  }
  assert {
    condition = [for statement in jsondecode(module.iot[0].facts.device).Statement : statement.Resource if statement.Action == ["iot:Publish"]] == [[for topic in [
      "kiosks/$${iot:Connection.Thing.ThingName}/clicks", "plants/seoul/$${iot:Connection.Thing.ThingName}/temperature",
      "sensors/$${iot:Connection.Thing.ThingName}/pressure", "sensors/$${iot:Connection.Thing.ThingName}/vibration",
    ] : "arn:aws:iot:ap-northeast-2:123456789012:topic/${topic}"]]
    error_message = "Devices publish where rules listen, on their own topics, and nothing of AWS's."
  }
}

run "without_provisioning" {
  command = plan

  variables {
    devices = { provisioning = "off" }
  }

  assert {
    condition     = !anytrue([for name in keys(output.functions) : startswith(name, "iot-provision")]) && output.devices.template == null && length(aws_cloudwatch_metric_alarm.denied) == 0
    error_message = "Nobody comes in by a template."
  }
}

run "off_by_default" {
  command = plan

  variables {
    sources = ["kinesis"]
  }

  assert {
    condition     = output.devices == null && length(output.functions) == 0 && length(aws_sns_topic.devices) == 0
    error_message = "Without iot in sources there is nothing of it."
  }
}

run "wrong_provisioning" {
  command = plan

  variables {
    devices = { provisioning = "open" }
  }

  expect_failures = [var.devices]
}

run "too_many_claims" {
  command = plan

  variables {
    devices = { claims = [for number in range(51) : format("%064x", number)] }
  }

  expect_failures = [var.devices]
}

run "wrong_claims" {
  command = plan

  variables {
    devices = { claims = ["abc"] }
  }

  expect_failures = [var.devices]
}

run "wrong_emails" {
  command = plan

  variables {
    devices = { emails = ["nobody"] }
  }

  expect_failures = [var.devices]
}

run "wrong_ca" {
  command = plan

  variables {
    devices = { ca_certificates = { plant = "plant.pem" } }
  }

  expect_failures = [var.devices]
}

run "rule_to_nowhere" {
  command = plan

  variables {
    devices = { rules = { all = { sql = "SELECT * FROM 'a/+'" } } }
  }

  expect_failures = [var.devices]
}

run "rule_without_sql" {
  command = plan

  variables {
    devices = { rules = { all = { sql = "a/+", stream = "temperature" } } }
  }

  expect_failures = [var.devices]
}

run "topic_of_nobody" {
  command = plan

  variables {
    devices = { topics = { temperature = "sensors/all/temperature" } }
  }

  expect_failures = [var.devices]
}

run "short_keys" {
  command = plan

  variables {
    secrets = { token_keys = "0123456789abcdef,short" }
  }

  expect_failures = [var.secrets]
}

run "signed_without_keys" {
  command = plan

  variables {
    devices = { provisioning = "signed" }
    secrets = {}
  }

  expect_failures = [terraform_data.devices]
}

run "settings_of_a_source_that_is_off" {
  command = plan

  variables {
    devices = { emails = ["plant@example.com"] }
    sources = ["kinesis"]
  }

  expect_failures = [terraform_data.devices]
}

run "topic_of_no_dataset" {
  command = plan

  variables {
    devices = { topics = { humidity = "sensors/+/humidity" } }
  }

  expect_failures = [terraform_data.devices]
}

run "stream_that_is_not_there" {
  command = plan

  variables {
    devices = { rules = { all = { sql = "SELECT * FROM 'a/+'", stream = "humidity" } } }
  }

  expect_failures = [terraform_data.devices]
}

run "delivery_that_is_not_there" {
  command = plan

  variables {
    devices = { rules = { all = { sql = "SELECT * FROM 'a/+'", delivery = "temperature" } } }
  }

  expect_failures = [terraform_data.devices]
}

run "name_of_another_rule" {
  command = plan

  variables {
    devices = { rules = { for name in ["pressure_delivery", "temperature"] : name => { sql = "SELECT * FROM 'a/+'", stream = "temperature" } } }
  }

  expect_failures = [terraform_data.devices]

  assert {
    condition     = tolist(local.rule_clashes) == tolist(["pressure-delivery and pressure_delivery", "temperature and temperature"])
    error_message = "Those are named that would have one name in AWS, and no others: ${join("; ", local.rule_clashes)}."
  }
}

run "device_in_an_object" {
  command = plan

  variables {
    datasets_dir = "tests/fixtures/broken/devices"
  }

  expect_failures = [terraform_data.devices]
}

run "packed_for_firehose" {
  command = plan

  variables {
    datasets_dir = "tests/fixtures/broken/packed"
  }

  expect_failures = [terraform_data.devices]
}

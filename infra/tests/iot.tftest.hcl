# Rules with their roles, what devices may do, and how they come in.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  alarms       = { topic_arn = "arn:aws:sns:ap-northeast-2:123456789012:alarms" }
  bucket       = { arn = "arn:aws:s3:::lake", name = "lake" }
  claims       = ["0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"]
  iot_arn      = "arn:aws:iot:ap-northeast-2:123456789012"
  kms_key_arn  = "arn:aws:kms:ap-northeast-2:123456789012:key/11111111-2222-3333-4444-555555555555"
  name         = "headgate"
  provisioning = { hook_arn = "arn:aws:lambda:ap-northeast-2:123456789012:function:hook:live", parameters = ["SerialNumber", "Token"] }
  topics       = ["sensors/+/temperature", "plant/+/line/+/#"]
  rules = {
    watched = { name = "headgate_watched", sql = "SELECT * FROM 'sensors/+/temperature'", function_arn = "arn:aws:lambda:ap-northeast-2:123456789012:function:rule:live" }
    clicks  = { name = "headgate_clicks", sql = "SELECT * FROM 'kiosks/+/clicks'", stream = { arn = "arn:aws:kinesis:ap-northeast-2:123456789012:stream/clicks", name = "clicks" } }
    logs    = { name = "headgate_logs", sql = "SELECT VALUE lines FROM 'devices/+/logs'", delivery = { arn = "arn:aws:firehose:ap-northeast-2:123456789012:deliverystream/logs", name = "logs" } }
    series  = { name = "headgate_series", sql = "SELECT * FROM 'sensors/+/power'", timestream = { arn = "arn:aws:timestream:ap-northeast-2:123456789012:database/d/table/t", database = "d", dimensions = { device = "$${topic(2)}" }, table = "t" } }
  }
}

run "rules" {
  command = plan

  module {
    source = "./modules/iot"
  }

  assert {
    condition     = alltrue([for key, rule in output.facts.rules : rule.errors == "errors/iot/headgate_${key}/$${timestamp()}-$${newuuid()}.json"]) && length(output.facts.rules) == 4
    error_message = "What an action did not take is kept, a folder a rule."
  }
  assert {
    condition     = one(one(aws_iot_topic_rule.main["watched"].lambda[*]).function_arn[*]) == "arn:aws:lambda:ap-northeast-2:123456789012:function:rule:live"
    error_message = "A rule invokes the function's alias."
  }
  assert {
    condition     = one(aws_iot_topic_rule.main["clicks"].kinesis).partition_key == "$${topic()}" && one(aws_iot_topic_rule.main["logs"].firehose).batch_mode && one(one(aws_iot_topic_rule.main["series"].timestream).dimension).name == "device"
    error_message = "A stream's records go by topic, Firehose's are put in batches, Timestream's have dimensions."
  }
  assert {
    condition     = alltrue([for rule in aws_iot_topic_rule.main : length(rule.lambda) + length(rule.kinesis) + length(rule.firehose) + length(rule.timestream) == 1 && rule.sql_version == "2016-03-23"])
    error_message = "A rule has one action."
  }
  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.query)) == toset(flatten([for key in ["clicks", "logs", "series", "watched"] : ["${key}-failed", "${key}-lost"]])) && toset(keys(aws_cloudwatch_metric_alarm.count)) == toset(flatten([for key in ["clicks", "logs", "series", "watched"] : ["${key}-throttled", "${key}-unreadable"]]))
    error_message = "Every rule has alarms of what its actions and its error action did not take, of throttling, and of messages that are no JSON."
  }
}

run "least_privilege" {
  command = plan

  module {
    source = "./modules/iot"
  }

  assert {
    condition = {
      for key, rule in output.facts.rules : key => flatten([for statement in jsondecode(rule.policy).Statement : statement.Action])
      } == {
      clicks  = ["kinesis:PutRecord", "s3:PutObject", "kms:GenerateDataKey"]
      logs    = ["firehose:PutRecord", "firehose:PutRecordBatch", "s3:PutObject", "kms:GenerateDataKey"]
      series  = ["timestream:WriteRecords", "timestream:DescribeEndpoints", "s3:PutObject", "kms:GenerateDataKey"]
      watched = ["s3:PutObject", "kms:GenerateDataKey"]
    }
    error_message = "A rule's role may do what its action and its error action do, and nothing else."
  }
  assert {
    condition     = alltrue([for key, rule in output.facts.rules : contains(flatten([for statement in jsondecode(rule.policy).Statement : statement.Resource]), "arn:aws:s3:::lake/errors/iot/headgate_${key}/*")])
    error_message = "A rule writes its own folder of errors."
  }
  assert {
    condition     = alltrue([for key, role in aws_iam_role.rule : jsondecode(role.assume_role_policy).Statement[0].Condition.ArnLike["aws:SourceArn"] == "arn:aws:iot:ap-northeast-2:123456789012:rule/headgate_${key}"])
    error_message = "A role is for its rule."
  }
  assert {
    condition     = jsondecode(output.facts.device).Statement[0] == { Effect = "Allow", Action = ["iot:Connect"], Resource = ["arn:aws:iot:ap-northeast-2:123456789012:client/$${iot:Connection.Thing.ThingName}"], Condition = { Bool = { "iot:Connection.Thing.IsAttached" = "true" } } }
    error_message = "A device connects as its own thing."
  }
  assert {
    condition = [for statement in jsondecode(output.facts.device).Statement : statement.Resource if statement.Action == ["iot:Publish"]] == [[
      "arn:aws:iot:ap-northeast-2:123456789012:topic/plant/$${iot:Connection.Thing.ThingName}/line/*/*",
      "arn:aws:iot:ap-northeast-2:123456789012:topic/sensors/$${iot:Connection.Thing.ThingName}/temperature",
    ]]
    error_message = "A device publishes its own topics."
  }
  assert {
    condition     = alltrue(flatten([for statement in jsondecode(output.facts.device).Statement : [for resource in statement.Resource : strcontains(resource, "$${iot:Connection.Thing.ThingName}")]])) && !strcontains(output.facts.device, "ClientId")
    error_message = "Whatever a device may do is of its thing, and never of what it calls itself."
  }
  assert {
    condition     = !anytrue(flatten([for policy in concat([for role in aws_iam_role_policy.rule : role.policy], [aws_iam_role_policy.provisioning[0].policy, aws_iot_policy.claim[0].policy, output.facts.device]) : [for statement in jsondecode(policy).Statement : [for action in statement.Action : strcontains(action, "*")]]]))
    error_message = "No action has a `*`."
  }
  assert {
    condition     = toset(flatten([for statement in jsondecode(aws_iam_role_policy.provisioning[0].policy).Statement : statement.Action if contains(statement.Resource, "*")])) == toset(["iot:AttachThingPrincipal", "iot:ListAttachedPolicies", "iot:ListPrincipalPolicies", "iot:ListPrincipalThings", "iot:ListThingPrincipals", "iot:RegisterThing"])
    error_message = "Only what has no finer grain is of all resources."
  }
}

run "provisioning" {
  command = plan

  module {
    source = "./modules/iot"
  }

  # All that AWS's own role for provisioning may look at, but for groups and types.
  assert {
    condition     = length(setsubtract(["iot:DescribeCertificate", "iot:DescribeThing", "iot:GetPolicy", "iot:ListPolicyPrincipals", "iot:ListTargetsForPolicy", "iot:ListThingGroupsForThing", "iot:RegisterThing"], flatten([for statement in jsondecode(aws_iam_role_policy.provisioning[0].policy).Statement : statement.Action]))) == 0
    error_message = "The template's role may register a thing, and look at what is there."
  }
  assert {
    condition     = output.facts.hook == "arn:aws:lambda:ap-northeast-2:123456789012:function:hook:live"
    error_message = "The hook decides who comes in."
  }
  assert {
    condition     = jsondecode(aws_iot_provisioning_template.main[0].template_body).Resources.thing.Properties.ThingName.Ref == "SerialNumber" && jsondecode(aws_iot_provisioning_template.main[0].template_body).Resources.policy.Properties.PolicyName == "headgate-device"
    error_message = "The thing is called by the serial number, and has the policy of devices."
  }
  assert {
    condition     = toset(keys(jsondecode(aws_iot_provisioning_template.main[0].template_body).Parameters)) == toset(["AWS::IoT::Certificate::Id", "SerialNumber", "Token"])
    error_message = "A device says its serial number and its token."
  }
  assert {
    condition     = [for statement in jsondecode(aws_iot_policy.claim[0].policy).Statement : statement.Resource if statement.Action == ["iot:Connect"]] == [["arn:aws:iot:ap-northeast-2:123456789012:client/headgate-claim-*"]]
    error_message = "A claim certificate cannot connect under a device's name."
  }
  assert {
    condition     = alltrue(flatten([for statement in jsondecode(aws_iot_policy.claim[0].policy).Statement : [for resource in statement.Resource : strcontains(resource, "/$aws/certificates/create") || strcontains(resource, "/$aws/provisioning-templates/headgate/provision/")] if statement.Action != ["iot:Connect"]]))
    error_message = "A claim certificate is good for a certificate and for the template."
  }
  assert {
    condition     = [for attached in aws_iot_policy_attachment.claim : attached.target] == ["arn:aws:iot:ap-northeast-2:123456789012:cert/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"]
    error_message = "A claim certificate has its policy."
  }
  assert {
    condition     = aws_iot_indexing_configuration.main.thing_indexing_configuration[0].thing_indexing_mode == "OFF" && aws_iot_indexing_configuration.main.thing_group_indexing_configuration[0].thing_group_indexing_mode == "OFF"
    error_message = "Fleet indexing is off."
  }
}

run "no_provisioning" {
  command = plan

  module {
    source = "./modules/iot"
  }

  variables {
    provisioning = null
    rules        = {}
    topics       = []
  }

  assert {
    condition     = output.template == null && output.claim_policy == null && length(aws_iot_policy_attachment.claim) == 0
    error_message = "Without provisioning there is no template, and claim certificates are good for nothing."
  }
  assert {
    condition     = length([for statement in jsondecode(output.facts.device).Statement : statement if statement.Action == ["iot:Publish"]]) == 0
    error_message = "Without topics devices publish nothing."
  }
}

run "wrong_variables" {
  command = plan

  module {
    source = "./modules/iot"
  }

  variables {
    kms_key_arn  = "key"
    alarms       = { topic_arn = "alarms" }
    bucket       = { arn = "lake", name = "lake" }
    claims       = ["abc"]
    iot_arn      = "arn:aws:iot:ap-northeast-2:123456789012:rule/all"
    name         = "a name"
    provisioning = { hook_arn = "hook", parameters = [] }
    rules        = {}
    topics       = ["sensors/all"]
  }

  expect_failures = [var.alarms, var.bucket, var.claims, var.iot_arn, var.kms_key_arn, var.name, var.provisioning, var.topics]
}

run "name_of_two_rules" {
  command = plan

  module {
    source = "./modules/iot"
  }

  variables {
    rules = { for key in ["a", "b"] : key => { name = "one", sql = "SELECT * FROM 'a/+'", function_arn = "arn:aws:lambda:ap-northeast-2:123456789012:function:rule:live" } }
  }

  expect_failures = [var.rules]
}

run "no_sql" {
  command = plan

  module {
    source = "./modules/iot"
  }

  variables {
    rules = { a = { name = "a", sql = "sensors/+/temperature", function_arn = "arn:aws:lambda:ap-northeast-2:123456789012:function:rule:live" } }
  }

  expect_failures = [var.rules]
}

run "two_places" {
  command = plan

  module {
    source = "./modules/iot"
  }

  variables {
    rules = { a = { name = "a", sql = "SELECT * FROM 'a/+'", delivery = { arn = "d", name = "d" }, stream = { arn = "s", name = "s" } } }
  }

  expect_failures = [var.rules]
}

run "no_dimensions" {
  command = plan

  module {
    source = "./modules/iot"
  }

  variables {
    rules = { a = { name = "a", sql = "SELECT * FROM 'a/+'", timestream = { arn = "t", database = "d", dimensions = {}, table = "t" } } }
  }

  expect_failures = [var.rules]
}

run "topic_with_a_wildcard_of_policies" {
  command = plan

  module {
    source = "./modules/iot"
  }

  variables {
    topics = ["sensors/+/*"]
  }

  expect_failures = [var.topics]
}

run "topic_of_aws" {
  command = plan

  module {
    source = "./modules/iot"
  }

  variables {
    topics = ["$aws/things/+/shadow"]
  }

  expect_failures = [var.topics]
}

run "topic_without_end" {
  command = plan

  module {
    source = "./modules/iot"
  }

  variables {
    topics = ["+/#/a"]
  }

  expect_failures = [var.topics]
}

run "topic_too_deep" {
  command = plan

  module {
    source = "./modules/iot"
  }

  variables {
    topics = ["a/b/c/d/e/f/g/h/+"]
  }

  expect_failures = [var.topics]
}

run "role_name_too_long" {
  command = plan

  module {
    source = "./modules/iot"
  }

  variables {
    rules = { a_rule_with_a_name_that_is_longer_than_a_role_can_be_called_here = { name = "a", sql = "SELECT * FROM 'a/+'", function_arn = "arn:aws:lambda:ap-northeast-2:123456789012:function:rule:live" } }
  }

  expect_failures = [aws_iam_role.rule]
}

module "iot" {
  source = "./modules/iot"
  count  = local.iot_on

  alarms       = { topic_arn = aws_sns_topic.alarms.arn }
  bucket       = { arn = local.bucket_arn, name = module.lake.bucket }
  claims       = var.devices.claims
  iot_arn      = local.arn.iot
  kms_key_arn  = aws_kms_key.main.arn
  name         = var.name
  provisioning = var.devices.provisioning == "off" ? null : { hook_arn = module.function["iot-provision-hook"].alias_arn, parameters = toset(var.devices.provisioning == "signed" ? ["SerialNumber", "Token"] : ["SerialNumber"]) }
  topics       = local.published
  rules = merge(
    { for name in keys(local.iot) : local.slugs[name] => {
      name         = local.rule_names[local.slugs[name]]
      sql          = local.sql[name]
      function_arn = module.function["iot-rule-${local.slugs[name]}"].alias_arn
    } },
    { for name in keys(local.carried) : "${local.slugs[name]}-delivery" => {
      name     = local.rule_names["${local.slugs[name]}-delivery"]
      sql      = local.sql[name]
      delivery = { arn = "${local.arn.firehose}:deliverystream/${var.name}-${local.slugs[name]}", name = "${var.name}-${local.slugs[name]}" }
    } },
    # AWS IoT tells of certificates that wait for somebody to activate them.
    { for key in ["registered"] : key => {
      name         = local.rule_names[key]
      sql          = "SELECT * FROM '$aws/events/certificates/registered/#'"
      function_arn = module.function["iot-provision-registered"].alias_arn
    } if local.registering },
    { for key, rule in var.devices.rules : key => {
      name       = local.rule_names[key]
      sql        = rule.sql
      delivery   = rule.delivery == null ? null : { arn = "${local.arn.firehose}:deliverystream/${var.name}-${lookup(local.slugs, rule.delivery, "")}", name = "${var.name}-${lookup(local.slugs, rule.delivery, "")}" }
      stream     = rule.stream == null ? null : { arn = "${local.arn.kinesis}:stream/${var.name}-${rule.stream}", name = "${var.name}-${rule.stream}" }
      timestream = rule.timestream == null ? null : merge(rule.timestream, { arn = "${local.arn.timestream}:database/${rule.timestream.database}/table/${rule.timestream.table}" })
      # Else the module tells of it too, and less.
    } if length([for other in local.rule_keys : other if local.rule_names[other] == local.rule_names[key]]) == 1 },
  )

  depends_on = [aws_lambda_permission.iot, module.firehose, module.stream]
}

# Before rules and template, so that no message finds the function closed.
resource "aws_lambda_permission" "iot" {
  for_each = local.invoked

  statement_id   = "iot"
  action         = "lambda:InvokeFunction"
  function_name  = module.function[each.key].name
  qualifier      = reverse(split(":", module.function[each.key].alias_arn))[0]
  principal      = "iot.amazonaws.com"
  source_account = local.account_id
  source_arn     = "${local.arn.iot}:${each.value}"
}

# Registered without proof of its key, which asks devices to send the host's name in TLS (SNI).
resource "aws_iot_ca_certificate" "main" {
  for_each = local.iot_on == 1 ? var.devices.ca_certificates : {}

  active                  = true
  allow_auto_registration = true
  ca_certificate_pem      = each.value
  certificate_mode        = "SNI_ONLY"
}

# Who is told of alerts, and of certificates that no known CA signed.
resource "aws_sns_topic" "devices" {
  count = local.iot_on

  name              = "${var.name}-devices"
  kms_master_key_id = aws_kms_key.main.arn
}

resource "aws_sns_topic_subscription" "devices" {
  for_each = local.iot_on == 1 ? var.devices.emails : []

  topic_arn = aws_sns_topic.devices[0].arn
  protocol  = "email"
  endpoint  = each.value
}

# Somebody who has a serial number or a token that is another device's. Other denials are everyday's.
resource "aws_cloudwatch_metric_alarm" "denied" {
  for_each = contains(keys(local.provisioning), "hook") ? toset(["invalid_token", "used_up"]) : []

  alarm_name          = "${var.name}-iot-provision-hook-${replace(each.key, "_", "-")}"
  alarm_description   = "Devices that were not let in: ${each.key}; see functions/iot-provision."
  namespace           = "Headgate"
  metric_name         = "Denied"
  dimensions          = { Function = module.function["iot-provision-hook"].name, Reason = each.key }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# What a wrong setting would break later and less clearly.
resource "terraform_data" "devices" {
  input = sort(keys(local.iot))

  lifecycle {
    precondition {
      condition     = local.iot_on == 1 || length(var.devices.topics) + length(var.devices.sql) + length(var.devices.rules) + length(var.devices.claims) + length(var.devices.ca_certificates) + length(var.devices.emails) == 0
      error_message = "devices is set, and \"iot\" is not in sources: add it."
    }
    precondition {
      condition     = local.iot_on == 0 || length(setsubtract(concat(keys(var.devices.topics), keys(var.devices.sql)), keys(local.iot))) == 0
      error_message = "devices.topics and devices.sql name what is no dataset with `watch` in ${var.datasets_dir}: ${join(", ", setsubtract(concat(keys(var.devices.topics), keys(var.devices.sql)), keys(local.iot)))}."
    }
    precondition {
      condition     = alltrue([for name, fields in local.told : alltrue([for field in values(fields) : can(regex("^[A-Za-z_][A-Za-z0-9_]*$", field))]) || contains(keys(var.devices.sql), name)])
      error_message = "A column that `watch` names as device, message_id, topic or arrival must be there, with a `path` of one plain name, or a rule cannot say it: ${join(", ", [for name, fields in local.told : "${name}.json" if !alltrue([for field in values(fields) : can(regex("^[A-Za-z_][A-Za-z0-9_]*$", field))])])}. Change the column's path, or write the rule in devices.sql."
    }
    precondition {
      condition     = alltrue([for dataset in local.carried : try(dataset.watch.payload, null) == null])
      error_message = "A message whose payload is packed (watch.payload) cannot go to Firehose by a rule, for nothing unpacks it there: ${join(", ", [for name, dataset in local.carried : "${name}.json" if try(dataset.watch.payload, null) != null])}. Set source.type to kinesis: iot-rule passes on what it has unpacked."
    }
    precondition {
      condition     = length(local.rule_clashes) == 0
      error_message = "Rules would have one name in AWS: ${join("; ", local.rule_clashes)}. Rename that of devices.rules, or the dataset. A dataset with `watch` has a rule of its name, with Firehose <name>-delivery too; `registered` is that of devices.ca_certificates."
    }
    precondition {
      condition     = local.iot_on == 0 || alltrue([for rule in var.devices.rules : rule.stream == null || contains(keys(local.streams), coalesce(rule.stream, "none"))])
      error_message = "devices.rules must go to streams that are there: ${join(", ", keys(local.streams))}."
    }
    precondition {
      condition     = local.iot_on == 0 || alltrue([for rule in var.devices.rules : rule.delivery == null || contains(keys(local.delivered), coalesce(rule.delivery, "none"))])
      error_message = "devices.rules must have as delivery a dataset of Firehose whose source is on: ${length(local.delivered) == 0 ? "there is none" : join(", ", keys(local.delivered))}."
    }
    precondition {
      condition     = local.iot_on == 0 || var.devices.provisioning != "signed" || nonsensitive(var.secrets.token_keys != null)
      error_message = "devices.provisioning is \"signed\": set secrets.token_keys, the keys that sign tokens (see functions/iot-provision)."
    }
  }
}

# Datasets of devices -> their rules' SQL, the tasks of iot-provision, and what of AWS IoT may invoke which function.
locals {
  iot_on     = contains(var.sources, "iot") ? 1 : 0
  alerts_arn = "${local.arn.sns}:${var.name}-devices"

  iot = { for name, dataset in local.served : name => dataset if local.origins[name] == "iot" }

  # Dataset -> where its readings come from.
  filters = { for name in keys(local.iot) : name => lookup(var.devices.topics, name, "sensors/+/${name}") }

  # What a device cannot be trusted to say: for each column that `watch` names for it, the rule's SQL says it, in the field
  # that the column is read from.
  told = { for name, dataset in local.iot : name => { for what in ["device", "message_id", "topic", "arrival"] :
    what => one([for column in dataset.columns : coalesce(try(column.path, null), column.name) if column.name == dataset.watch[what]])
    if try(dataset.watch[what], null) != null
  } }
  said = { for name, filter in local.filters : name => {
    device     = "topic(${index(split("/", filter), "+") + 1})"
    message_id = "newuuid()"
    topic      = "topic()"
    arrival    = "timestamp()"
  } }
  sql = { for name, dataset in local.iot : name => lookup(var.devices.sql, name, join("", [
    "SELECT ",
    join(", ", concat(
      [try(dataset.watch.payload, null) == null ? "*" : "encode(*, 'base64') AS ${dataset.watch.payload}"],
      [for what in ["topic", "device", "arrival", "message_id"] : "${local.said[name][what]} AS ${local.told[name][what]}" if try(local.told[name][what], null) != null],
    )),
    " FROM '${local.filters[name]}'",
  ])) }

  # What devices may publish: where rules look for messages, as far as that says whose they are.
  published = toset(concat(values(local.filters), [for rule in var.devices.rules : regex("(?i)\\sFROM\\s+'([^']+)'", rule.sql)[0] if can(regex("(?i)\\sFROM\\s+'([^+#/$*?'\" ]+/)*\\+(/([^+#/$*?'\" ]+|\\+))*(/#)?'", rule.sql))]))

  # Those that a rule carries to Firehose, for the function only watches them.
  carried = { for name, dataset in local.iot : name => dataset if contains(keys(local.delivered), name) }

  # Rule -> its name in AWS.
  rule_keys    = concat([for name in keys(local.iot) : local.slugs[name]], [for name in keys(local.carried) : "${local.slugs[name]}-delivery"], local.registering ? ["registered"] : [], local.iot_on == 1 ? keys(var.devices.rules) : [])
  rule_names   = { for key in toset(local.rule_keys) : key => replace("${var.name}_${key}", "/[^a-zA-Z0-9_]/", "_") }
  rule_clashes = [for name in distinct(values(local.rule_names)) : join(" and ", [for key in local.rule_keys : key if local.rule_names[key] == name]) if length([for key in local.rule_keys : key if local.rule_names[key] == name]) > 1]

  # A function each for the two tasks, with the permissions of its own.
  registering = local.iot_on == 1 && length(var.devices.ca_certificates) > 0
  provisioning = merge(
    { for task in ["hook"] : task => {
      settings = { ALLOW = var.devices.provisioning, CLAIMS = join(",", sort(var.devices.claims)), TEMPLATES = var.name }
      secrets  = var.devices.provisioning == "signed" ? ["TOKEN_KEYS"] : []
      permissions = {
        state = { actions = ["dynamodb:GetItem", "dynamodb:PutItem"], resources = [local.state_arn] }
      }
    } if local.iot_on == 1 && var.devices.provisioning != "off" },
    { for task in ["registered"] : task => {
      settings = { ALLOW = "listed", CA_POLICIES = join(",", [for ca in aws_iot_ca_certificate.main : "${ca.id}=${var.name}-device"]) }
      secrets  = []
      permissions = {
        alerts       = { actions = ["sns:Publish"], resources = [local.alerts_arn] }
        certificates = { actions = ["iot:AttachPolicy", "iot:DescribeCertificate", "iot:UpdateCertificate"], resources = ["${local.arn.iot}:cert/*"] }
        state        = { actions = ["dynamodb:GetItem", "dynamodb:PutItem"], resources = [local.state_arn] }
        things       = { actions = ["iot:CreateThing"], resources = ["${local.arn.iot}:thing/*"] }
        # AWS has no finer grain.
        attach = { actions = ["iot:AttachThingPrincipal"], resources = ["*"] }
      }
    } if local.registering },
  )

  # Function -> what of AWS IoT may invoke it.
  invoked = merge(
    { for name in keys(local.iot) : "iot-rule-${local.slugs[name]}" => "rule/${local.rule_names[local.slugs[name]]}" },
    { for task in keys(local.provisioning) : "iot-provision-${task}" => task == "hook" ? "provisioningtemplate/${var.name}" : "rule/${local.rule_names.registered}" },
  )
}

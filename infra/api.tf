locals {
  # Stream -> datasets that take records over HTTP; windows and messages of devices have a sender of their own.
  posted = contains(var.sources, "api") ? { for stream, read in local.streams : stream => [for name in read.datasets : name if local.origins[name] == "kinesis" && !can(local.datasets[name].window.key)] } : {}

  # KEY, or DATASET:KEY. To a stream's function go those that it can have a use for: it refuses to start with a key of a
  # dataset that it does not serve.
  signers = var.secrets.signing_keys == null ? [] : [for key in split(",", var.secrets.signing_keys) : trimspace(key)]
  signing_keys = { for stream, names in local.posted : "api-ingest-${stream}" => join(",", [
    for key in local.signers : key if !strcontains(key, ":") || anytrue([for name in names : startswith(key, "${name}:")])
  ]) }
  # Whom the keys are for is no secret.
  signed          = var.api.auth == "iam" ? [] : flatten(values(local.posted))
  without_key     = nonsensitive([for name in local.signed : name if !anytrue([for key in local.signers : !strcontains(key, ":") || startswith(key, "${name}:")])])
  signers_of_none = nonsensitive([for number, key in local.signers : number + 1 if strcontains(key, ":") && !anytrue([for name in local.signed : startswith(key, "${name}:")])])
}

module "api" {
  source = "./modules/api"
  count  = contains(var.sources, "api") ? 1 : 0

  access_log_days = var.functions.log_retention_days
  alarm_topic_arn = aws_sns_topic.alarms.arn
  auth            = var.api.auth
  kms_key_arn     = aws_kms_key.main.arn
  name            = var.name
  routes          = merge([for stream, names in local.posted : { for name in names : name => module.function["api-ingest-${stream}"].alias_arn }]...)
  throttle        = { burst = var.api.burst, rate = var.api.rate }
}

# Somebody who knows a key's name and not the key, or a sender with an old one; a single stray says nothing.
resource "aws_cloudwatch_metric_alarm" "forged" {
  for_each = var.api.auth == "iam" ? {} : merge([for stream, names in local.posted : { for name in names : name => stream }]...)

  alarm_name          = "${var.name}-api-ingest-${each.value}-${local.slugs[each.key]}-wrong-signature"
  alarm_description   = "Requests for ${each.key} whose signature is wrong; see functions/api-ingest."
  namespace           = "Headgate"
  metric_name         = "RequestsRefused"
  dimensions          = { Dataset = each.key, Function = "${var.name}-api-ingest-${each.value}", Reason = "wrong_signature" }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# Not in the function, whose ARN the API has: each would wait for the other.
resource "aws_lambda_permission" "api" {
  for_each = { for stream, names in local.posted : stream => names if length(names) > 0 }

  statement_id  = "api"
  action        = "lambda:InvokeFunction"
  function_name = module.function["api-ingest-${each.key}"].name
  qualifier     = "live"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${module.api[0].execution_arn}/*/POST/*"
}

module "function" {
  source   = "./modules/function"
  for_each = local.instances

  alarms      = { topic_arn = aws_sns_topic.alarms.arn, dataset = each.value.dataset, metrics = merge(local.metrics[each.value.package], try(each.value.metrics, {})), age_seconds = var.alarms.iterator_age_seconds }
  description = "${each.value.package} for ${coalesce(each.value.dataset, try(each.value.about, null), "devices")}."
  failures    = { bucket_arn = local.bucket_arn }
  kms_key_arn = aws_kms_key.main.arn
  name        = "${var.name}-${each.key}"
  package     = "${local.packages_dir}/${each.value.package}/bootstrap.zip"
  permissions = each.value.permissions
  runtime = {
    architecture       = var.functions.architecture
    concurrency        = try(var.functions.sizes[each.key].concurrency, null)
    ephemeral_mb       = coalesce(try(var.functions.sizes[each.key].ephemeral_mb, null), try(each.value.ephemeral_mb, null), 512)
    log_retention_days = var.functions.log_retention_days
    memory_mb          = coalesce(try(var.functions.sizes[each.key].memory_mb, null), local.packages[each.value.package].memory_mb)
    pinned_version     = try(var.functions.pinned_versions[each.key], null)
    timeout_seconds    = coalesce(try(var.functions.sizes[each.key].timeout_seconds, null), local.packages[each.value.package].timeout_seconds)
  }
  secrets  = { for name in each.value.secrets : name => name == "SIGNING_KEYS" ? local.signing_keys[each.key] : local.secrets[name] }
  settings = merge(each.value.settings, each.value.dataset == null ? {} : { DATASET = each.value.dataset }, { AWS_LAMBDA_LOG_LEVEL = var.functions.log_level, DATASETS_DIR = local.packaged_datasets })
  # A topic's mapping takes partial batches with pollers of its own alone.
  trigger = merge(each.value.trigger, { partial_batches = local.packages[each.value.package].partial_batches && (each.value.trigger.kind != "kafka" || try(each.value.trigger.pollers, null) != null) })

  # Of the lake the bucket alone, which Lambda looks for: the rest takes a minute longer.
  depends_on = [aws_dynamodb_table.state, module.lake.bucket]
}

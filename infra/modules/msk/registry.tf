locals {
  registry = var.registry == null ? null : coalesce(var.registry.existing_name, var.name)
}

resource "aws_glue_registry" "main" {
  count = var.registry == null ? 0 : var.registry.existing_name == null ? 1 : 0

  registry_name = var.name
  description   = "Schemas of what is in ${local.cluster}."
}

# Of the account's own registry ARN where it is not made here: the ARN of that one says it all.
resource "aws_glue_schema" "main" {
  for_each = var.registry == null ? {} : var.registry.schemas

  schema_name       = each.key
  registry_arn      = length(aws_glue_registry.main) > 0 ? aws_glue_registry.main[0].arn : "${replace(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]+", var.kms_key_arn), ":kms:", ":glue:")}:registry/${local.registry}"
  compatibility     = each.value.compatibility
  data_format       = each.value.format
  schema_definition = each.value.definition
}

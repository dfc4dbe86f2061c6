locals {
  # Dataset -> where its change files are: <folder>/<schema>/<table>/.
  places = { for name, dataset in local.served : name => regex("^(?P<folder>.*)/(?P<schema>[^/]+)/(?P<table>[^/]+)/$", dataset.source.prefix) if local.origins[name] == "cdc" && can(regex("^(.*)/([^/]+)/([^/]+)/$", dataset.source.prefix)) }

  # What would come to nothing, silently: schemas of databases without a dataset, and datasets that no database's task reads.
  schemas_of_none = flatten([for name, database in var.databases : [for schema in sort(database.schemas) : "${schema} (${name})"
  if !anytrue([for place in local.places : place.folder == database.folder && place.schema == schema])]])
  unread = length(var.databases) == 0 ? [] : [for name in keys(local.served) : name if local.origins[name] == "cdc" && !anytrue([for database in var.databases :
  try(local.places[name].folder == database.folder && contains(database.schemas, local.places[name].schema), false)])]
}

check "databases" {
  assert {
    condition     = length(local.schemas_of_none) == 0
    error_message = "No cdc dataset is of a table of ${join(", ", local.schemas_of_none)}: nothing of it is read. Add a dataset whose source.prefix is <folder>/<schema>/<table>/, or take the schema out of databases."
  }
  assert {
    condition     = length(local.unread) == 0
    error_message = "No database has the schema of ${join(", ", local.unread)}: they have a table and a function, and no task of DMS that fills them. Where nothing else does, add the schema to databases, or correct source.prefix (<folder>/<schema>/<table>/)."
  }
}

module "database" {
  source   = "./modules/database"
  for_each = var.databases

  alarms      = { latency_seconds = var.alarms.database_lag_seconds, topic_arn = aws_sns_topic.alarms.arn }
  bucket      = { arn = local.bucket_arn, name = module.lake.bucket }
  compute     = { instance_class = each.value.instance_class, multi_az = each.value.multi_az, serverless_units = each.value.serverless_units }
  folder      = each.value.folder
  kms_key_arn = aws_kms_key.main.arn
  name        = "${var.name}-${each.key}"
  network     = { security_group_ids = each.value.security_group_ids, subnet_ids = each.value.subnet_ids }
  source_database = {
    certificate_arn    = each.value.certificate_arn
    database           = each.value.database
    engine             = each.value.engine
    plugin_name        = each.value.plugin_name
    secret_arn         = each.value.secret_arn
    secret_kms_key_arn = each.value.secret_kms_key_arn
    slot_name          = each.value.slot_name
  }
  start = each.value.start
  tables = { for name, place in local.places : name => {
    before_image_prefix = try(local.datasets[name].source.before_image_prefix, null)
    csv_null            = try(local.datasets[name].source.csv.null, "NULL")
    format              = local.datasets[name].source.format
    header              = try(local.datasets[name].source.csv.header, false)
    op_column           = try(local.datasets[name].source.op_column, "Op")
    order_column        = try(local.datasets[name].source.order_column, null)
    schema              = place.schema
    table               = place.table
    timestamp_column    = try(local.datasets[name].source.timestamp_column, null)
  } if place.folder == each.value.folder && contains(each.value.schemas, place.schema) }
}

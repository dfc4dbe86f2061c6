# Dataset -> table: columns in Hive's types, partitions, where its files are.
locals {
  # Every type's text in use, without the spaces that Hive does not read. A name within a struct ends at `:`, so a type is
  # what stands at the beginning or after `list<` and `:`.
  texts = toset(flatten([
    for dataset in var.datasets : [for column in try(dataset.columns, []) : column.type]
  ]))
  hive = { for text in local.texts : text => replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(
    replace(text, "/\\s*([:,<>()])\\s*/", "$1"),
    "/(^|list<|:)int32\\b/", "$${1}int"),
    "/(^|list<|:)int64\\b/", "$${1}bigint"),
    "/(^|list<|:)uint64\\b/", "$${1}decimal(20,0)"),
    "/(^|list<|:)float32\\b/", "$${1}float"),
    "/(^|list<|:)float64\\b/", "$${1}double"),
    "/(^|list<|:)timestamp\\((ms|us)\\)/", "$${1}timestamp"),
    "/(^|list<|:)json\\b/", "$${1}string"),
    # Microseconds since midnight: Athena has no time in a table of files.
    "/(^|list<|:)time($|[,>])/", "$${1}bigint$${2}"),
    "/\\blist</", "array<"),
    "/,\\s+/", ",")
  }
  # What firehose-transform writes as text, Firehose's conversion keeps as text.
  firehose_hive = { for text in local.texts : text => contains(["time", "binary"], text) ? "string" : local.hive[text] }

  # The type of a measure of a window, by what it is made of.
  sums = { for text in local.texts : text => (
    can(regex("^decimal", text)) ? "decimal(38,${trimspace(trimsuffix(split(",", text)[1], ")"))})" : can(regex("^float", text)) ? "double" : "decimal(38,0)"
  ) }

  parts = { none = [], year = ["year"], month = ["year", "month"], day = ["year", "month", "day"], hour = ["year", "month", "day", "hour"] }
  ranges = {
    year  = { range = join(",", var.partition_years), digits = "4" }
    month = { range = "1,12", digits = "2" }
    day   = { range = "1,31", digits = "2" }
    hour  = { range = "0,23", digits = "2" }
  }

  types = { for name, dataset in var.datasets : name => {
    for column in try(dataset.columns, []) : column.name => (try(dataset.source.type, "") == "firehose" ? local.firehose_hive : local.hive)[column.type]
  } }

  columns = { for name, dataset in var.datasets : name => (
    can(dataset.window.key) ? concat(
      [{ name = "window_start", type = "timestamp" }, { name = "window_end", type = "timestamp" }, { name = "shard", type = "string" }],
      [for key in dataset.window.key : { name = key, type = local.types[name][key] }],
      flatten([for measure in dataset.window.measures : concat(
        [{
          name = measure.name
          type = (
            contains(["count", "distinct"], measure.function) ? "bigint" :
            measure.function == "sum" ? local.sums[[for column in dataset.columns : column.type if column.name == measure.column][0]] :
            local.types[name][measure.column]
          )
        }],
        measure.function == "distinct" ? [{ name = "${measure.name}_sketch", type = "binary" }] : [],
      )]),
      ) : concat(
      [for column in try(dataset.columns, []) : { name = column.name, type = local.types[name][column.name] } if !contains(try(dataset.partition_by.columns, []), column.name)],
      contains(["saas", "stream"], dataset.kind) && try(dataset.unknown_fields, "keep") == "keep" ? [{ name = "_extra", type = "string" }] : [],
    )
  ) }

  tables = { for name, dataset in var.datasets : name => {
    table       = replace(lower(name), "/[^a-z0-9_]/", "_")
    description = try(dataset.description, null)
    columns     = local.columns[name]
    versioned   = try(dataset.target.publish, "replace") == "versioned"
    folder      = try(dataset.target.prefix, "${dirname(dataset.target.snapshot)}/")
    times       = dataset.kind == "stream" ? local.parts[try(dataset.partition_by.time, "hour")] : []
    values      = dataset.kind == "stream" ? try(dataset.partition_by.columns, []) : []
    # Where a column says which values it may have, Athena can go through them; else a query has to name one.
    one_of = { for column in try(dataset.columns, []) : column.name => [for value in try(column.one_of, []) : tostring(value)] }
  } }

  # Whose columns nobody declared: the crawler reads them from the files.
  crawled = { for name, table in local.tables : name => table if length(table.columns) == 0 }

  projections = { for name, table in local.tables : name => length(table.times) + length(table.values) == 0 ? {} : merge(
    {
      "projection.enabled"        = "true"
      "storage.location.template" = "s3://${var.bucket}/${table.folder}${join("", [for part in concat(table.times, table.values) : "${part}=$${${lower(part)}}/"])}"
    },
    { for part in table.times : "projection.${part}.type" => "integer" },
    { for part in table.times : "projection.${part}.range" => local.ranges[part].range },
    { for part in table.times : "projection.${part}.digits" => local.ranges[part].digits },
    { for part in table.values : "projection.${lower(part)}.type" => length(table.one_of[part]) > 0 ? "enum" : "injected" },
    { for part in table.values : "projection.${lower(part)}.values" => join(",", table.one_of[part]) if length(table.one_of[part]) > 0 },
  ) }
}

# Dataset files -> what is wrong in them that would stop a plan later and less clearly. All that is wrong `headgate check` says.
locals {
  kinds    = ["cdc", "saas", "stream"]
  formats  = { cdc = ["csv", "debezium_json", "parquet"], saas = ["csv", "json", "parquet"] }
  carriers = ["firehose", "kafka", "kinesis"]
  times    = ["none", "year", "month", "day", "hour"]
  measured = ["count", "sum", "min", "max", "distinct", "last"]
  types    = "^((string|int32|int64|uint64|float32|float64|boolean|date|time|binary|json|timestamp\\((ms|us)\\)|decimal\\([0-9]+, ?[0-9]+\\))|(list|struct)<[\\s\\S]+>)$"

  # Of each column, measure and name that is to be of a column, what can be read of it.
  listed = { for name, given in var.files : name => {
    columns  = try([for column in concat(given.columns, []) : { name = try(tostring(column.name), null), type = try(tostring(column.type), null) }], [])
    parts    = try([for column in concat(given.partition_by.columns, []) : tostring(column)], [])
    keys     = try([for column in concat(given.window.key, []) : tostring(column)], [])
    measures = try([for measure in concat(given.window.measures, []) : { name = try(tostring(measure.name), null), function = try(tostring(measure.function), null), column = try(tostring(measure.column), null) }], [])
  } }
  names = { for name, listed in local.listed : name => [for column in listed.columns : column.name if column.name != null] }

  # File -> field and what is wrong with it.
  field_problems = { for name, given in var.files : name => !can(keys(given)) ? ["is no JSON object"] : concat(
    [for problem in [
      { field = "name", is = try(given.name, null), right = try(given.name == name, false), must = "must be the file's, \"${name}\"" },
      { field = "kind", is = try(given.kind, null), right = try(contains(local.kinds, given.kind), false), must = "must be one of ${join(", ", local.kinds)}" },
      { field = "source.type", is = try(given.source.type, null), right = try(given.kind, "") != "stream" || try(contains(local.carriers, given.source.type), false), must = "must be one of ${join(", ", local.carriers)}" },
      { field = "source.format", is = try(given.source.format, null), right = try(contains(local.formats[given.kind], given.source.format), !can(local.formats[given.kind])), must = "must be one of ${join(", ", try(local.formats[given.kind], []))}" },
      { field = "source.prefix", is = try(given.source.prefix, null), right = !can(local.formats[given.kind]) || try(given.kind == "saas" && !can(given.source.prefix), false) || can(regex("^([^/]+/)+$", given.source.prefix)), must = "must be a folder that ends in `/`, such as \"cdc/shop/orders/\"" },
      { field = "source.changes", is = try(given.source.changes, null), right = !can(given.source.changes) || can(regex("^([^/]+/)+$", given.source.changes)), must = "must be a folder that ends in `/`" },
      { field = "source.flow", is = try(given.source.flow, null), right = try(given.kind, "") != "saas" || can(regex(".", given.source.flow)), must = "must be the name of a flow" },
      { field = "columns", is = null, right = can(concat(given.columns, [])) || (try(given.kind, "") == "cdc" && !can(given.columns)) || !try(contains(local.kinds, given.kind), false), must = "must be a list of columns" },
      { field = "partition_by.time", is = try(given.partition_by.time, null), right = !can(given.partition_by.time) || try(contains(local.times, given.partition_by.time), false), must = "must be one of ${join(", ", local.times)}" },
      { field = "window.key", is = null, right = !can(given.window) || can(concat(given.window.key, [])), must = "must be a list of columns; [] for all records together" },
      { field = "window.measures", is = null, right = !can(given.window) || can(given.window.measures[0]), must = "must be a list with a measure or more" },
      { field = "watch.alerts", is = null, right = !can(given.watch) || can(given.watch.alerts[0]), must = "must be a list with an alert or more" },
      { field = "target.prefix", is = try(given.target.prefix, null), right = try(given.kind, "") != "stream" || can(regex("^([^/]+/)+$", given.target.prefix)), must = "must be a folder that ends in `/`, such as \"raw/${name}/\"" },
      { field = "target.snapshot", is = try(given.target.snapshot, null), right = !can(local.formats[given.kind]) || can(regex("^([^/]+/)+[^/]+\\.parquet$", given.target.snapshot)), must = "must be a file in a folder, such as \"curated/${name}/snapshot.parquet\"" },
    ] : "${problem.field} ${problem.is == null ? problem.must : "is ${jsonencode(problem.is)}, and ${problem.must}"}" if !problem.right],
    [for index, column in local.listed[name].columns : "columns[${index}].name must be a text" if column.name == null],
    [for index, column in local.listed[name].columns : "columns[${index}].type${column.name == null ? "" : " (of ${column.name})"} ${column.type == null ? "must be a type" : "is \"${column.type}\", and must be a type that is known"}, such as string, int64, float64, timestamp(ms) or decimal(10,2)" if !can(regex(local.types, column.type))],
    [for column in distinct([for column in local.names[name] : lower(column)]) : "columns has ${column} more than once, which a table does not tell apart" if length([for other in local.names[name] : other if lower(other) == column]) > 1],
    [for column in setsubtract(local.listed[name].parts, local.names[name]) : "partition_by.columns names ${column}, which is none of the columns"],
    [for column in setsubtract(local.listed[name].keys, local.names[name]) : "window.key names ${column}, which is none of the columns"],
    [for index, measure in local.listed[name].measures : "window.measures[${index}] must have a name, a function (${join(", ", local.measured)}), and the column that it is of" if !try(measure.name != null && contains(local.measured, measure.function) && (measure.column == null ? measure.function == "count" : contains(local.names[name], measure.column)), false)],
  ) }

  # Without those, for a second message would say less than the first.
  readable = { for name, given in var.files : name => given if length(local.field_problems[name]) == 0 }
  sorted   = sort(keys(local.readable))
  pairs    = flatten([for index, one in local.sorted : [for other in slice(local.sorted, index + 1, length(local.sorted)) : { one = one, other = other }]])

  # What a dataset's name becomes: functions and queues, tables and rules.
  called  = { for name in local.sorted : name => [lower(replace(name, "/[^A-Za-z0-9_-]+/", "-")), replace(lower(name), "/[^a-z0-9_]/", "_")] }
  clashes = [for pair in local.pairs : pair if length(setintersection(local.called[pair.one], local.called[pair.other])) > 0]

  # What a dataset reads or writes alone, as `headgate check` has it.
  areas = { for name, given in local.readable : name => (
    given.kind == "stream" ? [{ field = "target.prefix", folder = given.target.prefix }] :
    [for area in [
      { field = "source.prefix", folder = given.kind == "cdc" ? given.source.prefix : try(given.source.prefix, "raw/saas/${given.source.flow}/") },
      { field = "source.changes", folder = given.kind == "cdc" ? "" : try(given.source.changes, "cdc/saas/${name}/") },
      { field = "folder of target.snapshot", folder = "${dirname(given.target.snapshot)}/" },
    ] : area if area.folder != ""]
  ) }
  overlaps = flatten([for pair in local.pairs : [for one in local.areas[pair.one] : [for other in local.areas[pair.other] :
    "${pair.one}.json and ${pair.other}.json: the ${one.field} of the one is ${one.folder}, the ${other.field} of the other ${other.folder}; give each a folder of its own"
    # Two tables may be made of the same change files.
    if(startswith(one.folder, other.folder) || startswith(other.folder, one.folder)) && !(one.folder == other.folder && one.field == "source.prefix" && other.field == "source.prefix")
  ]]])

  problems = concat(
    flatten([for name, problems in local.field_problems : [for problem in problems : "${name}.json: ${problem}"]]),
    [for pair in local.clashes : "${pair.one}.json and ${pair.other}.json: the names differ only in signs that the name of a table or a function cannot have; rename one"],
    local.overlaps,
  )
}

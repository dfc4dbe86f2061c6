# Dataset files that are wrong: each is told by file and field, and nothing is planned of them.
variables {
  folder = "datasets"
}

run "wrong_fields" {
  command = plan

  module {
    source = "./modules/datasets"
  }

  variables {
    files = { for name in ["array", "columnless", "columns", "folderless", "kind", "kindless", "partitions", "prefix", "product", "sourceless", "targetless", "watched", "windowless", "windows"] :
    name => jsondecode(file("./tests/fixtures/broken/fields/${name}.json")) }
  }

  expect_failures = [output.datasets]

  assert {
    condition = join("\n", local.problems) == join("\n", [
      "array.json: is no JSON object",
      "columnless.json: columns must be a list of columns",
      "columns.json: columns[0].name must be a text",
      "columns.json: columns[1].type (of untyped) must be a type, such as string, int64, float64, timestamp(ms) or decimal(10,2)",
      "columns.json: columns[2].type (of mistyped) is \"sting\", and must be a type that is known, such as string, int64, float64, timestamp(ms) or decimal(10,2)",
      "columns.json: columns has id more than once, which a table does not tell apart",
      "folderless.json: source.prefix is \"cdc/shop/folderless\", and must be a folder that ends in `/`, such as \"cdc/shop/orders/\"",
      "folderless.json: target.snapshot is \"snapshot.parquet\", and must be a file in a folder, such as \"curated/folderless/snapshot.parquet\"",
      "kind.json: kind is \"streem\", and must be one of cdc, saas, stream",
      "kindless.json: kind must be one of cdc, saas, stream",
      "partitions.json: partition_by.time is \"week\", and must be one of none, year, month, day, hour",
      "partitions.json: partition_by.columns names shop, which is none of the columns",
      "prefix.json: target.prefix is \"raw/prefix\", and must be a folder that ends in `/`, such as \"raw/prefix/\"",
      "product.json: source.format is \"xml\", and must be one of csv, json, parquet",
      "product.json: source.flow must be the name of a flow",
      "product.json: target.snapshot is \"curated/product/snapshot.csv\", and must be a file in a folder, such as \"curated/product/snapshot.parquet\"",
      "sourceless.json: source.type must be one of firehose, kafka, kinesis",
      "targetless.json: source.type is \"fax\", and must be one of firehose, kafka, kinesis",
      "targetless.json: target.prefix must be a folder that ends in `/`, such as \"raw/targetless/\"",
      "watched.json: watch.alerts must be a list with an alert or more",
      "windowless.json: window.key must be a list of columns; [] for all records together",
      "windowless.json: window.measures must be a list with a measure or more",
      "windows.json: window.key names page, which is none of the columns",
      "windows.json: window.measures[1] must have a name, a function (count, sum, min, max, distinct, last), and the column that it is of",
      "windows.json: window.measures[2] must have a name, a function (count, sum, min, max, distinct, last), and the column that it is of",
    ])
    error_message = "What is told: ${join("\n", local.problems)}"
  }
}

run "wrong_together" {
  command = plan

  module {
    source = "./modules/datasets"
  }

  variables {
    files = { for name in ["a b", "a-b", "a_b", "inner", "outer", "read", "read_too", "same", "twin", "within"] :
    name => jsondecode(file("./tests/fixtures/broken/together/${name}.json")) }
  }

  expect_failures = [output.datasets]

  assert {
    condition = join("\n", local.problems) == join("\n", [
      "a b.json and a-b.json: the names differ only in signs that the name of a table or a function cannot have; rename one",
      "a b.json and a_b.json: the names differ only in signs that the name of a table or a function cannot have; rename one",
      "a-b.json and a_b.json: the names differ only in signs that the name of a table or a function cannot have; rename one",
      "inner.json and outer.json: the target.prefix of the one is raw/outer/inner/, the target.prefix of the other raw/outer/; give each a folder of its own",
      "read.json and within.json: the folder of target.snapshot of the one is curated/read/, the folder of target.snapshot of the other curated/read/old/; give each a folder of its own",
      "same.json and twin.json: the target.prefix of the one is raw/same/, the target.prefix of the other raw/same/; give each a folder of its own",
    ])
    error_message = "What is told, of each pair once: ${join("\n", local.problems)}"
  }
}

run "flows" {
  command = plan

  module {
    source = "./modules/datasets"
  }

  variables {
    files = {
      deals   = jsondecode(file("./tests/fixtures/saas/deals.json"))
      again   = merge(jsondecode(file("./tests/fixtures/saas/deals.json")), { name = "again", target = { snapshot = "curated/again/snapshot.parquet" } })
      reads   = { name = "reads", kind = "cdc", source = { format = "csv", prefix = "cdc/saas/deals/" }, target = { snapshot = "curated/reads/snapshot.parquet" } }
      tickets = jsondecode(file("./tests/fixtures/saas/tickets.json"))
    }
  }

  expect_failures = [output.datasets]

  assert {
    condition     = local.problems == ["deals.json and reads.json: the source.changes of the one is cdc/saas/deals/, the source.prefix of the other cdc/saas/deals/; give each a folder of its own"]
    error_message = "One flow may fill several tables; where its runs are noted, nobody else reads: ${join("\n", local.problems)}"
  }
}

run "right" {
  command = plan

  module {
    source = "./modules/datasets"
  }

  variables {
    files = merge(
      { for name in ["clicks", "clicks_by_country", "customers", "invoices", "logs"] : name => jsondecode(file("./tests/fixtures/datasets/${name}.json")) },
      { for name in ["pressure", "temperature", "vibration"] : name => jsondecode(file("./tests/fixtures/devices/${name}.json")) },
      { for name in ["orders", "page_views", "salesforce_account", "shipments"] : name => jsondecode(file("./datasets/${name}.json")) },
    )
  }

  assert {
    condition     = length(keys(output.datasets)) == 12 && output.datasets.clicks.kind == "stream"
    error_message = "What is right is taken as it is."
  }
}

run "wrong_variables" {
  command = plan

  module {
    source = "./modules/datasets"
  }

  variables {
    files  = "datasets"
    folder = ""
  }

  expect_failures = [var.files, var.folder]
}

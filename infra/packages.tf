# Packages -> whether they hold the dataset files that the tables and permissions are made of. Else a table would have a
# column that its function does not know of.
locals {
  packed_file = "${local.packages_dir}/datasets.json"
  # Name -> hash. Not there where another tool than infra/package made the zips.
  packed = fileexists(local.packed_file) ? jsondecode(file(local.packed_file)) : null
  meant  = { for name in keys(local.datasets) : "${name}.json" => filesha256("${local.datasets_dir}/${name}.json") }
  differ = local.packed == null ? [] : [for name in setunion(keys(local.meant), keys(local.packed)) : name if try(local.packed[name], "") != try(local.meant[name], "")]
}

resource "terraform_data" "packages" {
  input = local.packages_dir

  lifecycle {
    precondition {
      condition     = length(local.differ) == 0
      error_message = "The packages hold other dataset files than ${var.datasets_dir}: ${join(", ", local.differ)}. Pack them again: infra/package (with --datasets ${var.datasets_dir} where that is not infra/datasets)."
    }
  }
}

# The provider asks for the code's hash when it deploys, and never looks at it again: code that somebody else deployed, and an
# apply that failed halfway, would stay unseen.
check "code" {
  assert {
    condition     = alltrue([for function in module.function : function.code.deployed == function.code.package])
    error_message = "Other code than that of the packages is deployed, by other means or by an apply that failed: ${join(", ", [for name, function in module.function : name if function.code.deployed != function.code.package])}. Bring the packages' code with `aws lambda update-function-code --publish --function-name ${var.name}-… --zip-file fileb://…`, and apply again."
  }
}

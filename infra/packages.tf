# Packages -> whether they are what infra/package made last, of the dataset files that the tables and permissions are made of,
# for the machine that the functions run on. Else a table would have a column that its function does not know of.
locals {
  # Not there where another tool than infra/package made the zips.
  manifest_file = "${local.packages_dir}/packages.json"
  manifest      = fileexists(local.manifest_file) ? jsondecode(file(local.manifest_file)) : null
  meant         = { for name in keys(local.files) : "${name}.json" => filesha256("${local.datasets_dir}/${name}.json") }

  differ = local.manifest == null ? [] : [for name in setunion(keys(local.meant), keys(local.manifest.datasets)) : name if try(local.manifest.datasets[name], "") != try(local.meant[name], "")]

  # A zip that is missing, the function itself misses.
  stale = local.manifest == null ? [] : [for package in distinct([for instance in local.instances : instance.package]) : package if try(filesha256("${local.packages_dir}/${package}/bootstrap.zip") != try(local.manifest.functions[package], ""), false)]

  strangers = setsubtract(concat(keys(var.functions.sizes), keys(var.functions.pinned_versions)), keys(local.instances))
}

resource "terraform_data" "packages" {
  input = local.packages_dir

  lifecycle {
    precondition {
      condition     = length(local.differ) == 0
      error_message = "The packages hold other dataset files than ${var.datasets_dir}: ${join(", ", local.differ)}. Pack them again: infra/package, with --datasets where datasets_dir is another folder than infra/datasets."
    }
    precondition {
      condition     = length(local.stale) == 0
      error_message = "In ${var.packages_dir}, the packages of ${join(", ", local.stale)} are not of the last run of infra/package. Build all functions, and pack them again."
    }
    precondition {
      condition     = local.manifest == null || try(local.manifest.architecture, "") == var.functions.architecture
      error_message = "The packages are for ${try(local.manifest.architecture, "another machine")}, and functions.architecture is ${var.functions.architecture}: set it, or build for it (`cargo lambda build --release${var.functions.architecture == "arm64" ? " --arm64" : ""} …`) and pack again."
    }
    # A name that is none would be passed over: a rollback that rolls nothing back.
    precondition {
      condition     = length(local.strangers) == 0
      error_message = "functions.sizes or functions.pinned_versions names functions that are not there: ${join(", ", local.strangers)}. There are ${join(", ", keys(local.instances))}."
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

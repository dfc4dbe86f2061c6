# What the packages hold, and what runs.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  account_id   = "123456789012"
  datasets_dir = "tests/fixtures/packed/datasets"
  packages_dir = "tests/fixtures/packed"
  region       = "ap-northeast-2"
  sources      = ["cdc"]
  streams      = {}
}

# Packed before customers.json was changed, invoices.json came, and while there was a refunds.json.
run "packed_before_a_dataset_changed" {
  command = plan

  expect_failures = [terraform_data.packages]

  assert {
    condition     = local.differ == tolist(["customers.json", "invoices.json", "refunds.json"])
    error_message = "Each file that differs is named: ${join(", ", local.differ)}."
  }
}

run "packed_as_it_is" {
  command = plan

  variables {
    packages_dir = "tests/fixtures/built"
  }

  assert {
    condition     = local.manifest != null && length(local.differ) + length(local.stale) == 0
    error_message = "What was packed last, of these files and for this machine, is deployed."
  }
}

run "packed_for_another_machine" {
  command = plan

  variables {
    functions    = { architecture = "x86_64" }
    packages_dir = "tests/fixtures/built"
  }

  expect_failures = [terraform_data.packages]
}

# kinesis-consumer is of a run before the last one.
run "packed_in_part" {
  command = plan

  variables {
    packages_dir = "tests/fixtures/built"
    sources      = ["cdc", "kinesis"]
  }

  expect_failures = [terraform_data.packages]

  assert {
    condition     = length(local.differ) == 0 && tolist(local.stale) == tolist(["kinesis-consumer"])
    error_message = "The package that is left is named, and no other: ${join(", ", local.stale)}."
  }
}

run "packed_since" {
  command = plan

  variables {
    packages_dir = "tests/fixtures/packages"
  }

  assert {
    condition     = length(local.differ) == 0
    error_message = "Zips of another tool are taken as they are."
  }
}

run "a_rollback_of_nothing" {
  command = plan

  variables {
    functions    = { pinned_versions = { "headgate-dms-merge-customers" = "7" } }
    packages_dir = "tests/fixtures/packages"
  }

  expect_failures = [terraform_data.packages]
}

run "code_of_somebody_else" {
  command = plan

  variables {
    packages_dir = "tests/fixtures/packages"
  }

  override_resource {
    target          = module.function["dms-merge-customers"].aws_lambda_function.main
    override_during = plan
    values = {
      arn         = "arn:aws:lambda:ap-northeast-2:123456789012:function:function"
      code_sha256 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
      version     = "3"
    }
  }

  expect_failures = [check.code]
}

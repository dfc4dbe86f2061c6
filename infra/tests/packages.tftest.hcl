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

run "code_of_somebody_else" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    alarms      = { topic_arn = "arn:aws:sns:ap-northeast-2:123456789012:alarms", age_seconds = 600 }
    description = "A function."
    failures    = { bucket_arn = "arn:aws:s3:::lake" }
    kms_key_arn = "arn:aws:kms:ap-northeast-2:123456789012:key/11111111-2222-3333-4444-555555555555"
    name        = "headgate-f"
    package     = "./tests/fixtures/packages/dms-merge/bootstrap.zip"
    permissions = {}
    runtime     = { architecture = "arm64", log_retention_days = 30, memory_mb = 512, timeout_seconds = 100 }
    settings    = {}
    trigger     = { kind = "none" }
  }

  override_resource {
    target          = aws_lambda_function.main
    override_during = plan
    values = {
      arn         = "arn:aws:lambda:ap-northeast-2:123456789012:function:function"
      code_sha256 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
      version     = "3"
    }
  }

  expect_failures = [check.code]
}

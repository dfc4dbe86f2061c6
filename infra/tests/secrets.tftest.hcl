# Secrets of functions: what is refused, and who is given what. That no message has a secret in it, .ci/run looks at.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  account_id   = "123456789012"
  datasets_dir = "tests/fixtures/datasets"
  packages_dir = "tests/fixtures/packages"
  region       = "ap-northeast-2"
  sources      = ["api", "kinesis"]
  streams      = {}
}

run "a_stream_is_given_no_key_of_another_one" {
  command = plan

  variables {
    datasets_dir = "tests/fixtures/posted"
    secrets      = { signing_keys = "of-all-0123456789, refunds:of-refunds-0123456789,sales:of-sales-0123456789" }
  }

  assert {
    condition     = nonsensitive(local.signing_keys) == { api-ingest-refunds = "of-all-0123456789,refunds:of-refunds-0123456789", api-ingest-sales = "of-all-0123456789,sales:of-sales-0123456789" }
    error_message = "A function that is given a key of a dataset that it does not serve does not start."
  }
}

run "a_key_of_no_dataset" {
  command = plan

  variables {
    datasets_dir = "tests/fixtures/posted"
    secrets      = { signing_keys = "0123456789abcdef,sale:0123456789abcdef" }
  }

  expect_failures = [terraform_data.datasets]

  assert {
    condition     = local.signers_of_none == [2]
    error_message = "It is told by its place alone."
  }
}

run "a_dataset_without_a_key" {
  command = plan

  variables {
    datasets_dir = "tests/fixtures/posted"
    secrets      = { signing_keys = "sales:0123456789abcdef" }
  }

  expect_failures = [terraform_data.datasets]

  assert {
    condition     = local.without_key == ["refunds"]
    error_message = "The dataset is named."
  }
}

run "no_key_at_all" {
  command = plan

  variables {
    datasets_dir = "tests/fixtures/posted"
  }

  expect_failures = [terraform_data.datasets]
}

run "empty_mask_key" {
  command = plan

  variables {
    secrets = { mask_key = "" }
  }

  expect_failures = [var.secrets]
}

run "empty_token_keys" {
  command = plan

  variables {
    secrets = { token_keys = "" }
  }

  expect_failures = [var.secrets]
}

run "one_short_token_key" {
  command = plan

  variables {
    secrets = { token_keys = "0123456789abcdef, short" }
  }

  expect_failures = [var.secrets]
}

run "empty_signing_keys" {
  command = plan

  variables {
    secrets = { signing_keys = "" }
  }

  expect_failures = [var.secrets]
}

# To the function: let everybody in.
run "signing_keys_of_none" {
  command = plan

  variables {
    secrets = { signing_keys = "none" }
  }

  expect_failures = [var.secrets]
}

run "one_short_signing_key" {
  command = plan

  variables {
    secrets = { signing_keys = "0123456789abcdef,sales:rubbish" }
  }

  expect_failures = [var.secrets]
}

run "half_a_login" {
  command = plan

  variables {
    secrets = { registry_auth = "user" }
  }

  expect_failures = [var.secrets]
}

run "no_token" {
  command = plan

  variables {
    secrets = { salesforce_tokens = { crm = " " } }
  }

  expect_failures = [var.secrets]
}

locals {
  # The environment's metrics and alarms go by the function's name.
  failed = "${var.failures.bucket_arn}/aws/lambda/*"
}

resource "aws_cloudwatch_log_group" "main" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.runtime.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_lambda_function" "main" {
  function_name                  = var.name
  description                    = var.description
  role                           = aws_iam_role.main.arn
  filename                       = var.package
  source_code_hash               = fileexists(var.package) ? filebase64sha256(var.package) : null
  handler                        = "bootstrap"
  runtime                        = "provided.al2023"
  architectures                  = [var.runtime.architecture]
  kms_key_arn                    = var.kms_key_arn
  memory_size                    = var.runtime.memory_mb
  publish                        = true
  reserved_concurrent_executions = var.runtime.concurrency == null ? -1 : var.runtime.concurrency
  timeout                        = var.runtime.timeout_seconds

  ephemeral_storage {
    size = var.runtime.ephemeral_mb
  }

  environment {
    variables = merge(var.settings, var.secrets)
  }

  # The function writes JSON itself, and metrics as lines of their own that must stay as they are.
  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.main.name
  }

  lifecycle {
    precondition {
      condition     = fileexists(var.package)
      error_message = "${var.package} is missing. Build it first, at the repository's root: cargo lambda build --release (with --arm64 for arm64), then infra/package; or set packages_dir to the folder that has it."
    }
  }

  depends_on = [aws_iam_role_policy.main]
}

# Everything calls the alias. A new version takes over when it is there; an old one is brought back by pinning it.
resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "The version that is called."
  function_name    = aws_lambda_function.main.function_name
  function_version = coalesce(var.runtime.pinned_version, aws_lambda_function.main.version)
}

# What an asynchronous event comes to in the end, with its payload. On every function: whoever calls it so, by hand too,
# loses nothing.
resource "aws_lambda_function_event_invoke_config" "main" {
  function_name          = aws_lambda_function.main.function_name
  qualifier              = aws_lambda_alias.live.name
  maximum_retry_attempts = 2

  destination_config {
    on_failure {
      destination = var.failures.bucket_arn
    }
  }
}

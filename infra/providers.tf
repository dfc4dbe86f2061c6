# Where AWS_ENDPOINT_URL names an emulator, every service is asked there: for the account too, which ARNs have, unless it
# is told.
provider "aws" {
  region                      = var.region
  s3_use_path_style           = var.offline
  skip_credentials_validation = var.offline
  skip_metadata_api_check     = var.offline
  skip_region_validation      = var.offline
  skip_requesting_account_id  = var.offline && var.account_id != null

  default_tags {
    tags = merge({ application = "headgate", environment = var.name }, var.tags)
  }
}

# Not asked where the account is told, so that a plan needs no AWS.
data "aws_caller_identity" "this" {
  count = var.account_id == null ? 1 : 0
}

data "aws_partition" "this" {}

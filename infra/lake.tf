module "lake" {
  source = "./modules/lake"

  bucket          = local.bucket
  bucket_arn      = local.bucket_arn
  crawler         = { datasets = keys(local.served) }
  datasets        = local.datasets
  expire_days     = { cdc = var.lake.cdc_expire_days, errors = var.lake.errors_expire_days, quarantine = var.lake.quarantine_expire_days, raw = var.lake.raw_expire_days }
  force_destroy   = var.lake.force_destroy
  glue_arn        = local.arn.glue
  infrequent_days = var.lake.raw_infrequent_days
  kms_key_arn     = aws_kms_key.main.arn
  name            = var.name
  partition_years = var.lake.partition_years
  writers         = length(local.flow_folders) == 0 ? {} : { appflow = { account = local.account_id, folders = local.flow_folders, service = "appflow.amazonaws.com" } }
}

output "bucket" {
  description = "The bucket, once what is written to it is encrypted and closed."
  value       = aws_s3_bucket.main.id

  depends_on = [aws_s3_bucket_ownership_controls.main, aws_s3_bucket_policy.main, aws_s3_bucket_public_access_block.main, aws_s3_bucket_server_side_encryption_configuration.main]
}

output "columns" {
  description = "The columns of each table, in Hive's types."
  value       = local.columns
}

output "database" {
  description = "The Glue database."
  value       = aws_glue_catalog_database.main.name
}

output "policy" {
  description = "The bucket's policy."
  value       = jsondecode(aws_s3_bucket_policy.main.policy)
}

output "tables" {
  description = "The Glue table of each dataset."
  value       = { for name, table in local.tables : name => table.table }
}

output "workgroup" {
  description = "The Athena workgroup."
  value       = aws_athena_workgroup.main.name
}

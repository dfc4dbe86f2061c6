locals {
  # Where nothing fills a table there is nothing to look at, and each look costs.
  looked_at = { for name, table in local.crawled : name => table if try(contains(var.crawler.datasets, name), true) }

  # The catalog has no finer ARN than these.
  glue = {
    catalog  = "${var.glue_arn}:catalog"
    database = "${var.glue_arn}:database/${replace(var.name, "-", "_")}"
    logs     = replace(var.glue_arn, ":glue:", ":logs:")
    tables   = "${var.glue_arn}:table/${replace(var.name, "-", "_")}"
  }
}

resource "aws_iam_role" "crawler" {
  count = length(local.looked_at) > 0 ? 1 : 0

  name = "${var.name}-crawler"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "glue.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "crawler" {
  count = length(local.looked_at) > 0 ? 1 : 0

  name = "crawl"
  role = aws_iam_role.crawler[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = [for table in local.looked_at : "${var.bucket_arn}/${table.folder}*"]
      },
      {
        Effect   = "Allow"
        Action   = ["s3:ListBucket", "s3:GetBucketLocation"]
        Resource = [var.bucket_arn]
      },
      { Effect = "Allow", Action = ["kms:Decrypt"], Resource = [var.kms_key_arn] },
      {
        Effect   = "Allow"
        Action   = ["glue:GetDatabase", "glue:GetTable", "glue:UpdateTable", "glue:GetPartitions"]
        Resource = concat([local.glue.catalog, local.glue.database], [for table in local.looked_at : "${local.glue.tables}/${table.table}"])
      },
      {
        Effect   = "Allow"
        Action   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${local.glue.logs}:log-group:/aws-glue/crawlers:*"]
      },
    ]
  })
}

resource "aws_glue_crawler" "main" {
  count = length(local.looked_at) > 0 ? 1 : 0

  name          = "${var.name}-columns"
  description   = "Reads the columns of tables whose dataset declares none."
  database_name = aws_glue_catalog_database.main.name
  role          = aws_iam_role.crawler[0].arn
  schedule      = var.crawler.schedule

  catalog_target {
    database_name = aws_glue_catalog_database.main.name
    tables        = [for name in keys(local.looked_at) : aws_glue_catalog_table.crawled[name].name]
  }

  configuration = jsonencode({ Version = 1.0, Grouping = { TableGroupingPolicy = "CombineCompatibleSchemas" } })

  # Catalog targets take no other deletion behaviour.
  schema_change_policy {
    delete_behavior = "LOG"
    update_behavior = "UPDATE_IN_DATABASE"
  }
}

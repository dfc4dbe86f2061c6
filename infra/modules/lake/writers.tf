# Services without a role -> what the bucket's policy lets them do: write their folders, for nobody but the account.
locals {
  writing = flatten([for name, writer in var.writers : [
    {
      Sid       = "Write${title(name)}"
      Effect    = "Allow"
      Principal = { Service = writer.service }
      Action    = ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject", "s3:PutObjectAcl"]
      Resource  = [for folder in writer.folders : "${var.bucket_arn}/${folder}/*"]
      Condition = { StringEquals = { "aws:SourceAccount" = writer.account } }
    },
    {
      Sid       = "Look${title(name)}"
      Effect    = "Allow"
      Principal = { Service = writer.service }
      Action    = ["s3:GetBucketAcl", "s3:ListBucketMultipartUploads"]
      Resource  = [var.bucket_arn]
      Condition = { StringEquals = { "aws:SourceAccount" = writer.account } }
    },
  ]])
}

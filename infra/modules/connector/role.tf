locals {
  topic = replace(var.cluster.arn, ":cluster/", ":topic/")
  group = replace(var.cluster.arn, ":cluster/", ":group/")

  written = concat(var.topics.write, var.kind == "debezium-mysql" ? [local.history] : [])

  statements = merge(
    {
      cluster = { actions = ["kafka-cluster:Connect", "kafka-cluster:DescribeCluster"], resources = [var.cluster.arn] }
      # What MSK Connect keeps its own state in.
      own        = { actions = ["kafka-cluster:CreateTopic", "kafka-cluster:DescribeTopic", "kafka-cluster:ReadData", "kafka-cluster:WriteData"], resources = ["${local.topic}/__amazon_msk_connect_*"] }
      own_groups = { actions = ["kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"], resources = ["${local.group}/__amazon_msk_connect_*", "${local.group}/connect-*"] }
    },
    length(var.topics.read) == 0 ? {} : {
      read = { actions = ["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"], resources = [for topic in var.topics.read : "${local.topic}/${topic}"] }
    },
    length(local.written) == 0 ? {} : {
      write = { actions = ["kafka-cluster:CreateTopic", "kafka-cluster:DescribeTopic", "kafka-cluster:WriteData"], resources = [for topic in local.written : "${local.topic}/${topic}"] }
    },
    # The history of the schemas is read again at each start, by groups of its own name.
    var.kind != "debezium-mysql" ? {} : {
      history       = { actions = ["kafka-cluster:DescribeTopicDynamicConfiguration", "kafka-cluster:ReadData"], resources = ["${local.topic}/${local.history}"] }
      history_group = { actions = ["kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"], resources = ["${local.group}/*-schemahistory"] }
    },
    var.bucket == null ? {} : {
      bucket = { actions = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"], resources = [var.bucket.arn] }
      folder = { actions = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"], resources = ["${var.bucket.arn}/${var.bucket.folder}/*"] }
      key    = { actions = ["kms:Decrypt", "kms:GenerateDataKey"], resources = [var.kms_key_arn] }
    },
    var.plugin.secret_arn == null ? {} : {
      secret = { actions = ["secretsmanager:GetSecretValue"], resources = [var.plugin.secret_arn] }
    },
    var.plugin.secret_kms_key_arn == null ? {} : {
      secret_key = { actions = ["kms:Decrypt"], resources = [var.plugin.secret_kms_key_arn] }
    },
  )
}

resource "aws_iam_role" "main" {
  name = "${var.name}-connect"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "kafkaconnect.amazonaws.com" }
      Condition = {
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:kafkaconnect:${local.region}:${local.account}:connector/${var.name}/*" }
        StringEquals = { "aws:SourceAccount" = local.account }
      }
    }]
  })
}

resource "aws_iam_role_policy" "main" {
  name = "connect"
  role = aws_iam_role.main.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for sid, statement in local.statements : {
      Sid      = replace(title(replace(sid, "_", " ")), " ", "")
      Effect   = "Allow"
      Action   = statement.actions
      Resource = statement.resources
    }]
  })
}

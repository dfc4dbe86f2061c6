# What each kind is set to, under what the configuration says.
locals {
  # How a client in the connector logs in, beside the workers' own.
  iam = {
    "security.protocol"                  = "SASL_SSL"
    "sasl.client.callback.handler.class" = "software.amazon.msk.auth.iam.IAMClientCallbackHandler"
    "sasl.jaas.config"                   = "software.amazon.msk.auth.iam.IAMLoginModule required;"
    "sasl.mechanism"                     = "AWS_MSK_IAM"
  }

  json = {
    "key.converter"                  = "org.apache.kafka.connect.json.JsonConverter"
    "key.converter.schemas.enable"   = "true"
    "value.converter"                = "org.apache.kafka.connect.json.JsonConverter"
    "value.converter.schemas.enable" = "true"
  }

  # The provider takes a secret's ARN in the form of a URL. Without a secret the names are not used.
  secret = urlencode(coalesce(var.plugin.secret_arn, "none"))
  database = merge(local.json, {
    "database.hostname" = "$${secretsmanager:${local.secret}:host}"
    "database.password" = "$${secretsmanager:${local.secret}:password}"
    "database.port"     = "$${secretsmanager:${local.secret}:port}"
    "database.user"     = "$${secretsmanager:${local.secret}:username}"
    "tasks.max"         = "1"
    # The cluster makes no topic by itself; -1 is what its configuration says.
    "topic.creation.default.partitions"         = "-1"
    "topic.creation.default.replication.factor" = "-1"
  })

  presets = {
    debezium-mysql = merge(
      local.database,
      {
        "connector.class"                                 = "io.debezium.connector.mysql.MySqlConnector"
        "schema.history.internal.kafka.bootstrap.servers" = var.cluster.bootstrap_servers
        "schema.history.internal.kafka.topic"             = local.history
      },
      { for key, value in local.iam : "schema.history.internal.consumer.${key}" => value },
      { for key, value in local.iam : "schema.history.internal.producer.${key}" => value },
    )
    debezium-postgres = merge(local.database, {
      "connector.class"             = "io.debezium.connector.postgresql.PostgresConnector"
      "plugin.name"                 = "pgoutput"
      "publication.autocreate.mode" = "filtered"
    })
    other = {}
    s3-sink = var.bucket == null ? {} : {
      "connector.class" = "io.confluent.connect.s3.S3SinkConnector"
      # An object's records are told by their own times and offsets, so a repeat writes the same objects.
      "flush.size"                     = "10000"
      "format.class"                   = "io.confluent.connect.s3.format.json.JsonFormat"
      "key.converter"                  = "org.apache.kafka.connect.storage.StringConverter"
      "locale"                         = "en-US"
      "partition.duration.ms"          = "3600000"
      "partitioner.class"              = "io.confluent.connect.storage.partitioner.TimeBasedPartitioner"
      "path.format"                    = "'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH"
      "rotate.interval.ms"             = "600000"
      "s3.bucket.name"                 = var.bucket.name
      "s3.region"                      = local.region
      "s3.sse.kms.key.id"              = var.kms_key_arn
      "s3.ssea.name"                   = "aws:kms"
      "storage.class"                  = "io.confluent.connect.s3.storage.S3Storage"
      "tasks.max"                      = "2"
      "timestamp.extractor"            = "Record"
      "timezone"                       = "UTC"
      "topics.dir"                     = var.bucket.folder
      "value.converter"                = "org.apache.kafka.connect.json.JsonConverter"
      "value.converter.schemas.enable" = "false"
    }
  }

  # In the service of secrets: MSK Connect restarts a connector over and over where this is not none.
  configuration = merge({ "config.action.reload" = "none" }, local.presets[var.kind], var.configuration)

  # What a kind cannot do without.
  required = {
    debezium-mysql    = ["database.server.id", "table.include.list", "topic.prefix"]
    debezium-postgres = ["database.dbname", "table.include.list", "topic.prefix"]
    other             = ["connector.class", "tasks.max"]
    s3-sink           = ["topics"]
  }
  missing = setsubtract(local.required[var.kind], keys(var.configuration))
}

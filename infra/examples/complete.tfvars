# Every source, with the settings that are most often changed; variables*.tf have all. Put your own ARNs, ids and addresses in
# the place of these. The API and hashed columns need secrets: TF_VAR_secrets='{"mask_key":"…","signing_keys":"…"}'.
name    = "headgate-prod"
region  = "ap-northeast-2"
sources = ["api", "cdc", "firehose", "iot", "kafka", "kinesis", "saas"]

alarms = {
  emails             = ["on-call@example.com"]
  freshness_seconds  = 600
  quarantine_percent = 0.5
}

# Made here: three brokers. The pollers cost by the hour; without them a batch that fails comes again whole.
clusters = {
  events = {
    brokers            = { instance_type = "kafka.m7g.large", volume_gb = 200 }
    registry           = "glue"
    security_group_ids = ["sg-0123456789abcdef0"]
    subnet_ids         = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1", "subnet-0123456789abcdef2"]
    topics             = { shipments = { topic = "depots.shipments", gaps = false, pollers = { minimum = 1, maximum = 4 } } }
  }
}

compaction_schedule = "cron(15 3 * * ? *)"

# The profile was made in AppFlow's console; see the README for one that is made here.
connections = {
  crm = {
    connector = "Salesforce"
    profile   = "salesforce"
    flows     = { salesforce-account = { object = "Account", incremental_field = "SystemModstamp" } }
  }
}

# Its zip has the connector and the provider of secrets.
connectors = {
  inventory = {
    cluster       = "events"
    kind          = "debezium-postgres"
    configuration = { "database.dbname" = "inventory", "table.include.list" = "public.stock", "topic.prefix" = "inventory" }
    plugin        = { bucket_arn = "arn:aws:s3:::my-plugins", key = "debezium-postgres.zip" }
    secret_arn    = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:inventory-AbCdEf"
    topics        = { write = ["inventory.*"] }
  }
}

databases = {
  production = {
    engine             = "postgres"
    database           = "shop"
    schemas            = ["production"]
    secret_arn         = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:shop-AbCdEf"
    security_group_ids = ["sg-0123456789abcdef0"]
    subnet_ids         = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  }
}

devices = {
  emails = ["plant@example.com"]
  rules  = { kiosks = { sql = "SELECT * FROM 'kiosks/+/clicks'", stream = "clickstream" } }
  topics = { temperature = "sensors/+/temperature" }
}

functions = {
  log_retention_days = 90
  sizes              = { "dms-merge-orders" = { memory_mb = 4096, concurrency = 2 } }
}

lake = {
  partition_years     = [2026, 2032]
  raw_infrequent_days = 90
}

streams = {
  clickstream = { datasets = ["clickstream", "page_views"], enhanced_fan_out = true, retention_hours = 168, shards = 4 }
}

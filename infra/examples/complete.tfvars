# All that this root can make so far, with the settings that are most often changed. The API and hashed columns need
# secrets: TF_VAR_secrets='{"mask_key":"…","signing_keys":"…"}'.
name    = "headgate-prod"
sources = ["api", "cdc", "firehose", "iot", "kinesis"]

alarms = {
  emails             = ["on-call@example.com"]
  freshness_seconds  = 600
  quarantine_percent = 0.5
}

compaction_schedule = "cron(15 3 * * ? *)"

databases = {
  production = {
    engine             = "postgres"
    database           = "shop"
    schemas            = ["production"]
    secret_arn         = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:shop"
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

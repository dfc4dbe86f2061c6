# All that this root can make so far, with the settings that are most often changed.
name    = "headgate-prod"
sources = ["cdc", "kinesis"]

alarms = {
  emails             = ["on-call@example.com"]
  freshness_seconds  = 600
  quarantine_percent = 0.5
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

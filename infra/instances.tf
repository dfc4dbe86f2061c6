# Datasets -> an instance of a function each, with its settings, permissions, trigger and alarms.
locals {
  # What the code of each function is like. `partial_batches`: whether it answers with `batchItemFailures`; exactly these
  # mappings have ReportBatchItemFailures. Without it Lambda takes such an answer for a success, and records are lost; where
  # the code does not answer so, it is no harm but a lie.
  packages = {
    dms-merge          = { partial_batches = true, memory_mb = 2048, timeout_seconds = 900 }
    kinesis-consumer   = { partial_batches = true, memory_mb = 1024, timeout_seconds = 120 }
    api-ingest         = { partial_batches = false, memory_mb = 512, timeout_seconds = 29 }
    firehose-transform = { partial_batches = false, memory_mb = 512, timeout_seconds = 120 }
    lake-compact       = { partial_batches = false, memory_mb = 3008, timeout_seconds = 900 }
    kinesis-window     = { partial_batches = true, memory_mb = 1024, timeout_seconds = 120 }
    iot-rule           = { partial_batches = false, memory_mb = 512, timeout_seconds = 60 }
    iot-provision      = { partial_batches = false, memory_mb = 512, timeout_seconds = 30 }
    appflow-process    = { partial_batches = false, memory_mb = 2048, timeout_seconds = 900 }
    msk-consumer       = { partial_batches = true, memory_mb = 1024, timeout_seconds = 120 }
  }

  lake  = { LAKE = "s3://${local.bucket}" }
  state = { STATE = "dynamodb://${var.name}-state" }

  state_arn = "${local.arn.dynamodb}:table/${var.name}-state"

  # Which folders of a dataset of records or change files are written, and which are only read.
  folders = { for name, dataset in local.served : name => {
    read  = dataset.kind == "cdc" ? [dataset.source.prefix] : []
    write = concat([try(dataset.target.prefix, "${dirname(dataset.target.snapshot)}/")], dataset.kind == "cdc" ? [] : ["quarantine/${name}/"])
  } if dataset.kind == "cdc" || contains(keys(local.streamed), name) }

  permissions = { for name, folders in local.folders : name => {
    lake_read  = { actions = ["s3:GetObject"], resources = [for folder in concat(folders.read, folders.write) : "${local.bucket_arn}/${folder}*"] }
    lake_write = { actions = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:PutObject"], resources = [for folder in folders.write : "${local.bucket_arn}/${folder}*"] }
    # Without it a missing object is 403 and not 404.
    lake_list = {
      actions   = ["s3:ListBucket"]
      resources = [local.bucket_arn]
      condition = { test = "StringLike", variable = "s3:prefix", values = [for folder in concat(folders.read, folders.write) : "${folder}*"] }
    }
  } }

  instances = merge(
    local.kafka_instances,
    local.saas_instances,
    { for name, dataset in local.streamed : "kinesis-${can(dataset.window.key) ? "window" : "consumer"}-${local.slugs[name]}" => {
      package  = can(dataset.window.key) ? "kinesis-window" : "kinesis-consumer"
      dataset  = name
      settings = merge(local.lake, local.state)
      secrets  = contains(local.hashed, name) ? ["MASK_KEY"] : []
      permissions = merge(local.permissions[name], {
        state = {
          actions   = concat(["dynamodb:GetItem", "dynamodb:PutItem"], can(dataset.window.key) ? ["dynamodb:DeleteItem"] : [])
          resources = [local.state_arn]
        }
      })
      trigger = {
        kind            = "kinesis"
        bisect          = true
        source_arn      = module.stream[local.stream_of[name]].sources[try(local.streams[local.stream_of[name]].enhanced_fan_out, false) ? name : ""]
        stream_arn      = "${local.arn.kinesis}:stream/${var.name}-${local.stream_of[name]}"
        tumbling        = can(dataset.window.key) ? 60 : null
        batch_size      = 10000
        batching_window = can(dataset.window.key) ? 1 : 30
      }
    } },
    { for name, dataset in local.served : "dms-merge-${local.slugs[name]}" => {
      package     = "dms-merge"
      dataset     = name
      settings    = local.lake
      secrets     = []
      permissions = local.permissions[name]
      trigger = {
        kind            = "queue"
        batch_size      = 1000
        batching_window = 60
        # Only what is this table's: the bucket tells EventBridge of every object.
        pattern = jsonencode({
          source      = ["aws.s3"]
          detail-type = ["Object Created", "Object Deleted"]
          detail      = { bucket = { name = [local.bucket] }, object = { key = [{ prefix = dataset.source.prefix }] } }
        })
        # Beside the notifications: nothing delivers them after a queue's retention.
        schedule       = "rate(1 hour)"
        schedule_input = jsonencode({ tables = [name] })
      }
    } if dataset.kind == "cdc" },
    { for name, dataset in local.delivered : "firehose-transform-${local.slugs[name]}" => {
      package     = "firehose-transform"
      dataset     = name
      settings    = {}
      secrets     = contains(local.hashed, name) ? ["MASK_KEY"] : []
      permissions = {}
      trigger     = { kind = "none" }
    } },
    { for name, dataset in local.iot : "iot-rule-${local.slugs[name]}" => {
      package = "iot-rule"
      dataset = name
      # With SQL that is set nobody here knows what it says.
      settings = merge(local.lake, local.state, { NOTIFY = local.alerts_arn, STREAM = try("${var.name}-${local.stream_of[name]}", "none") }, contains(keys(var.devices.sql), name) ? {} : { TOPIC_FILTER = local.filters[name] })
      secrets  = []
      permissions = merge(
        {
          alerts     = { actions = ["sns:Publish"], resources = [local.alerts_arn] }
          quarantine = { actions = ["s3:PutObject"], resources = ["${local.bucket_arn}/quarantine/${name}/*"] }
          state      = { actions = ["dynamodb:GetItem", "dynamodb:PutItem"], resources = [local.state_arn] }
        },
        { for stream in compact([try(local.stream_of[name], "")]) : "stream" => { actions = ["kinesis:PutRecords"], resources = ["${local.arn.kinesis}:stream/${var.name}-${stream}"] } },
      )
      trigger = { kind = "none" }
    } },
    { for task, task_settings in local.provisioning : "iot-provision-${task}" => {
      package     = "iot-provision"
      dataset     = null
      settings    = merge(local.state, { NOTIFY = local.alerts_arn }, task_settings.settings)
      secrets     = task_settings.secrets
      permissions = task_settings.permissions
      trigger     = { kind = "none" }
    } },
    { for stream, names in local.posted : "api-ingest-${stream}" => {
      package  = "api-ingest"
      dataset  = null
      about    = "the stream ${stream} (datasets: ${length(names)})"
      settings = merge(local.state, { DATASETS = join(",", names), STREAM = "${var.name}-${stream}" }, var.api.auth == "iam" ? { SIGNING_KEYS = "none" } : {})
      secrets  = var.api.auth == "iam" ? [] : ["SIGNING_KEYS"]
      permissions = {
        stream = { actions = ["kinesis:PutRecords"], resources = ["${local.arn.kinesis}:stream/${var.name}-${stream}"] }
        state  = { actions = ["dynamodb:GetItem", "dynamodb:PutItem"], resources = [local.state_arn] }
      }
      trigger = { kind = "none" }
    } if length(names) > 0 },
    { for name, dataset in local.served : "lake-compact-${local.slugs[name]}" => {
      package  = "lake-compact"
      dataset  = name
      settings = merge(local.lake, local.state)
      secrets  = []
      # Of all that a table's function may do, only its own folder, no refused records.
      permissions = {
        lake  = { actions = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"], resources = ["${local.bucket_arn}/${dataset.target.prefix}*"] }
        list  = { actions = ["s3:ListBucket"], resources = [local.bucket_arn] }
        plans = { actions = ["s3:GetObject", "s3:PutObject"], resources = ["${local.bucket_arn}/_headgate/compact/${name}/*"] }
        plays = { actions = ["s3:GetObject"], resources = ["${local.bucket_arn}/_headgate/replay/${name}/*"] }
        state = { actions = ["dynamodb:GetItem"], resources = [local.state_arn] }
      }
      # Rows that are sorted otherwise than they came lie on disk in between, as large as they are unpacked.
      ephemeral_mb = length(try(dataset.compact.order_by, [])) == 0 ? 512 : min(10240, max(512, 10 * try(dataset.compact.target_mb, 256)))
      trigger      = { kind = "none", schedule = var.compaction_schedule, schedule_input = jsonencode({ datasets = [name] }) }
    } if dataset.kind == "stream" && var.compaction_schedule != null },
  )

  secrets = { MASK_KEY = var.secrets.mask_key, REGISTRY_AUTH = var.secrets.registry_auth, TOKEN_KEYS = var.secrets.token_keys }

  # Metrics of our own that are worth an alarm. `per`: the alarm is of the share of that metric; `while`: it counts while that
  # metric is above 0, for a table that nothing waits for is old and well. Functions that nobody calls tell nothing, and that
  # is no failure of theirs.
  metrics = {
    # By Function and Dataset, of which it has several: Lambda's own alarms stand for it, and the stream's.
    api-ingest = {}
    firehose-transform = {
      failures   = { metric = "Failures", limit = 0, statistic = "Sum" }
      failed     = { metric = "RecordsFailed", limit = var.alarms.quarantine_percent, per = "Records", statistic = "Sum" }
      reingested = { metric = "RecordsReingested", limit = 0, statistic = "Sum" }
    }
    lake-compact = {
      failures   = { metric = "Failures", limit = 0, statistic = "Sum" }
      partitions = { metric = "PartitionsFailed", limit = 0, statistic = "Sum" }
      left       = { metric = "FilesLeft", limit = 0, statistic = "Sum" }
      # Rows that readers see twice, for as long as one request takes: a second or two.
      doubled = { metric = "DoubledTime", limit = 10, statistic = "Maximum" }
    }
    kinesis-consumer = {
      failures    = { metric = "Failures", limit = 0, statistic = "Sum" }
      quarantined = { metric = "RowsQuarantined", limit = var.alarms.quarantine_percent, per = "Records", statistic = "Sum" }
      freshness   = { metric = "Freshness", limit = var.alarms.freshness_seconds, statistic = "Maximum" }
    }
    iot-rule = {
      failures    = { metric = "Failures", limit = 0, statistic = "Sum" }
      quarantined = { metric = "MessagesQuarantined", limit = var.alarms.quarantine_percent, per = "Messages", statistic = "Sum" }
      late        = { metric = "MessagesLate", limit = var.alarms.quarantine_percent, per = "Messages", statistic = "Sum" }
    }
    iot-provision = {
      failures   = { metric = "Failures", limit = 0, statistic = "Sum" }
      unknown-ca = { metric = "UnknownCa", limit = 0, statistic = "Sum" }
    }
    kinesis-window = {
      failures     = { metric = "Failures", limit = 0, statistic = "Sum" }
      quarantined  = { metric = "RowsQuarantined", limit = var.alarms.quarantine_percent, per = "Records", statistic = "Sum" }
      closed-early = { metric = "WindowsClosedEarly", limit = 0, statistic = "Sum" }
    }
    appflow-process = {
      failures    = { metric = "Failures", limit = 0, statistic = "Sum" }
      failed-runs = { metric = "RunsFailed", limit = 0, statistic = "Sum" }
      deactivated = { metric = "FlowsDeactivated", limit = 0, statistic = "Sum" }
      refused     = { metric = "FilesRefused", limit = 0, statistic = "Sum" }
      quarantined = { metric = "RecordsQuarantined", limit = var.alarms.quarantine_percent, per = "Records", statistic = "Sum" }
    }
    msk-consumer = {
      failures    = { metric = "Failures", limit = 0, statistic = "Sum" }
      quarantined = { metric = "RowsQuarantined", limit = var.alarms.quarantine_percent, per = "Records", statistic = "Sum" }
      freshness   = { metric = "Freshness", limit = var.alarms.freshness_seconds, statistic = "Maximum" }
    }
    dms-merge = {
      failures = { metric = "Failures", limit = 0, statistic = "Sum" }
      refused  = { metric = "FilesRefused", limit = 0, statistic = "Sum" }
      ghosts   = { metric = "GhostCandidates", limit = 0, statistic = "Sum" }
      # The least of five minutes: a run before the files came was up to date with an old one.
      lag = { metric = "Lag", limit = var.alarms.lag_seconds, statistic = "Minimum", while = "FilesPending" }
    }
  }
}

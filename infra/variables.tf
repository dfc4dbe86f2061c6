variable "account_id" {
  description = "The AWS account. Asked of AWS where it is null; a plan without AWS needs it."
  type        = string
  default     = null

  validation {
    condition     = var.account_id == null || can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must have 12 digits, such as \"123456789012\", or be null."
  }
}

variable "alarms" {
  description = "Who is told (`emails`: each has to confirm), and the limits: freshness, age of what waits in a stream, lag of a table while change files wait for it and lag of a database's task in seconds, records that a topic's consumer is behind, refused records in % of all."
  type = object({
    emails               = optional(set(string), [])
    database_lag_seconds = optional(number, 300)
    freshness_seconds    = optional(number, 900)
    iterator_age_seconds = optional(number, 600)
    lag_seconds          = optional(number, 3600)
    offset_lag           = optional(number, 100000)
    quarantine_percent   = optional(number, 1)
  })
  default = {}

  validation {
    condition     = alltrue([for email in var.alarms.emails : can(regex("^[^@\\s]+@[^@\\s]+$", email))])
    error_message = "alarms.emails has ${join(", ", [for email in var.alarms.emails : email if !can(regex("^[^@\\s]+@[^@\\s]+$", email))])}: it must be addresses, such as [\"on-call@example.com\"]."
  }
  validation {
    condition     = min(var.alarms.database_lag_seconds, var.alarms.freshness_seconds, var.alarms.iterator_age_seconds, var.alarms.lag_seconds, var.alarms.offset_lag) > 0 && var.alarms.quarantine_percent >= 0
    error_message = "The limits of alarms must be above 0."
  }
}

variable "api" {
  description = "Records over HTTP: requests a second and at once that the API lets through; whether AWS_IAM or the function's own signatures let a sender in."
  type = object({
    auth  = optional(string, "signature")
    burst = optional(number, 100)
    rate  = optional(number, 50)
  })
  default = {}

  validation {
    condition     = contains(["signature", "iam"], var.api.auth)
    error_message = "api.auth must be \"signature\" (secrets.signing_keys) or \"iam\" (SigV4)."
  }
  validation {
    condition     = var.api.rate > 0 && var.api.burst > 0
    error_message = "api.rate and api.burst must be above 0: they throttle what callers may cost."
  }
}

variable "compaction_schedule" {
  description = "When small files of each stream's table are made few, as EventBridge Scheduler writes it; null: never."
  type        = string
  default     = null

  validation {
    condition     = var.compaction_schedule == null || can(regex("^(rate|cron)\\(.+\\)$", var.compaction_schedule))
    error_message = "compaction_schedule must be rate(…) or cron(…), such as \"cron(15 3 * * ? *)\", or null."
  }
}

variable "databases" {
  description = "Databases that DMS reads, by name. Which tables: those of cdc datasets whose source.prefix is <folder>/<schema>/<table>/ of one of `schemas`. The secret has username, password, host and port. Of PostgreSQL: `database`, its name; `plugin_name` (null: as DMS chooses) and `slot_name`."
  type = map(object({
    engine             = string
    database           = optional(string)
    certificate_arn    = optional(string)
    schemas            = set(string)
    secret_arn         = string
    secret_kms_key_arn = optional(string)
    security_group_ids = list(string)
    subnet_ids         = list(string)
    folder             = optional(string, "cdc")
    instance_class     = optional(string, "dms.t3.medium")
    multi_az           = optional(bool, false)
    plugin_name        = optional(string)
    serverless_units   = optional(number)
    slot_name          = optional(string)
    start              = optional(bool, false)
  }))
  default = {}

  validation {
    condition     = length(distinct(flatten([for database in var.databases : tolist(database.schemas)]))) == length(flatten([for database in var.databases : tolist(database.schemas)]))
    error_message = "A schema is in several of databases: two tasks that write one table overwrite each other's files. Name it once."
  }
}

variable "datasets_dir" {
  description = "The folder of the dataset files, <name>.json; relative to this folder unless it begins with /."
  type        = string
  default     = "datasets"

  # A condition cannot ask local.datasets_dir, which is made of this: each names the folder once, by a `for` over it alone.
  validation {
    condition     = one([for folder in [startswith(var.datasets_dir, "/") ? var.datasets_dir : "${path.module}/${var.datasets_dir}"] : length(setsubtract(fileset(folder, "*.json"), ["dataset.schema.json"])) > 0])
    error_message = "datasets_dir has no dataset file. Put a <name>.json there, or name the right folder; it is relative to ${abspath(path.module)}."
  }
  validation {
    condition     = one([for folder in [startswith(var.datasets_dir, "/") ? var.datasets_dir : "${path.module}/${var.datasets_dir}"] : alltrue([for file in fileset(folder, "*.json") : can(jsondecode(file("${folder}/${file}")))])])
    error_message = "Not JSON: ${one([for folder in [startswith(var.datasets_dir, "/") ? var.datasets_dir : "${path.module}/${var.datasets_dir}"] : join(", ", [for file in fileset(folder, "*.json") : file if !can(jsondecode(file("${folder}/${file}")))])])} in datasets_dir. Check it with `python3 -m json.tool`."
  }
}

variable "deliveries" {
  description = "What of Firehose is not as the default, by dataset: how much (MB) and how long (seconds) is gathered into a file, and whether records are kept as they came as well, unmasked, below errors/."
  type = map(object({
    backup    = optional(bool, false)
    megabytes = optional(number, 128)
    seconds   = optional(number, 300)
  }))
  default = {}

  validation {
    condition     = alltrue([for delivery in var.deliveries : delivery.megabytes >= 64 && delivery.megabytes <= 128 && delivery.seconds >= 60 && delivery.seconds <= 900])
    error_message = "deliveries: ${join(", ", [for name, delivery in var.deliveries : name if !(delivery.megabytes >= 64 && delivery.megabytes <= 128 && delivery.seconds >= 60 && delivery.seconds <= 900)])}: megabytes must be 64 to 128 (Parquet is made of no less), seconds 60 to 900."
  }
}

variable "functions" {
  description = "How functions run. `sizes` and `pinned_versions` go by the function's name without the prefix, such as \"kinesis-consumer-clickstream\": memory and disk (MB), timeout (s) and reserved concurrency; and the version that its alias is held at, to roll back."
  type = object({
    architecture       = optional(string, "arm64")
    log_level          = optional(string, "INFO")
    log_retention_days = optional(number, 30)
    pinned_versions    = optional(map(string), {})
    sizes = optional(map(object({
      concurrency     = optional(number)
      ephemeral_mb    = optional(number)
      memory_mb       = optional(number)
      timeout_seconds = optional(number)
    })), {})
  })
  default = {}

  validation {
    condition     = contains(["TRACE", "DEBUG", "INFO", "WARN", "ERROR"], var.functions.log_level)
    error_message = "functions.log_level must be TRACE, DEBUG, INFO, WARN or ERROR."
  }
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.functions.log_retention_days)
    error_message = "functions.log_retention_days must be one that CloudWatch knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
  validation {
    condition     = contains(["arm64", "x86_64"], var.functions.architecture)
    error_message = "functions.architecture must be \"arm64\" or \"x86_64\": the one that the packages were built for (cargo lambda build --arm64)."
  }
}

variable "lake" {
  description = "The bucket (default name: <name>-lake-<account>), whether `terraform destroy` may delete it with all its data, after how many days objects expire (`cdc_expire_days`: change files below cdc/, null for never; more than every dataset's source.lateness_hours), and the years that partitions are looked for in."
  type = object({
    bucket                 = optional(string)
    cdc_expire_days        = optional(number)
    errors_expire_days     = optional(number, 90)
    force_destroy          = optional(bool, false)
    partition_years        = optional(list(number), [2025, 2030])
    quarantine_expire_days = optional(number, 365)
    raw_expire_days        = optional(number)
    raw_infrequent_days    = optional(number)
  })
  default = {}

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", coalesce(var.lake.bucket, "by-default")))
    error_message = "lake.bucket must have 3 to 63 lower-case letters, digits, dots and hyphens, or be left out."
  }
  validation {
    condition     = alltrue([for days in [var.lake.cdc_expire_days, var.lake.errors_expire_days, var.lake.quarantine_expire_days, var.lake.raw_expire_days] : coalesce(days, 1) >= 1 && floor(coalesce(days, 1)) == coalesce(days, 1)])
    error_message = "lake's cdc_expire_days, errors_expire_days, quarantine_expire_days and raw_expire_days must be whole days, at least 1; cdc_expire_days and raw_expire_days may be left out, for never."
  }
  validation {
    condition     = length(var.lake.partition_years) == 2 && try(var.lake.partition_years[0] <= var.lake.partition_years[1] && var.lake.partition_years[0] >= 1970 && var.lake.partition_years[1] <= 9999, false)
    error_message = "lake.partition_years must be the first and the last year, such as [2025, 2030]."
  }
  validation {
    condition     = coalesce(var.lake.raw_infrequent_days, 30) >= 30
    error_message = "lake.raw_infrequent_days must be at least 30: S3 moves nothing before."
  }
}

variable "name" {
  description = "What everything is called, such as \"headgate-prod\"; an environment of its own."
  type        = string
  default     = "headgate"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}[a-z0-9]$", var.name))
    error_message = "name must have 3 to 22 lower-case letters, digits and hyphens, and begin with a letter: buckets and functions are called after it."
  }
}

variable "offline" {
  description = "Whether credentials, account and region are not checked against AWS: for a plan without AWS and for emulators (AWS_ENDPOINT_URL)."
  type        = bool
  default     = false
}

variable "packages_dir" {
  description = "The folder with <function>/bootstrap.zip of each function, as infra/package leaves it; relative to this folder unless it begins with /."
  type        = string
  default     = "../target/packages"

  validation {
    condition     = var.packages_dir != "" && !endswith(var.packages_dir, "/") && !endswith(var.packages_dir, ".zip")
    error_message = "packages_dir must be the folder that has <function>/bootstrap.zip, without / at its end, such as \"../target/packages\"."
  }
}

variable "region" {
  description = "The AWS region."
  type        = string
  default     = "ap-northeast-2"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be a region's code, such as \"ap-northeast-2\"."
  }
}

variable "secrets" {
  description = "Secrets of functions: mask_key (hashed columns), registry_auth (user:password of a Confluent registry), salesforce_tokens (by the connection's name), signing_keys (HTTP), token_keys (devices with devices.provisioning = \"signed\"). They are in the state: encrypt it, and keep it closed."
  type = object({
    mask_key          = optional(string)
    registry_auth     = optional(string)
    salesforce_tokens = optional(map(string), {})
    signing_keys      = optional(string)
    token_keys        = optional(string)
  })
  default   = {}
  sensitive = true

  # Over a list with the whole object: a message shows the values of what a condition names, and shows of this that it is an
  # object.
  validation {
    condition     = alltrue([for given in [var.secrets] : given.mask_key == null || try(length(given.mask_key), 0) >= 16])
    error_message = "secrets.mask_key must have at least 16 characters: `openssl rand -hex 32`. Leave it out where no column is hashed."
  }
  validation {
    condition     = alltrue([for given in [var.secrets] : given.registry_auth == null || can(regex("^[^:]+:.", given.registry_auth))])
    error_message = "secrets.registry_auth must be user:password of the registry. Leave it out where it asks for none."
  }
  validation {
    condition     = alltrue(flatten([for given in [var.secrets] : [for token in values(given.salesforce_tokens) : try(trimspace(token) != "", false)]]))
    error_message = "secrets.salesforce_tokens has a connection without its token: leave the connection out, or give the token."
  }
  # What `none` would mean to the function, anybody may send.
  validation {
    condition     = alltrue(flatten([for given in [var.secrets] : given.signing_keys == null ? [] : [for key in split(",", given.signing_keys) : can(regex("^\\s*([^,]+:)?[^,:]{16,}\\s*$", key))]]))
    error_message = "secrets.signing_keys must have keys of at least 16 characters without colons, with a comma between them: `openssl rand -hex 32`. `orders:KEY` is for that dataset alone. Leave it out where there is no API."
  }
  validation {
    condition     = alltrue(flatten([for given in [var.secrets] : given.token_keys == null ? [] : [for key in split(",", given.token_keys) : length(trimspace(key)) >= 16]]))
    error_message = "secrets.token_keys must have keys of at least 16 characters, with a comma between them: `openssl rand -hex 32`. Leave it out where devices bring no tokens."
  }
}

variable "sources" {
  description = "Which sources are on."
  type        = set(string)
  default     = ["kinesis"]

  validation {
    condition     = length(setsubtract(var.sources, ["api", "cdc", "firehose", "iot", "kafka", "kinesis", "saas"])) == 0
    error_message = "sources has ${join(", ", setsubtract(var.sources, ["api", "cdc", "firehose", "iot", "kafka", "kinesis", "saas"]))}; it may have api, cdc, firehose, iot, kafka, kinesis and saas."
  }
}

variable "streams" {
  description = "Kinesis data streams that several datasets read, or that are not as the default (on demand, 72 hours), by name. A dataset that is in none has a stream of its own name."
  type = map(object({
    datasets         = set(string)
    enhanced_fan_out = optional(bool, false)
    retention_hours  = optional(number, 72)
    shards           = optional(number)
  }))
  default = { clickstream = { datasets = ["clickstream", "page_views"] } }

  validation {
    condition     = alltrue([for name in keys(var.streams) : can(regex("^[a-zA-Z0-9_-]{1,100}$", name))])
    error_message = "Names in streams must have at most 100 letters, digits, hyphens and underscores: functions are called after them. Wrong: ${join(", ", [for name in keys(var.streams) : name if !can(regex("^[a-zA-Z0-9_-]{1,100}$", name))])}."
  }
  validation {
    condition     = length(distinct(flatten([for stream in var.streams : tolist(stream.datasets)]))) == length(flatten([for stream in var.streams : tolist(stream.datasets)]))
    error_message = "A dataset is in several of streams: ${join(", ", [for name in distinct(flatten([for stream in var.streams : tolist(stream.datasets)])) : name if length([for stream in var.streams : stream if contains(stream.datasets, name)]) > 1])}. Its function reads one: name it once."
  }
  validation {
    condition     = alltrue([for stream in var.streams : stream.retention_hours >= 24 && stream.retention_hours <= 8760 && coalesce(stream.shards, 1) >= 1])
    error_message = "streams' retention_hours must be 24 to 8760, and shards at least 1, or left out for on demand."
  }
  validation {
    condition     = alltrue([for stream in var.streams : !stream.enhanced_fan_out || length(stream.datasets) <= 20])
    error_message = "A stream with enhanced_fan_out has at most 20 datasets, for each is a consumer of its own: divide it in streams."
  }
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
  default     = {}
}

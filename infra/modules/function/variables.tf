variable "alarms" {
  description = "Who is told, and of which metrics of the function's own: each above `limit`, in % of the metric `per` where there is one, or while the metric `while` is above 0. `age_seconds`: how old what waits for the function may be."
  type = object({
    age_seconds = number
    dataset     = optional(string)
    topic_arn   = string
    metrics = optional(map(object({
      limit     = number
      metric    = string
      per       = optional(string)
      statistic = string
      while     = optional(string)
    })), {})
  })

  validation {
    condition     = alltrue([for alarm in var.alarms.metrics : contains(["Average", "Maximum", "Minimum", "Sum"], alarm.statistic) && alarm.limit >= 0])
    error_message = "An alarm's statistic must be Average, Maximum, Minimum or Sum, and its limit at least 0."
  }
  validation {
    condition     = alltrue([for alarm in var.alarms.metrics : alarm.per == null || alarm.while == null])
    error_message = "An alarm has per or while, not both."
  }
  validation {
    condition     = can(regex("^arn:[a-z-]+:sns:", var.alarms.topic_arn))
    error_message = "alarms.topic_arn must be the ARN of an SNS topic."
  }
}

variable "description" {
  description = "What the function is for."
  type        = string

  validation {
    condition     = length(var.description) <= 256
    error_message = "description must have at most 256 characters, as Lambda asks."
  }
}

variable "failures" {
  description = "The bucket that gets events and batches that were given up, below aws/lambda/."
  type        = object({ bucket_arn = string })

  validation {
    condition     = can(regex("^arn:[a-z-]+:s3:::[^/]+$", var.failures.bucket_arn))
    error_message = "failures.bucket_arn must be a bucket's ARN: S3 alone gets what was given up with its payload."
  }
}

variable "kms_key_arn" {
  description = "The key of settings, logs and queues."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:", var.kms_key_arn))
    error_message = "kms_key_arn must be a key's ARN: aliases and ids do not fit into policies."
  }
}

variable "name" {
  description = "The function's name."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,64}$", var.name))
    error_message = "A function's name has at most 64 letters, digits, hyphens and underscores. Shorten the dataset's name, or the environment's (name)."
  }
}

variable "package" {
  description = "The function's zip."
  type        = string

  validation {
    condition     = endswith(var.package, ".zip")
    error_message = "package must be a zip, such as target/lambda/dms-merge/bootstrap.zip."
  }
}

variable "permissions" {
  description = "What the function may do beyond its logs and its trigger."
  type = map(object({
    actions   = list(string)
    resources = list(string)
    condition = optional(object({ test = string, variable = string, values = list(string) }))
  }))

  validation {
    condition     = alltrue(flatten([for permission in var.permissions : [for action in permission.actions : !strcontains(action, "*")]]))
    error_message = "permissions must name each action: no `*`."
  }
}

variable "runtime" {
  description = "How the function runs."
  type = object({
    architecture       = string
    concurrency        = optional(number)
    ephemeral_mb       = optional(number, 512)
    log_retention_days = number
    memory_mb          = number
    pinned_version     = optional(string)
    timeout_seconds    = number
  })

  validation {
    condition     = contains(["arm64", "x86_64"], var.runtime.architecture)
    error_message = "architecture must be arm64 or x86_64."
  }
  validation {
    condition     = coalesce(var.runtime.concurrency, 0) >= 0
    error_message = "concurrency must be at least 0 (nobody can call the function), or null for what the account has left."
  }
  validation {
    condition     = var.runtime.ephemeral_mb >= 512 && var.runtime.ephemeral_mb <= 10240
    error_message = "ephemeral_mb must be 512 to 10240."
  }
  validation {
    condition     = can(regex("^[0-9]+$", coalesce(var.runtime.pinned_version, "1")))
    error_message = "pinned_version must be a version's number, such as \"7\"."
  }
  validation {
    condition     = var.runtime.memory_mb >= 128 && var.runtime.memory_mb <= 10240
    error_message = "memory_mb must be 128 to 10240."
  }
  validation {
    condition     = var.runtime.timeout_seconds >= 1 && var.runtime.timeout_seconds <= 900
    error_message = "timeout_seconds must be 1 to 900."
  }
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.runtime.log_retention_days)
    error_message = "log_retention_days must be one that CloudWatch knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, …, 3653."
  }
}

variable "secrets" {
  description = "Settings that are not shown in plans."
  type        = map(string)
  default     = {}
  sensitive   = true
}

variable "settings" {
  description = "The function's environment."
  type        = map(string)
}

variable "trigger" {
  description = "What invokes the function: records of a Kinesis data stream (`kinesis`; `source_arn` is the stream or its consumer), a topic of MSK (`kafka`; `source_arn` is the cluster), messages of a queue of its own that EventBridge fills by `pattern` and `schedule` (`queue`), EventBridge itself by `pattern` (`event`), or what else may call it (`none`). `pollers`: provisioned ones of a topic's mapping."
  type = object({
    batch_size      = optional(number)
    batching_window = optional(number)
    bisect          = optional(bool, false)
    group           = optional(string)
    kind            = string
    partial_batches = optional(bool, false)
    pattern         = optional(string)
    pollers         = optional(object({ maximum = number, minimum = number }))
    retries         = optional(number, 100)
    schedule        = optional(string)
    schedule_input  = optional(string)
    source_arn      = optional(string)
    stream_arn      = optional(string)
    topic           = optional(string)
    tumbling        = optional(number)
    # Of a topic.
    starting_position = optional(string, "TRIM_HORIZON")
  })

  validation {
    condition     = contains(["event", "kafka", "kinesis", "none", "queue"], var.trigger.kind)
    error_message = "trigger.kind must be event, kafka, kinesis, none or queue."
  }
  validation {
    condition     = var.trigger.kind != "event" || var.trigger.pattern != null
    error_message = "trigger.pattern must say which events of EventBridge are meant."
  }
  validation {
    condition     = var.trigger.kind != "kafka" || (var.trigger.topic != null && can(regex("^[a-zA-Z0-9._-]{1,200}$", var.trigger.group)))
    error_message = "A trigger of the kind kafka needs a topic, and a group of 1 to 200 letters, digits, dots, hyphens and underscores."
  }
  validation {
    condition     = var.trigger.kind != "kafka" || !var.trigger.partial_batches || var.trigger.pollers != null
    error_message = "Lambda takes partial batches of a topic only with pollers of its own: set trigger.pollers, or partial_batches = false and the function's FAILURES = \"batch\"."
  }
  validation {
    condition     = var.trigger.pollers == null || try(var.trigger.pollers.minimum >= 1 && var.trigger.pollers.minimum <= var.trigger.pollers.maximum && var.trigger.pollers.maximum <= 2000, false)
    error_message = "trigger.pollers must be 1 to 2000, the minimum not above the maximum."
  }
  validation {
    condition     = contains(["LATEST", "TRIM_HORIZON"], var.trigger.starting_position)
    error_message = "trigger.starting_position must be LATEST or TRIM_HORIZON."
  }
  validation {
    condition     = var.trigger.schedule == null || can(regex("^(rate|cron)\\(.+\\)$", var.trigger.schedule))
    error_message = "trigger.schedule must be rate(…) or cron(…)."
  }
}

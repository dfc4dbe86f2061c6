variable "alarms" {
  description = "Who is told, and how old what is not delivered may be, in seconds."
  type        = object({ freshness_seconds = number, topic_arn = string })

  validation {
    condition     = var.alarms.freshness_seconds > 0
    error_message = "alarms.freshness_seconds must be above 0."
  }
  validation {
    condition     = can(regex("^arn:[a-z-]+:sns:", var.alarms.topic_arn))
    error_message = "alarms.topic_arn must be the ARN of an SNS topic."
  }
}

variable "backup" {
  description = "Whether records are kept as they came as well, below errors/<name>/backup/. What fails is kept in any case."
  type        = bool
  default     = false
}

variable "buffer" {
  description = "How much and how long is gathered into a file."
  type        = object({ megabytes = optional(number, 128), seconds = optional(number, 300) })
  default     = {}

  validation {
    condition     = var.buffer.megabytes >= 64 && var.buffer.megabytes <= 128 && var.buffer.seconds >= 60 && var.buffer.seconds <= 900
    error_message = "buffer must be 64 to 128 MB (Parquet is made of no less) and 60 to 900 s: dynamic partitioning does not deliver at once."
  }
}

variable "bucket" {
  description = "The lake's bucket, and its ARN."
  type        = object({ arn = string, name = string })

  validation {
    condition     = can(regex("^arn:[a-z-]+:s3:::[^/]+$", var.bucket.arn))
    error_message = "bucket.arn must be a bucket's ARN."
  }
}

variable "function_arn" {
  description = "The alias of firehose-transform."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:lambda:.+:function:[^:]+:[^:]+$", var.function_arn))
    error_message = "function_arn must be the ARN of a function's alias."
  }
}

variable "kms_key_arn" {
  description = "The key that everything is encrypted with."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:", var.kms_key_arn))
    error_message = "kms_key_arn must be a key's ARN: aliases and ids do not fit into policies."
  }
}

variable "log_retention_days" {
  description = "How long logs of deliveries are kept."
  type        = number

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be one that CloudWatch knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, …, 3653."
  }
}

variable "name" {
  description = "The delivery stream's name."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_.-]{1,60}$", var.name))
    error_message = "A delivery stream's name has at most 60 letters, digits, hyphens, dots and underscores. Shorten the dataset's name, or the environment's (name)."
  }
}

variable "partitions" {
  description = "The partition keys that the transform gives, in order."
  type        = list(string)

  validation {
    condition     = length(distinct(var.partitions)) == length(var.partitions)
    error_message = "partitions names a key twice."
  }
}

variable "prefix" {
  description = "The folder of the table's files."
  type        = string

  validation {
    condition     = endswith(var.prefix, "/") && !startswith(var.prefix, "/")
    error_message = "prefix must be a folder, such as raw/logs/."
  }
}

variable "schema" {
  description = "The Glue table whose columns the files have, and its ARNs."
  type        = object({ arns = list(string), database = string, region = string, table = string })
}

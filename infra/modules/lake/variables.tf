variable "bucket" {
  description = "The bucket's name."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "bucket must have 3 to 63 lower-case letters, digits, dots and hyphens."
  }
}

variable "bucket_arn" {
  description = "The bucket's ARN."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:s3:::", var.bucket_arn))
    error_message = "bucket_arn must be a bucket's ARN, such as arn:aws:s3:::my-lake."
  }
}

variable "crawler" {
  description = "Of tables whose columns only their files say, those that are looked at (null: all), and when."
  type = object({
    datasets = optional(set(string))
    schedule = optional(string, "cron(30 2 * * ? *)")
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(regex("^cron\\(.+\\)$", var.crawler.schedule))
    error_message = "crawler.schedule must be cron(…)."
  }
}

# Of no one type: cdc and stream datasets have different fields.
variable "datasets" {
  description = "The dataset files, by name."
  type        = any

  validation {
    condition     = alltrue([for dataset in var.datasets : can(dataset.kind) && (can(dataset.target.prefix) || can(dataset.target.snapshot))])
    error_message = "Each dataset must have kind, and target.prefix or target.snapshot."
  }
}

variable "expire_days" {
  description = "After how many days objects expire: change files and raw (null: never), errors, quarantine, results of queries."
  type = object({
    cdc        = optional(number)
    errors     = number
    quarantine = number
    raw        = optional(number)
    results    = optional(number, 14)
  })

  validation {
    condition     = min(var.expire_days.errors, var.expire_days.quarantine, var.expire_days.results, coalesce(var.expire_days.cdc, 1), coalesce(var.expire_days.raw, 1)) >= 1
    error_message = "expire_days must be at least 1; cdc and raw may be null, for never."
  }
}

variable "force_destroy" {
  description = "Whether the bucket may be destroyed with all that is in it."
  type        = bool
  default     = false
  nullable    = false
}

variable "glue_arn" {
  description = "The ARN of Glue up to the account, such as arn:aws:glue:eu-west-1:123456789012."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:glue:[a-z0-9-]+:[0-9]{12}$", var.glue_arn))
    error_message = "glue_arn must be an ARN up to the account: arn:aws:glue:REGION:ACCOUNT."
  }
}

variable "infrequent_days" {
  description = "After how many days raw objects move to infrequent access; null: never."
  type        = number
  default     = null

  validation {
    condition     = coalesce(var.infrequent_days, 30) >= 30
    error_message = "infrequent_days must be at least 30: S3 moves nothing before."
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

variable "name" {
  description = "What the database, the workgroup and the crawler are called."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]+$", var.name))
    error_message = "name must have lower-case letters, digits and hyphens."
  }
}

variable "partition_years" {
  description = "The first and the last year of partitions. Each query without a year looks at all of them."
  type        = list(number)
  default     = [2025, 2030]

  validation {
    condition     = length(var.partition_years) == 2 && try(var.partition_years[0] <= var.partition_years[1] && var.partition_years[0] >= 1970 && var.partition_years[1] <= 9999, false)
    error_message = "partition_years must be the first and the last year, such as [2025, 2030]."
  }
}

variable "writers" {
  description = "Services of AWS that write into folders of the bucket by its policy, and not by a role; each for the account that it acts for."
  type        = map(object({ account = string, folders = list(string), service = string }))
  default     = {}

  validation {
    condition     = alltrue([for writer in var.writers : can(regex("^[a-z.]+\\.amazonaws\\.com$", writer.service)) && can(regex("^[0-9]{12}$", writer.account))])
    error_message = "A writer must be a service, such as appflow.amazonaws.com, that acts for an account of 12 digits."
  }
  validation {
    condition     = alltrue(flatten([for writer in var.writers : [for folder in writer.folders : can(regex("^[^/*]+(/[^/*]+)*$", folder))]]))
    error_message = "A writer's folders must be such as raw/saas: without / at the ends, and without *."
  }
}

variable "alarm_topic_arn" {
  description = "Who is told."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:sns:", var.alarm_topic_arn))
    error_message = "alarm_topic_arn must be the ARN of an SNS topic."
  }
}

variable "enhanced_fan_out" {
  description = "Who has a throughput of its own, by dataset."
  type        = set(string)
  default     = []

  validation {
    condition     = length(var.enhanced_fan_out) <= 20
    error_message = "A stream has at most 20 consumers with a throughput of their own."
  }
}

variable "iterator_age_seconds" {
  description = "How old the oldest record that waits may be."
  type        = number

  validation {
    condition     = var.iterator_age_seconds >= 60
    error_message = "iterator_age_seconds must be at least 60."
  }
}

variable "kms_key_arn" {
  description = "The key that records are encrypted with."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:", var.kms_key_arn))
    error_message = "kms_key_arn must be a key's ARN: aliases and ids do not fit into policies."
  }
}

variable "name" {
  description = "The stream's name."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_.-]{1,128}$", var.name))
    error_message = "name must have 1 to 128 letters, digits, hyphens, dots and underscores."
  }
}

variable "retention_hours" {
  description = "How long records wait."
  type        = number

  validation {
    condition     = var.retention_hours >= 24 && var.retention_hours <= 8760
    error_message = "retention_hours must be 24 to 8760."
  }
}

variable "shards" {
  description = "How many shards; null: as many as it takes (on demand)."
  type        = number
  default     = null

  validation {
    condition     = coalesce(var.shards, 1) >= 1
    error_message = "shards must be at least 1, or null for on demand."
  }
}

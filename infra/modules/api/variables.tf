variable "access_log_days" {
  description = "How long access logs are kept."
  type        = number

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.access_log_days)
    error_message = "access_log_days must be one that CloudWatch knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, …, 3653."
  }
}

variable "alarm_topic_arn" {
  description = "Who is told."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:sns:", var.alarm_topic_arn))
    error_message = "alarm_topic_arn must be the ARN of an SNS topic."
  }
}

variable "auth" {
  description = "Who lets a sender in: \"signature\" (the function) or \"iam\" (AWS)."
  type        = string

  validation {
    condition     = contains(["iam", "signature"], var.auth)
    error_message = "auth must be \"signature\" or \"iam\"."
  }
}

variable "kms_key_arn" {
  description = "The key of the access logs."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:", var.kms_key_arn))
    error_message = "kms_key_arn must be a key's ARN: aliases and ids do not fit into policies."
  }
}

variable "name" {
  description = "The API's name."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,128}$", var.name))
    error_message = "name must have at most 128 letters, digits, hyphens and underscores."
  }
}

variable "routes" {
  description = "The function's alias that takes a dataset's records, by dataset."
  type        = map(string)

  validation {
    condition     = length(var.routes) > 0
    error_message = "No dataset takes records over HTTP: \"api\" in sources needs \"kinesis\" there too, and a dataset of a Kinesis stream."
  }
}

variable "throttle" {
  description = "Requests a second, and at once."
  type        = object({ burst = number, rate = number })

  validation {
    condition     = var.throttle.rate > 0 && var.throttle.burst > 0
    error_message = "throttle must be above 0."
  }
}

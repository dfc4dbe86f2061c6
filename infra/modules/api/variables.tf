variable "access_log_days" {
  description = "How long access logs are kept."
  type        = number
}

variable "alarm_topic_arn" {
  description = "Who is told."
  type        = string
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

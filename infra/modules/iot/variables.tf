variable "alarms" {
  description = "Who is told."
  type        = object({ topic_arn = string })

  validation {
    condition     = can(regex("^arn:[a-z-]+:sns:", var.alarms.topic_arn))
    error_message = "alarms.topic_arn must be the ARN of an SNS topic."
  }
}

variable "bucket" {
  description = "The bucket that gets, below errors/iot/<rule>/, the messages that a rule's action did not take."
  type        = object({ arn = string, name = string })

  validation {
    condition     = can(regex("^arn:[a-z-]+:s3:::[^/]+$", var.bucket.arn))
    error_message = "bucket.arn must be a bucket's ARN."
  }
}

variable "claims" {
  description = "The ids of claim certificates: what devices show to be provisioned."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for claim in var.claims : can(regex("^[0-9a-f]{64}$", claim))])
    error_message = "claims must be ids of certificates: 64 hexadecimal digits, as certificateId of `aws iot create-keys-and-certificate` has them."
  }
}

variable "iot_arn" {
  description = "What ARNs of AWS IoT begin with: arn:aws:iot:<region>:<account>."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:iot:[a-z0-9-]+:[0-9]{12}$", var.iot_arn))
    error_message = "iot_arn must be arn:aws:iot:<region>:<account>, without what follows."
  }
}

variable "kms_key_arn" {
  description = "The key of the bucket and of the streams."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:", var.kms_key_arn))
    error_message = "kms_key_arn must be a key's ARN: aliases and ids do not fit into policies."
  }
}

variable "name" {
  description = "What the template is called, and what the names of roles and policies begin with."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,28}$", var.name))
    error_message = "name must have at most 28 letters, digits, hyphens and underscores: a provisioning template's has at most 36."
  }
}

variable "provisioning" {
  description = "The function that says which devices come in (the template's hook), and the template's parameters; null: no template."
  type        = object({ hook_arn = string, parameters = set(string) })
  default     = null

  validation {
    condition     = var.provisioning == null || can(regex("^arn:[a-z-]+:lambda:", var.provisioning.hook_arn))
    error_message = "provisioning.hook_arn must be a function's ARN: without a hook, every device with a claim certificate comes in."
  }
  validation {
    condition     = var.provisioning == null || contains(try(var.provisioning.parameters, []), "SerialNumber")
    error_message = "provisioning.parameters must have SerialNumber: the thing is called by it."
  }
}

variable "rules" {
  description = "Rules: name, SQL, and one place that messages go to: a function's alias, a Kinesis data stream, a delivery stream of Firehose (in batches, where the SQL gives an array), a table of Timestream."
  type = map(object({
    name         = string
    sql          = string
    delivery     = optional(object({ arn = string, name = string }))
    function_arn = optional(string)
    stream       = optional(object({ arn = string, name = string }))
    timestream   = optional(object({ arn = string, database = string, dimensions = map(string), table = string }))
  }))

  validation {
    condition     = alltrue([for rule in var.rules : can(regex("^[a-zA-Z0-9_]{1,128}$", rule.name))]) && length(distinct([for rule in var.rules : rule.name])) == length(var.rules)
    error_message = "A rule's name has 1 to 128 letters, digits and underscores, and no other rule's: ${join(", ", [for rule in var.rules : rule.name])}."
  }
  validation {
    condition     = alltrue([for rule in var.rules : can(regex("(?is)^\\s*SELECT\\s.+\\sFROM\\s+'[^']+'", rule.sql))])
    error_message = "A rule's SQL must be SELECT … FROM '<topic filter>'."
  }
  validation {
    condition     = alltrue([for rule in var.rules : length([for place in [rule.delivery, rule.function_arn, rule.stream, rule.timestream] : place if place != null]) == 1])
    error_message = "A rule has one place that messages go to: what failed at one would else come to all again."
  }
  validation {
    condition     = alltrue([for rule in var.rules : length(try(rule.timestream.dimensions, { some = "" })) > 0])
    error_message = "Timestream asks for at least one dimension."
  }
}

variable "topics" {
  description = "The topics that devices publish to, as filters; the first + is the thing's name."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for topic in var.topics : can(regex("^([^+#/$*?'\" ]+/)*\\+(/([^+#/$*?'\" ]+|\\+))*(/#)?$", topic)) && length(split("/", topic)) <= 8])
    error_message = "topics must be filters with a + for the thing's name, at most 8 levels, such as sensors/+/temperature."
  }
}

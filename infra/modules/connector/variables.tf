variable "alarms" {
  description = "Who is told of tasks that fail."
  type        = object({ topic_arn = string })

  validation {
    condition     = can(regex("^arn:[a-z-]+:sns:", var.alarms.topic_arn))
    error_message = "alarms.topic_arn must be the ARN of an SNS topic."
  }
}

variable "bucket" {
  description = "Where a sink writes: the bucket, and the folder in it that is all it may touch; null: nowhere."
  type        = object({ arn = string, folder = string, name = string })
  default     = null

  validation {
    condition     = var.bucket == null || can(regex("^[^/]+(/[^/]+)*$", var.bucket.folder))
    error_message = "bucket.folder must be a folder without / at its ends, such as raw/kafka/shop."
  }
}

variable "capacity" {
  description = "Workers at least and at most, and their size in MSK Connect's units."
  type        = object({ maximum = optional(number, 2), minimum = optional(number, 1), units = optional(number, 1) })
  default     = {}

  validation {
    condition     = contains([1, 2, 4, 8], var.capacity.units)
    error_message = "capacity.units must be 1, 2, 4 or 8."
  }
  validation {
    condition     = var.capacity.minimum >= 1 && var.capacity.minimum <= var.capacity.maximum && var.capacity.maximum <= 10
    error_message = "capacity must have 1 to 10 workers, the minimum not above the maximum."
  }
}

variable "cluster" {
  description = "The cluster, and where its clients begin that log in with IAM."
  type        = object({ arn = string, bootstrap_servers = string })

  validation {
    condition     = var.cluster.bootstrap_servers != null
    error_message = "A connector needs cluster.bootstrap_servers: `aws kafka get-bootstrap-brokers` tells BootstrapBrokerStringSaslIam."
  }
}

variable "configuration" {
  description = "The connector's own settings, over those of its kind. Secrets are named, not told: $${secretsmanager:NAME:KEY}."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key, value in var.configuration : can(regex("^\\$\\{[^}]+\\}$", value)) if can(regex("(?i)(password|passphrase|secret|credential|token|private[._]?key|access[._]?key|api[._]?key)$", key))])
    error_message = "configuration has a secret in plain text: ${join(", ", [for key, value in var.configuration : key if can(regex("(?i)(password|passphrase|secret|credential|token|private[._]?key|access[._]?key|api[._]?key)$", key)) && !can(regex("^\\$\\{[^}]+\\}$", value))])}. It would be in the state and in MSK's console: put it into a secret and write \"$$$${secretsmanager:NAME:KEY}\"."
  }
}

variable "kind" {
  description = "What it is: debezium-mysql, debezium-postgres, s3-sink, or other, whose configuration says all."
  type        = string

  validation {
    condition     = contains(["debezium-mysql", "debezium-postgres", "other", "s3-sink"], var.kind)
    error_message = "kind must be debezium-mysql, debezium-postgres, s3-sink or other."
  }
  validation {
    condition     = var.kind != "s3-sink" || var.bucket != null
    error_message = "A connector of the kind s3-sink needs a bucket."
  }
}

variable "kms_key_arn" {
  description = "The key of logs, and of the bucket."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:", var.kms_key_arn))
    error_message = "kms_key_arn must be a key's ARN: aliases and ids do not fit into policies."
  }
}

variable "log_retention_days" {
  description = "How long the workers' logs are kept."
  type        = number

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be one that CloudWatch knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, …, 3653."
  }
}

variable "name" {
  description = "What the connector, its plugin and its role are called."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9][a-zA-Z0-9-]{0,54}$", var.name))
    error_message = "name must have at most 55 letters, digits and hyphens."
  }
}

variable "plugin" {
  description = "The plugin's archive in a bucket, uploaded beforehand, and the secret that the configuration names."
  type = object({
    bucket_arn         = string
    key                = string
    object_version     = optional(string)
    secret_arn         = optional(string)
    secret_kms_key_arn = optional(string)
  })

  validation {
    condition     = can(regex("^arn:[a-z-]+:s3:::[^/]+$", var.plugin.bucket_arn)) && can(regex("\\.(jar|zip)$", var.plugin.key))
    error_message = "plugin must be a .zip or .jar in a bucket: bucket_arn = \"arn:aws:s3:::my-plugins\", key = \"debezium.zip\"."
  }
  validation {
    condition     = var.plugin.secret_arn == null || can(regex("^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+-[A-Za-z0-9]{6}$", var.plugin.secret_arn))
    error_message = "plugin.secret_arn must be the whole ARN of a secret, with the six signs at its end, such as …:secret:shop-AbCdEf. Copy it from `aws secretsmanager describe-secret --secret-id shop --query ARN`."
  }
  validation {
    condition     = !startswith(var.kind, "debezium-") || var.plugin.secret_arn != null
    error_message = "A Debezium connector needs plugin.secret_arn: a secret with username, password, host and port of the database."
  }
}

variable "network" {
  description = "Where the workers are; the cluster and the database let these security groups in."
  type        = object({ security_group_ids = list(string), subnet_ids = list(string) })

  validation {
    condition     = length(var.network.subnet_ids) > 0 && length(var.network.security_group_ids) > 0
    error_message = "network must have subnets and security groups."
  }
}

variable "topics" {
  description = "Topics that are read or written, * for a part of the name: no others may be."
  type        = object({ read = optional(list(string), []), write = optional(list(string), []) })

  validation {
    condition     = length(concat(var.topics.read, var.topics.write)) > 0 && alltrue([for topic in concat(var.topics.read, var.topics.write) : can(regex("^[a-zA-Z0-9._-][a-zA-Z0-9._*-]*$", topic))])
    error_message = "topics must name those that are read or written, such as write = [\"shop.*\"], and not all of them."
  }
}

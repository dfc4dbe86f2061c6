variable "alarms" {
  description = "Who is told, and how far behind a consumer may be: records of a partition, seconds."
  type        = object({ lag_records = number, lag_seconds = number, topic_arn = string })

  validation {
    condition     = min(var.alarms.lag_records, var.alarms.lag_seconds) > 0
    error_message = "alarms.lag_records and alarms.lag_seconds must be above 0."
  }
  validation {
    condition     = can(regex("^arn:[a-z-]+:sns:", var.alarms.topic_arn))
    error_message = "alarms.topic_arn must be the ARN of an SNS topic."
  }
}

variable "brokers" {
  description = "The brokers of a provisioned cluster; null: a serverless one. `properties` go over those of the configuration."
  type = object({
    count         = optional(number, 3)
    instance_type = optional(string, "kafka.m7g.large")
    kafka_version = optional(string, "3.9.x.kraft")
    properties    = optional(map(string), {})
    volume_gb     = optional(number, 100)
  })
  default = null

  validation {
    condition     = var.brokers == null || try(var.brokers.count > 0 && var.brokers.count % length(var.network.subnet_ids) == 0, false)
    error_message = "brokers.count must be a multiple of the number of subnets: as many in each."
  }
  validation {
    condition     = var.brokers == null || can(regex("^kafka\\.", var.brokers.instance_type))
    error_message = "brokers.instance_type must be of a standard broker, such as kafka.m7g.large: express brokers have neither the disks nor the metrics that are watched here. Give such a cluster as one that exists."
  }
  validation {
    condition     = var.brokers == null || can(regex("^[0-9]+\\.[0-9]+\\.[0-9x]+\\.kraft$", var.brokers.kafka_version))
    error_message = "brokers.kafka_version must be one with KRaft as MSK calls it, such as 3.9.x.kraft; see `aws kafka list-kafka-versions`."
  }
  validation {
    condition     = var.brokers == null || try(var.brokers.volume_gb >= 1 && var.brokers.volume_gb <= 16384, false)
    error_message = "brokers.volume_gb must be 1 to 16384."
  }
}

variable "consumers" {
  description = "Whose lag is watched: consumer group and topic, by any name."
  type        = map(object({ group = string, topic = string }))
  default     = {}

  validation {
    condition     = alltrue([for consumer in var.consumers : can(regex("^[a-zA-Z0-9._-]{1,200}$", consumer.group))])
    error_message = "A consumer group must have 1 to 200 letters, digits, dots, hyphens and underscores: CloudWatch has no lag of others."
  }
}

variable "existing" {
  description = "A cluster that is there already, instead of one that is made."
  type        = object({ arn = string, bootstrap_servers = optional(string) })
  default     = null

  validation {
    condition     = var.existing == null || can(regex("^arn:[a-z-]+:kafka:[a-z0-9-]+:[0-9]{12}:cluster/[^/]+/[^/]+$", var.existing.arn))
    error_message = "existing.arn must be a cluster's ARN: arn:aws:kafka:REGION:ACCOUNT:cluster/NAME/UUID."
  }
}

variable "kms_key_arn" {
  description = "The key of the brokers' disks and logs."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:", var.kms_key_arn))
    error_message = "kms_key_arn must be a key's ARN: aliases and ids do not fit into policies."
  }
}

variable "log_retention_days" {
  description = "How long the brokers' logs are kept."
  type        = number

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be one that CloudWatch knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, …, 3653."
  }
}

variable "name" {
  description = "What a cluster that is made is called, and the schema registry."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9][a-zA-Z0-9-]{0,63}$", var.name))
    error_message = "name must have at most 64 letters, digits and hyphens."
  }
}

variable "network" {
  description = "Where the brokers are. The mapping's pollers are in the same subnets and security groups, so these let themselves in."
  type        = object({ security_group_ids = list(string), subnet_ids = list(string) })

  validation {
    condition     = var.existing != null || (length(var.network.subnet_ids) >= 2 && length(var.network.security_group_ids) >= 1)
    error_message = "network must have at least two subnets, in two availability zones, and a security group."
  }
}

variable "registry" {
  description = "The Glue schema registry: one that is there (`existing_name`), or one that is made; null: none. `schemas` by name, with their text."
  type = object({
    existing_name = optional(string)
    schemas       = optional(map(object({ compatibility = string, definition = string, format = string })), {})
  })
  default = null

  validation {
    condition     = var.registry == null || alltrue([for schema in try(var.registry.schemas, {}) : contains(["NONE", "DISABLED", "BACKWARD", "BACKWARD_ALL", "FORWARD", "FORWARD_ALL", "FULL", "FULL_ALL"], schema.compatibility)])
    error_message = "A schema's compatibility must be NONE, DISABLED, BACKWARD, BACKWARD_ALL, FORWARD, FORWARD_ALL, FULL or FULL_ALL."
  }
  validation {
    condition     = var.registry == null || alltrue([for schema in try(var.registry.schemas, {}) : contains(["AVRO", "JSON", "PROTOBUF"], schema.format)])
    error_message = "A schema's format must be AVRO, JSON or PROTOBUF."
  }
}

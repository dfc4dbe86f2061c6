variable "clusters" {
  description = "Kafka clusters of MSK, by name: one that exists (`arn`; `bootstrap_servers` for connectors), one with `brokers`, or else a serverless one. `topics`: what each kafka dataset reads. `registry`: \"glue\", or a Confluent registry's address that is reached without a network of your own; `registry_name` of one in Glue that exists; `schemas`: a file of each schema, by name, such as orders-value = \"schemas/orders.avsc\". With `pollers` Lambda gives the mapping pollers of its own, which cost by the hour; without, a batch that fails comes again whole."
  type = map(object({
    arn               = optional(string)
    bootstrap_servers = optional(string)
    brokers = optional(object({
      count         = optional(number, 3)
      instance_type = optional(string, "kafka.m7g.large")
      kafka_version = optional(string, "3.9.x.kraft")
      properties    = optional(map(string), {})
      volume_gb     = optional(number, 100)
    }))
    registry           = optional(string)
    registry_name      = optional(string)
    schemas            = optional(map(string), {})
    security_group_ids = list(string)
    subnet_ids         = list(string)
    topics = map(object({
      topic             = string
      batch_size        = optional(number, 10000)
      batching_window   = optional(number, 30)
      gaps              = optional(bool, true)
      pollers           = optional(object({ maximum = number, minimum = number }))
      starting_position = optional(string, "TRIM_HORIZON")
    }))
  }))
  default = {}

  validation {
    condition     = alltrue([for name in keys(var.clusters) : can(regex("^[a-z][a-z0-9-]{0,30}$", name))])
    error_message = "clusters has the name ${join(", ", [for name in keys(var.clusters) : name if !can(regex("^[a-z][a-z0-9-]{0,30}$", name))])}: it must have at most 31 lower-case letters, digits and hyphens, and begin with a letter."
  }
  validation {
    condition     = alltrue([for cluster in var.clusters : cluster.arn == null || cluster.brokers == null])
    error_message = "A cluster that exists (arn) has its brokers: leave brokers out, or arn."
  }
  validation {
    condition     = alltrue([for cluster in var.clusters : cluster.registry == null || can(regex("^(glue|https?://.+)$", cluster.registry))])
    error_message = "clusters' registry must be \"glue\" or an address, such as \"https://registry.example.com\"."
  }
  validation {
    condition     = alltrue([for cluster in var.clusters : length(cluster.schemas) == 0 && cluster.registry_name == null || cluster.registry == "glue"])
    error_message = "clusters' schemas and registry_name are of Glue's registry: set registry = \"glue\"."
  }
  validation {
    condition     = alltrue(flatten([for cluster in var.clusters : [for file in values(cluster.schemas) : fileexists(startswith(file, "/") ? file : "${path.module}/${file}")]]))
    error_message = "No such file in clusters' schemas: ${join(", ", flatten([for cluster in var.clusters : [for file in values(cluster.schemas) : file if !fileexists(startswith(file, "/") ? file : "${path.module}/${file}")]]))}; it is relative to ${abspath(path.module)}."
  }
  validation {
    condition     = alltrue(flatten([for cluster in var.clusters : [for topic in cluster.topics : topic.batch_size >= 1 && topic.batch_size <= 10000 && topic.batching_window >= 0 && topic.batching_window <= 300]]))
    error_message = "A topic's batch_size must be 1 to 10000, its batching_window 0 to 300 seconds."
  }
  validation {
    condition     = length(flatten([for cluster in var.clusters : keys(cluster.topics)])) == length(distinct(flatten([for cluster in var.clusters : keys(cluster.topics)])))
    error_message = "A dataset is in the topics of several clusters: one mapping a dataset, for its state knows one topic's offsets. Make a dataset file of each."
  }
}

variable "connectors" {
  description = "Connectors of MSK Connect, by name: into topics (debezium-mysql, debezium-postgres), out of them into the bucket (s3-sink), or other. The plugin's archive is yours to upload. `configuration` is over what the kind is set to, and names secrets instead of telling them: \"$${secretsmanager:NAME:KEY}\". `folder`: where a sink writes."
  type = map(object({
    capacity           = optional(object({ maximum = optional(number, 2), minimum = optional(number, 1), units = optional(number, 1) }), {})
    cluster            = string
    configuration      = optional(map(string), {})
    folder             = optional(string)
    kind               = string
    plugin             = object({ bucket_arn = string, key = string, object_version = optional(string) })
    secret_arn         = optional(string)
    secret_kms_key_arn = optional(string)
    topics             = object({ read = optional(list(string), []), write = optional(list(string), []) })
  }))
  default = {}

  validation {
    condition     = alltrue([for connector in var.connectors : contains(keys(var.clusters), connector.cluster)])
    error_message = "connectors name clusters that are not in clusters: ${join(", ", [for name, connector in var.connectors : "${name} (${connector.cluster})" if !contains(keys(var.clusters), connector.cluster)])}."
  }
}

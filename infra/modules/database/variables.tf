variable "alarms" {
  description = "Who is told, and from which latency in seconds on."
  type        = object({ latency_seconds = number, topic_arn = string })

  validation {
    condition     = var.alarms.latency_seconds > 0
    error_message = "alarms.latency_seconds must be above 0."
  }
  validation {
    condition     = can(regex("^arn:[a-z-]+:sns:", var.alarms.topic_arn))
    error_message = "alarms.topic_arn must be the ARN of an SNS topic."
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

variable "compute" {
  description = "A replication instance (`instance_class`, `multi_az`), or `serverless_units` at most where that is set."
  type = object({
    instance_class   = string
    multi_az         = bool
    serverless_units = optional(number)
  })

  validation {
    condition     = contains([1, 2, 4, 8, 16, 32, 64, 128, 192, 256, 384], coalesce(var.compute.serverless_units, 1))
    error_message = "compute.serverless_units must be 1, 2, 4, 8, 16, 32, 64, 128, 192, 256 or 384."
  }
}

variable "folder" {
  description = "The folder of change files: <folder>/<schema>/<table>/."
  type        = string

  validation {
    condition     = can(regex("^[^/]+(/[^/]+)*$", var.folder))
    error_message = "folder must be a folder without / at its ends, such as cdc."
  }
}

variable "kms_key_arn" {
  description = "The key that files are encrypted with."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:", var.kms_key_arn))
    error_message = "kms_key_arn must be a key's ARN: aliases and ids do not fit into policies."
  }
}

variable "name" {
  description = "What the task, its endpoints and its role are called."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.name)) && !strcontains(var.name, "--") && !endswith(var.name, "-")
    error_message = "name must have at most 41 lower-case letters, digits and single hyphens, as DMS asks. Rename it in databases."
  }
}

variable "network" {
  description = "Where the replication runs; the database lets these security groups in."
  type        = object({ security_group_ids = list(string), subnet_ids = list(string) })

  validation {
    condition     = length(var.network.subnet_ids) >= 2
    error_message = "network.subnet_ids must have at least two subnets, in two availability zones."
  }
}

variable "source_database" {
  description = "The database: engine, the secret with username, password, host and port; for PostgreSQL its name, the slot and the plugin that decodes the log (null: as DMS chooses); for MySQL the DMS certificate of its authority."
  type = object({
    certificate_arn    = optional(string)
    database           = optional(string)
    engine             = string
    plugin_name        = optional(string)
    secret_arn         = string
    secret_kms_key_arn = optional(string)
    slot_name          = optional(string)
  })

  validation {
    condition     = contains(["aurora", "aurora-postgresql", "mariadb", "mysql", "postgres"], var.source_database.engine)
    error_message = "engine must be mysql, mariadb, aurora, postgres or aurora-postgresql."
  }
  validation {
    condition     = strcontains(var.source_database.engine, "postgres") == (var.source_database.database != null)
    error_message = "PostgreSQL needs database, the name of the one that is read; of others leave it out, for their databases are named in schemas."
  }
  validation {
    condition     = var.source_database.plugin_name == null || contains(["no-preference", "pglogical", "test-decoding"], coalesce(var.source_database.plugin_name, "none"))
    error_message = "plugin_name must be pglogical, test-decoding or no-preference, or be left out: DMS then takes pglogical where it is there."
  }
  validation {
    condition     = can(regex("^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+-[A-Za-z0-9]{6}$", var.source_database.secret_arn))
    error_message = "secret_arn must be the whole ARN of a secret with username, password, host and port, with the six signs at its end, such as …:secret:shop-AbCdEf. Copy it from `aws secretsmanager describe-secret --secret-id shop --query ARN`."
  }
}

variable "start" {
  description = "Whether the task is started."
  type        = bool
}

variable "tables" {
  description = "The tables that are read, as their dataset files say."
  type = map(object({
    before_image_prefix = optional(string)
    csv_null            = optional(string, "NULL")
    format              = string
    header              = optional(bool, false)
    op_column           = string
    order_column        = optional(string)
    schema              = string
    table               = string
    timestamp_column    = optional(string)
  }))

  validation {
    condition     = length(var.tables) > 0
    error_message = "No cdc dataset has a source.prefix <folder>/<schema>/<table>/ of this database's schemas. Add a dataset file, or correct schemas or folder in databases."
  }
  validation {
    condition     = length(distinct([for table in var.tables : jsonencode([table.format, table.timestamp_column, table.header, table.csv_null])])) <= 1
    error_message = "All tables of a database are written by one task, so their datasets must have the same source.format, source.timestamp_column and source.csv. Change them, or divide the schemas among several entries of databases."
  }
  validation {
    condition     = alltrue([for table in var.tables : table.op_column == "Op"])
    error_message = "DMS calls the operation's column Op: leave source.op_column out."
  }
}

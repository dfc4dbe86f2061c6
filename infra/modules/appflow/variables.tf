variable "bucket" {
  description = "The lake's bucket, whose policy lets AppFlow write the flows' folders."
  type        = string
}

variable "connector" {
  description = "What AppFlow calls the product's connector; those of newer connectors, such as HubSpot and Google Analytics 4, are all CustomConnector."
  type        = string

  validation {
    condition     = contains(["CustomConnector", "Salesforce", "Servicenow", "Slack", "Zendesk"], var.connector)
    error_message = "connector must be CustomConnector, Salesforce, Servicenow, Slack or Zendesk."
  }
}

variable "flows" {
  description = "The flows, by name: the product's object, where its files go (`<folder>/<flow>/`) and how they read, when it runs, by which field it pulls what is new (null: all, each time), which fields (null: all), filters and masks of the product's fields, and for Salesforce the API."
  type = map(object({
    api_version       = optional(string)
    fields            = optional(list(string))
    file_mb           = optional(number, 64)
    filters           = optional(list(object({ data_type = string, field = string, operator = string, properties = map(string) })), [])
    folder            = string
    format            = string
    incremental_field = optional(string)
    masks             = optional(list(string), [])
    object            = string
    offset_seconds    = optional(number, 300)
    schedule          = string
    transfer_api      = optional(string, "BULKV2")
  }))

  validation {
    condition     = alltrue([for name in keys(var.flows) : can(regex("^[a-zA-Z0-9][a-zA-Z0-9_-]{0,255}$", name))])
    error_message = "A flow's name must have letters, digits, hyphens and underscores."
  }
  validation {
    condition     = alltrue([for flow in var.flows : flow.fields == null || length(coalesce(flow.fields, [])) > 0])
    error_message = "A flow's fields must name some, or be left out for all."
  }
  validation {
    condition     = alltrue([for flow in var.flows : flow.file_mb >= 1 && flow.file_mb <= 1024])
    error_message = "A flow's file_mb must be 1 to 1024."
  }
  validation {
    condition     = alltrue([for flow in var.flows : can(regex("^[^/]+(/[^/]+)*$", flow.folder))])
    error_message = "A flow's folder must be one without / at its ends, such as raw/saas."
  }
  validation {
    condition     = alltrue([for flow in var.flows : contains(["csv", "json", "parquet"], flow.format)])
    error_message = "A flow's format must be csv, json or parquet."
  }
  validation {
    condition     = alltrue([for flow in var.flows : flow.offset_seconds >= 0 && flow.offset_seconds <= 36000])
    error_message = "A flow's offset_seconds must be 0 to 36000."
  }
  validation {
    condition     = alltrue([for flow in var.flows : can(regex("^rate\\([1-9][0-9]*(minute|hour|day|week|month)s?\\)$", flow.schedule))])
    error_message = "A flow's schedule must be as AppFlow writes it, without a space: rate(30minutes), rate(1hours), rate(1days)."
  }
  validation {
    condition     = alltrue([for flow in var.flows : contains(["BULKV2", "REST_SYNC"], flow.transfer_api)])
    error_message = "A flow's transfer_api must be BULKV2 or REST_SYNC: left to AppFlow, the files of a run differ from those of the next."
  }
  validation {
    condition     = var.connector != "CustomConnector" || alltrue([for flow in var.flows : flow.api_version != null])
    error_message = "A flow of a CustomConnector must have api_version, such as \"v3\" of HubSpot; see `aws appflow describe-connector`."
  }
}

variable "kms_key_arn" {
  description = "The key of the flows' files, and of the login."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:", var.kms_key_arn))
    error_message = "kms_key_arn must be a key's ARN: aliases and ids do not fit into policies."
  }
}

variable "name" {
  description = "What the profile is called where it is made."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9][a-zA-Z0-9-]{0,255}$", var.name))
    error_message = "name must have letters, digits and hyphens."
  }
}

variable "profile" {
  description = "A connector profile that exists, by name; null: one of Salesforce is made."
  type        = string
  default     = null

  validation {
    condition     = var.profile != null || var.connector == "Salesforce"
    error_message = "Only profiles of Salesforce are made here. Log in to the product once in AppFlow's console, and give the connection's name as profile."
  }
}

variable "salesforce" {
  description = "The login of a profile that is made: the instance's address, the secret with clientId and clientSecret of the connected app, and how AppFlow is let in: by a refresh token (AUTHORIZATION_CODE) or a JWT (JWT_BEARER)."
  type = object({
    client_credentials_arn = optional(string)
    grant                  = optional(string, "AUTHORIZATION_CODE")
    instance_url           = string
    sandbox                = optional(bool, false)
  })
  default = null

  validation {
    condition     = var.salesforce == null || can(regex("^https://[^/]+$", var.salesforce.instance_url))
    error_message = "salesforce.instance_url must be the instance's address, such as https://example.my.salesforce.com."
  }
  validation {
    condition     = var.salesforce == null || try(contains(["AUTHORIZATION_CODE", "JWT_BEARER"], var.salesforce.grant), false)
    error_message = "salesforce.grant must be AUTHORIZATION_CODE or JWT_BEARER: AppFlow has no other for Salesforce."
  }
  validation {
    condition     = var.salesforce == null || try(var.salesforce.grant != "AUTHORIZATION_CODE" || can(regex("^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+-[A-Za-z0-9]{6}$", var.salesforce.client_credentials_arn)), false)
    error_message = "salesforce.client_credentials_arn must be the whole ARN, as `aws secretsmanager describe-secret --query ARN` tells it, with the six signs at its end, of a secret with clientId and clientSecret of the connected app that the refresh token is of."
  }
}

variable "token" {
  description = "The refresh token, or the JWT. It is in the state."
  type        = string
  default     = null
  sensitive   = true
}

variable "connections" {
  description = "SaaS products that AppFlow brings records from, by name. `connector` as AppFlow calls it: Salesforce, Zendesk, Servicenow, Slack, or CustomConnector, as HubSpot and Google Analytics 4 are. The login: `profile`, a connection that was made in AppFlow's console; or for Salesforce `salesforce`, with the token in secrets.salesforce_tokens. `flows` by name, each that of a saas dataset's source.flow. A flow brings all fields, those of its datasets' columns (`dataset_fields`), or `fields`; what is new by `incremental_field`, or everything each time. `lag_hours`: how old what a table has may be while files of a run wait for its merge."
  type = map(object({
    connector = string
    profile   = optional(string)
    salesforce = optional(object({
      client_credentials_arn = optional(string)
      grant                  = optional(string, "AUTHORIZATION_CODE")
      instance_url           = string
      sandbox                = optional(bool, false)
    }))
    flows = map(object({
      api_version       = optional(string)
      dataset_fields    = optional(bool, false)
      fields            = optional(list(string))
      filters           = optional(list(object({ data_type = string, field = string, operator = string, properties = map(string) })), [])
      incremental_field = optional(string)
      lag_hours         = optional(number, 25)
      masks             = optional(list(string), [])
      object            = string
      offset_seconds    = optional(number, 300)
      schedule          = optional(string, "rate(1hours)")
      transfer_api      = optional(string, "BULKV2")
    }))
  }))
  default = {}

  validation {
    condition     = alltrue([for name in keys(var.connections) : can(regex("^[a-z][a-z0-9-]{0,30}$", name))])
    error_message = "connections has the name ${join(", ", [for name in keys(var.connections) : name if !can(regex("^[a-z][a-z0-9-]{0,30}$", name))])}: it must have at most 31 lower-case letters, digits and hyphens, and begin with a letter."
  }
  validation {
    condition     = length(flatten([for connection in var.connections : keys(connection.flows)])) == length(distinct(flatten([for connection in var.connections : keys(connection.flows)])))
    error_message = "A flow is in several connections: its name is AppFlow's for the whole account and region. Name it once."
  }
  validation {
    condition     = alltrue(flatten([for connection in var.connections : [for flow in connection.flows : flow.lag_hours > 0]]))
    error_message = "A flow's lag_hours must be above 0, and more than its schedule's interval: what waits is as old as that at once."
  }
  validation {
    condition     = alltrue(flatten([for connection in var.connections : [for flow in connection.flows : flow.fields == null || !flow.dataset_fields]]))
    error_message = "A flow has fields and dataset_fields: leave one out."
  }
}

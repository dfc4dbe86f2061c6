variable "devices" {
  description = "Devices of AWS IoT Core. `topics`: where the readings of an iot dataset come from, with a + for the thing (default: sensors/+/<dataset>); `sql`: the rule's whole SQL instead of the one that is made of the dataset. `provisioning`: what lets a device with a claim certificate in, `listed`, `signed`, or `off` for no template; `claims`: ids of claim certificates. `ca_certificates`: PEM texts of CAs, by name, whose certificates are registered just in time. `emails`: who is told of alerts. `rules`: further rules, each to one of a stream, a delivery stream's dataset, or a table of Timestream."
  type = object({
    ca_certificates = optional(map(string), {})
    claims          = optional(set(string), [])
    emails          = optional(set(string), [])
    provisioning    = optional(string, "listed")
    rules = optional(map(object({
      sql        = string
      delivery   = optional(string)
      stream     = optional(string)
      timestream = optional(object({ database = string, dimensions = map(string), table = string }))
    })), {})
    sql    = optional(map(string), {})
    topics = optional(map(string), {})
  })
  default = {}

  validation {
    condition     = alltrue([for pem in var.devices.ca_certificates : strcontains(pem, "-----BEGIN CERTIFICATE-----")])
    error_message = "devices.ca_certificates must be PEM texts, -----BEGIN CERTIFICATE----- and what follows."
  }
  validation {
    condition     = alltrue([for claim in var.devices.claims : can(regex("^[0-9a-f]{64}$", claim))])
    error_message = "devices.claims must be ids of certificates: 64 hexadecimal digits, as certificateId of `aws iot create-keys-and-certificate` has them."
  }
  validation {
    condition     = length(var.devices.claims) <= 50
    error_message = "devices.claims must have at most 50 certificates: they are in a setting of the function, which has little room."
  }
  validation {
    condition     = alltrue([for email in var.devices.emails : can(regex("^[^@\\s]+@[^@\\s]+$", email))])
    error_message = "devices.emails has ${join(", ", [for email in var.devices.emails : email if !can(regex("^[^@\\s]+@[^@\\s]+$", email))])}: it must be addresses, such as [\"plant@example.com\"]."
  }
  validation {
    condition     = contains(["listed", "signed", "off"], var.devices.provisioning)
    error_message = "devices.provisioning must be \"listed\" (serial numbers in the state table), \"signed\" (secrets.token_keys) or \"off\"."
  }
  validation {
    condition     = alltrue([for rule in var.devices.rules : length([for place in [rule.delivery, rule.stream, try(rule.timestream.table, null)] : place if place != null]) == 1])
    error_message = "Each of devices.rules must have one of stream, delivery and timestream."
  }
  validation {
    condition     = alltrue([for sql in concat(values(var.devices.sql), [for rule in var.devices.rules : rule.sql]) : can(regex("(?is)^\\s*SELECT\\s.+\\sFROM\\s+'[^']+'", sql))])
    error_message = "devices.sql and devices.rules need SQL such as SELECT *, topic() AS topic FROM 'sensors/+/temperature'."
  }
  validation {
    condition     = alltrue([for topic in var.devices.topics : can(regex("^([^+#/$*?'\" ]+/)*\\+(/([^+#/$*?'\" ]+|\\+))*(/#)?$", topic)) && length(split("/", topic)) <= 8])
    error_message = "devices.topics must be filters with a + for the thing, at most 8 levels, such as sensors/+/temperature."
  }
}

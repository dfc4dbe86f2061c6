variable "name" {
  description = "What the dashboard is called."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,255}$", var.name))
    error_message = "name must have at most 255 letters, digits, hyphens and underscores."
  }
}

variable "region" {
  description = "Where the metrics are."
  type        = string
}

variable "sections" {
  description = "What is drawn, from top to bottom. A widget has a line for each of `metrics` of each of `of`, which is label -> dimensions; in % of the metric `per` where there is one; and a mark at the alarm's `limit`, where that is above 0."
  type = list(object({
    title = string
    widgets = list(object({
      limit     = optional(number)
      metrics   = list(string)
      namespace = string
      of        = map(map(string))
      per       = optional(string)
      period    = optional(number, 300)
      stat      = string
      title     = string
    }))
  }))

  validation {
    condition     = alltrue(flatten([for section in var.sections : [for widget in section.widgets : length(widget.metrics) * length(widget.of) > 0]]))
    error_message = "A widget draws nothing: ${join(", ", flatten([for section in var.sections : [for widget in section.widgets : widget.title if length(widget.metrics) * length(widget.of) == 0]]))}. Leave it out, or give it metrics and things to draw them of."
  }
  validation {
    condition     = alltrue(flatten([for section in var.sections : [for widget in section.widgets : can(regex("^(Average|Maximum|Minimum|SampleCount|Sum|p[0-9]{1,2}([.][0-9]+)?)$", widget.stat))]]))
    error_message = "A widget's stat must be Average, Maximum, Minimum, SampleCount, Sum, or a percentile such as p99."
  }
  validation {
    condition     = alltrue(flatten([for section in var.sections : [for widget in section.widgets : widget.period >= 60 && widget.period % 60 == 0]]))
    error_message = "A widget's period must be a multiple of 60 s."
  }
  # A share is made of two metrics.
  validation {
    condition     = alltrue(flatten([for section in var.sections : [for widget in section.widgets : length(widget.metrics) * length(widget.of) * (widget.per == null ? 1 : 2) <= 500]]))
    error_message = "CloudWatch draws at most 500 metrics in a widget: divide the environment (another name, with datasets of its own)."
  }
  validation {
    condition     = sum(concat([0], flatten([for section in var.sections : [for widget in section.widgets : length(widget.metrics) * length(widget.of) * (widget.per == null ? 1 : 2)]]))) <= 2500
    error_message = "CloudWatch draws at most 2500 metrics on a dashboard: divide the environment (another name, with datasets of its own)."
  }
}

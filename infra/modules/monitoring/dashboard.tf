# Sections -> the dashboard's JSON: three widgets beside each other below each title.
locals {
  heights = [for section in var.sections : 1 + 6 * ceil(length(section.widgets) / 3)]
  tops    = [for index, section in var.sections : sum(concat([0], slice(local.heights, 0, index)))]

  # The lines of each widget, by section and widget.
  lines = [for section in var.sections : [for widget in section.widgets : flatten([
    for label in sort(keys(widget.of)) : [for metric in widget.metrics : {
      label      = length(widget.metrics) == 1 ? label : "${label} ${metric}"
      metric     = metric
      dimensions = flatten([for name in sort(keys(widget.of[label])) : [name, widget.of[label][name]]])
    }]
  ])]]

  widgets = flatten([for at, section in var.sections : concat(
    [{ type = "text", x = 0, y = local.tops[at], width = 24, height = 1, properties = { markdown = "## ${section.title}" } }],
    [for number, widget in section.widgets : {
      type   = "metric"
      x      = 8 * (number % 3)
      y      = local.tops[at] + 1 + 6 * floor(number / 3)
      width  = 8
      height = 6
      properties = merge(
        {
          title  = widget.title
          region = var.region
          period = widget.period
          stat   = widget.stat
          view   = "timeSeries"
          yAxis  = { left = { min = 0 } }
          metrics = concat(
            [for line in local.lines[at][number] : concat([widget.namespace, line.metric], line.dimensions, [{ label = line.label }]) if widget.per == null],
            [for index, line in local.lines[at][number] : [{ id = "share${index}", expression = "100 * part${index} / IF(whole${index} > 0, whole${index}, 1)", label = line.label }] if widget.per != null],
            [for index, line in local.lines[at][number] : concat([widget.namespace, line.metric], line.dimensions, [{ id = "part${index}", visible = false }]) if widget.per != null],
            [for index, line in local.lines[at][number] : concat([widget.namespace, widget.per], line.dimensions, [{ id = "whole${index}", visible = false }]) if widget.per != null],
          )
        },
        { for limit in widget.limit[*] : "annotations" => { horizontal = [{ label = "alarm", value = limit }] } if limit > 0 },
      )
    }],
  )])
}

resource "aws_cloudwatch_dashboard" "main" {
  dashboard_name = var.name
  dashboard_body = jsonencode({ widgets = local.widgets })
}

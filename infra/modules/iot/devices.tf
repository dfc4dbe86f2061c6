# What a device may do: connect as the thing that its certificate belongs to, publish that thing's own topics, and listen
# to commands/<thing>/. `iot:ClientId` would be whatever a client says.
locals {
  thing = "$${iot:Connection.Thing.ThingName}"
  # Filter -> topic: the first + is the thing, what follows may be anything.
  own = [for topic in sort(var.topics) : join("/", [for level, text in split("/", topic) : level == index(split("/", topic), "+") ? local.thing : contains(["+", "#"], text) ? "*" : text])]
}

resource "aws_iot_policy" "device" {
  name = "${var.name}-device"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Effect    = "Allow"
          Action    = ["iot:Connect"]
          Resource  = ["${var.iot_arn}:client/${local.thing}"]
          Condition = { Bool = { "iot:Connection.Thing.IsAttached" = "true" } }
        },
        { Effect = "Allow", Action = ["iot:Subscribe"], Resource = ["${var.iot_arn}:topicfilter/commands/${local.thing}/*"] },
        { Effect = "Allow", Action = ["iot:Receive"], Resource = ["${var.iot_arn}:topic/commands/${local.thing}/*"] },
      ],
      length(local.own) == 0 ? [] : [{ Effect = "Allow", Action = ["iot:Publish"], Resource = [for topic in local.own : "${var.iot_arn}:topic/${topic}"] }],
    )
  })
}

# For the whole account and region: off, for nothing here asks the index, and it is paid for by every update.
resource "aws_iot_indexing_configuration" "main" {
  thing_group_indexing_configuration {
    thing_group_indexing_mode = "OFF"
  }

  thing_indexing_configuration {
    thing_indexing_mode = "OFF"
  }
}

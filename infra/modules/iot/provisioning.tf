# A device with a claim certificate -> a thing, a certificate of its own, and the policy of devices; if the hook says so.
locals {
  provisioned = var.provisioning == null ? 0 : 1
}

resource "aws_iot_provisioning_template" "main" {
  count = local.provisioned

  name                  = var.name
  description           = "Devices that come in by a claim certificate."
  enabled               = true
  provisioning_role_arn = aws_iam_role.provisioning[0].arn

  pre_provisioning_hook {
    payload_version = "2020-04-01"
    target_arn      = var.provisioning.hook_arn
  }

  # The thing is called by the serial number, which the hook has checked, and by nothing else that a device says.
  template_body = jsonencode({
    Parameters = merge(
      { for parameter in var.provisioning.parameters : parameter => { Type = "String" } },
      { "AWS::IoT::Certificate::Id" = { Type = "String" } },
    )
    Resources = {
      thing       = { Type = "AWS::IoT::Thing", Properties = { ThingName = { Ref = "SerialNumber" } } }
      certificate = { Type = "AWS::IoT::Certificate", Properties = { CertificateId = { Ref = "AWS::IoT::Certificate::Id" }, Status = "Active" } }
      policy      = { Type = "AWS::IoT::Policy", Properties = { PolicyName = aws_iot_policy.device.name } }
    }
  })

  depends_on = [aws_iam_role_policy.provisioning]
}

resource "aws_iam_role" "provisioning" {
  count = local.provisioned

  name = "${var.name}-provisioning"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "iot.amazonaws.com" }
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account_id }
        ArnLike      = { "aws:SourceArn" = "${var.iot_arn}:*" }
      }
    }]
  })
}

resource "aws_iam_role_policy" "provisioning" {
  count = local.provisioned

  name = "provision"
  role = aws_iam_role.provisioning[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["iot:CreateThing", "iot:DescribeThing", "iot:ListThingGroupsForThing", "iot:UpdateThing"], Resource = ["${var.iot_arn}:thing/*"] },
      { Effect = "Allow", Action = ["iot:AttachPolicy", "iot:AttachPrincipalPolicy", "iot:DescribeCertificate", "iot:UpdateCertificate"], Resource = ["${var.iot_arn}:cert/*"] },
      { Effect = "Allow", Action = ["iot:GetPolicy", "iot:ListPolicyPrincipals", "iot:ListTargetsForPolicy"], Resource = [aws_iot_policy.device.arn] },
      # AWS has no finer grain for these. Of what its own role for provisioning may do, what the template does not is left out:
      # groups, types and policies that are made or taken away.
      { Effect = "Allow", Action = ["iot:AttachThingPrincipal", "iot:ListAttachedPolicies", "iot:ListPrincipalPolicies", "iot:ListPrincipalThings", "iot:ListThingPrincipals", "iot:RegisterThing"], Resource = ["*"] },
    ]
  })
}

# All that a claim certificate is good for. Many devices share it, and it may leak: so its clients are called
# <name>-claim-…, and throw no device out by connecting under its name.
resource "aws_iot_policy" "claim" {
  count = local.provisioned

  name = "${var.name}-claim"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["iot:Connect"], Resource = ["${var.iot_arn}:client/${var.name}-claim-*"] },
      { Effect = "Allow", Action = ["iot:Publish", "iot:Receive"], Resource = [for topic in local.claimed : "${var.iot_arn}:topic/${topic}"] },
      { Effect = "Allow", Action = ["iot:Subscribe"], Resource = [for topic in local.claimed : "${var.iot_arn}:topicfilter/${topic}"] },
    ]
  })
}

locals {
  claimed = ["$aws/certificates/create/*", "$aws/certificates/create-from-csr/*", "$aws/provisioning-templates/${var.name}/provision/*"]
}

resource "aws_iot_policy_attachment" "claim" {
  for_each = var.provisioning == null ? [] : var.claims

  policy = aws_iot_policy.claim[0].name
  target = "${var.iot_arn}:cert/${each.value}"
}

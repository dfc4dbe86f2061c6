locals {
  made    = var.profile == null ? 1 : 0
  profile = var.profile == null ? aws_appflow_connector_profile.salesforce[0].name : var.profile
}

# Over the internet, with TLS: a private connection needs a product that offers one.
resource "aws_appflow_connector_profile" "salesforce" {
  count = local.made

  name            = var.name
  connection_mode = "Public"
  connector_type  = "Salesforce"
  kms_arn         = var.kms_key_arn

  connector_profile_config {
    connector_profile_credentials {
      salesforce {
        client_credentials_arn = try(var.salesforce.client_credentials_arn, null)
        jwt_token              = try(var.salesforce.grant, "") == "JWT_BEARER" ? var.token : null
        oauth2_grant_type      = try(var.salesforce.grant, null)
        refresh_token          = try(var.salesforce.grant, "") == "AUTHORIZATION_CODE" ? var.token : null
      }
    }

    connector_profile_properties {
      salesforce {
        instance_url                                   = try(var.salesforce.instance_url, null)
        is_sandbox_environment                         = try(var.salesforce.sandbox, false)
        use_privatelink_for_metadata_and_authorization = false
      }
    }
  }

  lifecycle {
    precondition {
      condition     = var.salesforce != null && nonsensitive(var.token != null)
      error_message = "The profile ${var.name} has no login: set salesforce of the connection and its token in secrets.salesforce_tokens, or give profile, the name of a connection that was made in AppFlow's console."
    }
  }
}

output "configuration" {
  description = "What the connector is set to."
  value       = local.configuration
}

output "name" {
  description = "The connector's name."
  value       = aws_mskconnect_connector.main.name
}

output "policy" {
  description = "What its role may do."
  value       = aws_iam_role_policy.main.policy
}

output "flows" {
  description = "The ARNs of the flows, by name."
  value       = { for name, flow in aws_appflow_flow.main : name => flow.arn }
}

output "profile" {
  description = "The connector profile."
  value       = local.profile
}

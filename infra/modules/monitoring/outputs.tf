output "body" {
  description = "The dashboard, as CloudWatch takes it."
  value       = aws_cloudwatch_dashboard.main.dashboard_body
}

output "name" {
  description = "The dashboard's name."
  value       = aws_cloudwatch_dashboard.main.dashboard_name
}

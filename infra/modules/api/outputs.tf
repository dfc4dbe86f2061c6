output "dimensions" {
  description = "What its metrics go by."
  value       = local.dimensions
}

output "url" {
  description = "Where records are posted: <url>/<dataset>."
  value       = aws_apigatewayv2_api.main.api_endpoint
}

output "execution_arn" {
  description = "The API as a caller of functions."
  value       = aws_apigatewayv2_api.main.execution_arn
}

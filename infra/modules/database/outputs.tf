output "dimensions" {
  description = "What the task's metrics go by; null where it is serverless."
  value       = local.dimensions
}

output "mappings" {
  description = "The task's table mappings."
  value       = local.mappings
}

output "name" {
  description = "The task's name."
  value       = var.name
}

output "mappings" {
  description = "The task's table mappings."
  value       = local.mappings
}

output "name" {
  description = "The task's name."
  value       = var.name
}

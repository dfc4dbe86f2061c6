# Nothing that is made of the datasets is planned where it fails, so that this is all that is told.
output "datasets" {
  description = "The files, of which none is wrong."
  value       = var.files

  precondition {
    condition     = length(local.problems) == 0
    error_message = "What is wrong in ${var.folder}:\n${join("\n", [for problem in local.problems : "  - ${problem}."])}\nCorrect it. `headgate check` with that folder says all that can be wrong in dataset files."
  }
}

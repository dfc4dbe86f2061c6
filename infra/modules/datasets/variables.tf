# Of no one type: files of different kinds have different fields, and wrong ones have any.
variable "files" {
  description = "What the dataset files say, by their names without .json."
  type        = any

  validation {
    condition     = can(keys(var.files))
    error_message = "files must be the decoded files by name."
  }
}

variable "folder" {
  description = "The folder of the files, as a person calls it."
  type        = string

  validation {
    condition     = var.folder != ""
    error_message = "folder must be a path, such as \"datasets\"."
  }
}

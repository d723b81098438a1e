variable "region" {
  description = "Region of the state, the registry and, by default, everything else."
  type        = string
  default     = "ap-south-1"
}

variable "github_repository" {
  description = "The repository as the subject of GitHub's tokens names it: owner@id/name@id, or owner/name for one from before 15 July 2026 (README.md). Nobody else's workflows may take the roles."
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9-]+(/[A-Za-z0-9._-]+|@[0-9]+/[A-Za-z0-9._-]+@[0-9]+)$", var.github_repository))
    error_message = "github_repository must be owner@id/name@id or owner/name, without a pattern."
  }
}

variable "environments" {
  description = "The environments of this account. With an account for each (advised for prod), name one."
  type        = set(string)
  default     = ["dev", "stage", "prod"]
  validation {
    condition     = length(var.environments) > 0 && length(setsubtract(var.environments, ["dev", "stage", "prod"])) == 0
    error_message = "environments may hold dev, stage and prod."
  }
}

variable "registry" {
  description = "Make the registry here. Off in the accounts that pull from another one's."
  type        = bool
  default     = true
}

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
  description = "The environments of this account. No default: each gets roles that trust a GitHub environment of its name, which anybody who may push makes where it is not there."
  type        = set(string)
  validation {
    condition     = length(var.environments) > 0 && length(setsubtract(var.environments, ["dev", "stage", "prod"])) == 0
    error_message = "environments may hold dev, stage and prod."
  }
}

variable "registry" {
  description = "The registry's host, where it is another account's (that one's output registry). Null: it is made here."
  type        = string
  default     = null
  validation {
    condition     = var.registry == null || can(regex("^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com$", var.registry))
    error_message = "registry must be a host like 123456789012.dkr.ecr.ap-south-1.amazonaws.com."
  }
}

variable "pull_account_ids" {
  description = "Other accounts whose nodes and deployments pull from the registry made here."
  type        = set(string)
  default     = []
  validation {
    condition     = length(var.pull_account_ids) == 0 || var.registry == null
    error_message = "pull_account_ids is said where the registry is."
  }
}

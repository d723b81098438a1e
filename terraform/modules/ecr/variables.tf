variable "repositories" {
  description = "Names of the repositories (ADR 40: praxis/<bin>)."
  type        = set(string)
  default     = ["praxis/command-api", "praxis/query-api", "praxis/projector", "praxis/praxis"]
  validation {
    condition     = alltrue([for r in var.repositories : startswith(r, "praxis/")])
    error_message = "repositories must begin with praxis/: that is what the push role is let near."
  }
}

variable "moving_tags" {
  description = "Branches whose tag moves with them. Every other tag is written once."
  type        = set(string)
  default     = ["main"]
  validation {
    condition     = alltrue([for t in var.moving_tags : !strcontains(t, "*") && !startswith(t, "v") && !startswith(t, "sha-")])
    error_message = "moving_tags must be names of branches: a release or a commit is written once."
  }
}

variable "releases_kept" {
  description = "How many releases are kept. An older one cannot be rolled back to."
  type        = number
  default     = 100
  validation {
    condition     = var.releases_kept >= 10
    error_message = "releases_kept must be at least 10: a rollback needs its image."
  }
}

variable "commits_kept" {
  description = "How many images of commits that are no release are kept."
  type        = number
  default     = 200
}

variable "key_arn" {
  description = "KMS key of the layers."
  type        = string
}

variable "pull_account_ids" {
  description = "Other accounts that pull from here."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for id in var.pull_account_ids : can(regex("^[0-9]{12}$", id))])
    error_message = "pull_account_ids must be numbers of accounts, 12 digits each."
  }
}

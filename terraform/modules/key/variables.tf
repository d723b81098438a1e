variable "name" {
  description = "Alias of the key, without alias/."
  type        = string
}

variable "description" {
  description = "What the key encrypts."
  type        = string
}

variable "account_id" {
  description = "The account whose resources the key encrypts."
  type        = string
  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be 12 digits."
  }
}

variable "region" {
  description = "The region of the key."
  type        = string
}

variable "services" {
  description = "AWS services that use the key by themselves: logs (CloudWatch Logs), alarms (CloudWatch alarms to an encrypted topic)."
  type        = set(string)
  default     = []
  validation {
    condition     = length(setsubtract(var.services, ["logs", "alarms"])) == 0
    error_message = "services may hold logs and alarms."
  }
}

variable "deletion_window_in_days" {
  description = "Days in which a deleted key can still be taken back. What it encrypted is lost with it."
  type        = number
  default     = 30
  validation {
    condition     = var.deletion_window_in_days >= 7 && var.deletion_window_in_days <= 30
    error_message = "deletion_window_in_days must be 7 to 30."
  }
}

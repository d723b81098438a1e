variable "environment" {
  description = "dev, stage or prod."
  type        = string
  validation {
    condition     = contains(["dev", "stage", "prod"], var.environment)
    error_message = "environment must be dev, stage or prod."
  }
}

variable "key_arn" {
  description = "KMS key of the secrets."
  type        = string
}

variable "recovery_window_in_days" {
  description = "Days in which a deleted secret can be taken back. The key-encryption key is among them: without it nothing personal can be read again."
  type        = number
  default     = 30
  validation {
    condition     = var.recovery_window_in_days >= 7 && var.recovery_window_in_days <= 30
    error_message = "recovery_window_in_days must be 7 to 30."
  }
}

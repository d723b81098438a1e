variable "domain" {
  description = "The public name, for instance praxis.example or dev.praxis.example."
  type        = string
  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain))
    error_message = "domain must be a host name in small letters, without scheme, path or final dot."
  }
}

variable "zone_id" {
  description = "A hosted zone of Route 53 that holds the domain, or null to make one. A new one does nothing until its parent names its servers."
  type        = string
  default     = null
}

variable "wait_for_certificate" {
  description = "Wait until the certificate is issued. Not in the first apply with a new zone: the parent does not know its servers yet, and the wait would end after 75 minutes."
  type        = bool
  default     = true
}

variable "wait_for_certificate" {
  description = "Wait until the certificate is issued. False in the first apply with a new zone: its parent has to name its servers first."
  type        = bool
  default     = true
}

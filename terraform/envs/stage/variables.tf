variable "wait_for_certificate" {
  description = "Wait until the certificate is issued. False in the first apply with a new zone: its parent has to name its servers first."
  type        = bool
  default     = true
}

variable "allow_examples" {
  description = "For tests: take what main.tf says as long as it is the example's."
  type        = bool
  default     = false
}

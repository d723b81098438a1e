variable "name" {
  description = "Prefix of every name, praxis-<env>."
  type        = string
}

variable "account_id" {
  description = "Whose alarms may publish."
  type        = string
}

variable "key_arn" {
  description = "KMS key of the topics. CloudWatch must be let use it (module key, service alarms)."
  type        = string
}

variable "alertmanager_role_arn" {
  description = "Role of the cluster's Alertmanager, which may publish."
  type        = string
}

variable "emails" {
  description = "Who is told. Each address has to confirm once."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for e in var.emails : can(regex("^[^@ ]+@[^@ ]+$", e))])
    error_message = "emails must be addresses."
  }
}

variable "mysql" {
  description = "The RDS instance to watch, or null. max_connections is what its class allows."
  type = object({
    identifier      = string
    storage_gib     = number
    max_connections = number
  })
  default = null
}

variable "kafka" {
  description = "The MSK cluster to watch, or null."
  type = object({
    cluster_name = string
    brokers      = number
  })
  default = null
}

variable "name" {
  description = "Prefix of every name, praxis-<env>."
  type        = string
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Data subnets, one per zone."
  type        = list(string)
}

variable "client_security_group_id" {
  description = "Security group of the pods: nobody else may connect."
  type        = string
}

variable "key_arn" {
  description = "KMS key of volumes, backups and secrets."
  type        = string
}

variable "logs_key_arn" {
  description = "KMS key of the log groups."
  type        = string
}

variable "log_retention_days" {
  description = "Days the servers' logs are kept."
  type        = number
  default     = 90
}

variable "mysql" {
  description = "The RDS instance. The administrator's password changes every master_password_rotated_days; setup-aws-secrets.sh then has to run again."
  type = object({
    instance_class               = string
    version                      = optional(string, "8.4")
    multi_az                     = bool
    storage_gib                  = optional(number, 50)
    storage_max_gib              = optional(number, 500)
    backup_retention_days        = number
    deletion_protection          = bool
    master_password_rotated_days = optional(number, 365)
  })
  validation {
    condition     = var.mysql.backup_retention_days >= 1 && var.mysql.backup_retention_days <= 35
    error_message = "mysql.backup_retention_days must be 1 to 35: with 0 RDS writes no binary log, and the event store refuses such a server."
  }
  validation {
    condition     = can(regex("^8\\.4(\\.[0-9]+)?$", var.mysql.version))
    error_message = "mysql.version must be 8.4 or 8.4.x: the parameter group is of that family, and the event store refuses older servers."
  }
  validation {
    condition     = !can(regex("^db\\.t(3|4g)\\.(micro|small)$", var.mysql.instance_class))
    error_message = "mysql.instance_class must be medium at least: smaller ones have no Performance Insights, and too little memory for the buffer pool."
  }
  validation {
    condition     = var.mysql.storage_gib >= 20 && var.mysql.storage_max_gib > var.mysql.storage_gib
    error_message = "mysql needs storage_gib of 20 at least and storage_max_gib above it, or a full disk stops every write."
  }
}

variable "kafka" {
  description = "The MSK cluster, or null: then Kafka runs in the cluster. secret_has_value: scripts/setup-aws-secrets.sh has put user and password, so that the secret can be bound to the brokers."
  type = object({
    version          = optional(string, "4.1.x.kraft")
    instance_type    = string
    brokers          = number
    storage_gib      = optional(number, 50)
    secret_has_value = optional(bool, false)
  })
  default = null
  validation {
    condition     = var.kafka == null || can(regex("^[3-9]\\.[0-9]+\\.x\\.kraft$", var.kafka.version))
    error_message = "kafka.version must be a KRaft version, like 4.1.x.kraft: without the suffix MSK would start ZooKeeper."
  }
  validation {
    condition     = var.kafka == null || try(var.kafka.brokers % length(var.subnet_ids) == 0 && var.kafka.brokers >= 2, false)
    error_message = "kafka.brokers must be at least 2 and a multiple of the number of zones."
  }
}

variable "recovery_window_in_days" {
  description = "Days in which the secret of MSK can be taken back after its deletion."
  type        = number
  default     = 30
}

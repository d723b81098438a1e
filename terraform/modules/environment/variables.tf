variable "environment" {
  description = "dev, stage or prod: part of every name."
  type        = string
  validation {
    condition     = contains(["dev", "stage", "prod"], var.environment)
    error_message = "environment must be dev, stage or prod."
  }
}

variable "region" {
  description = "Where everything is: the region of the provider."
  type        = string
}

variable "cidr" {
  description = "Addresses of the VPC, a /16; another one for each environment, so that they could be joined one day."
  type        = string
}

variable "domain" {
  description = "The public name."
  type        = string
  validation {
    # Nobody can prove it: the second apply would wait 75 minutes for its certificate.
    condition     = var.allow_examples || !can(regex("(^|\\.)(example|invalid|localhost|test|example\\.(com|net|org))$", var.domain))
    error_message = "domain is still an example's: name one of yours in main.tf."
  }
}

variable "zone_id" {
  description = "A hosted zone that holds the domain, or null to make one."
  type        = string
  default     = null
}

variable "wait_for_certificate" {
  description = "Wait until the certificate is issued. False in the first apply with a new zone: its parent has to name its servers first."
  type        = bool
  default     = true
}

variable "cluster_admins" {
  description = "Who administers the cluster: a name and the ARN of an IAM role or user."
  type        = map(string)
  validation {
    # AWS says it of a cluster that is there already.
    condition     = var.allow_examples || !anytrue([for arn in values(var.cluster_admins) : strcontains(arn, ":123456789012:")])
    error_message = "cluster_admins is still the example's: name a role or user of yours in main.tf."
  }
}

variable "api_allowed_cidrs" {
  description = "Networks outside the VPC that may reach the API server."
  type        = list(string)
  default     = []
}

variable "api_allowed_security_group_ids" {
  description = "Security groups in the VPC that may reach the API server: a runner's own (modules/eks)."
  type        = set(string)
  default     = []
}

variable "alarm_emails" {
  description = "Who is told of AWS' alarms and of the cluster's alerts. Empty, as only dev may be: nobody."
  type        = set(string)
  default     = []
  validation {
    condition     = var.allow_examples || var.environment == "dev" || length(var.alarm_emails) > 0
    error_message = "alarm_emails is empty: nobody would be told of any alarm. Only dev may be like that."
  }
}

variable "nodes" {
  description = "The node group (modules/eks)."
  type = object({
    architecture   = optional(string, "arm64")
    instance_types = list(string)
    capacity       = optional(string, "ON_DEMAND")
    min            = number
    desired        = number
    max            = number
    disk_gib       = optional(number, 30)
  })
}

variable "nat" {
  description = "The way out: instance, single or per_az (modules/vpc)."
  type        = string
}

variable "pod_identity" {
  description = "EKS Pod Identity instead of IRSA."
  type        = bool
  default     = false
}

variable "addon_versions" {
  description = "Versions of EKS add-ons that are held; the others follow the cluster's version."
  type        = map(string)
  default     = {}
}

variable "registry" {
  description = "The registry's host, if it is another account's: the output registry of that account's bootstrap. Null: this account's own."
  type        = string
  default     = null
  validation {
    condition     = var.registry == null || can(regex("^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com$", var.registry))
    error_message = "registry must be a host like 123456789012.dkr.ecr.ap-south-1.amazonaws.com."
  }
}

variable "kubernetes_version" {
  description = "Minor version of Kubernetes (modules/eks). Null: the module's own, which the manifests are checked against."
  type        = string
  default     = null
}

variable "mysql" {
  description = "The RDS instance (modules/data), or null: MySQL is then a pod. max_connections is what its class allows, for the alarm: memory in bytes / 12582880, less what RDS takes for itself."
  type = object({
    instance_class               = string
    version                      = optional(string, "8.4")
    multi_az                     = bool
    storage_gib                  = optional(number, 50)
    storage_max_gib              = optional(number, 500)
    backup_retention_days        = number
    deletion_protection          = bool
    master_password_rotated_days = optional(number, 365)
    max_connections              = number
  })
  default = null
  validation {
    condition     = var.environment == "dev" || var.mysql != null
    error_message = "only dev may have its MySQL in a pod: one volume is no place for a truth that is to be kept."
  }
  validation {
    condition     = var.environment != "prod" || try(var.mysql.multi_az && var.mysql.deletion_protection && var.mysql.backup_retention_days >= 14, false)
    error_message = "prod needs mysql.multi_az, mysql.deletion_protection and two weeks of backups."
  }
}

variable "kafka" {
  description = "The MSK cluster (modules/data), or null where Kafka is elsewhere."
  type = object({
    version          = optional(string, "4.1.x.kraft")
    instance_type    = string
    brokers          = number
    storage_gib      = optional(number, 50)
    secret_has_value = optional(bool, false)
  })
  default = null
  validation {
    condition     = var.kafka == null || var.mysql != null
    error_message = "MSK comes with RDS: modules/data makes both, and pods are told of one place only."
  }
}

variable "cluster_deletion_protection" {
  description = "EKS refuses to delete the cluster."
  type        = bool
  default     = true
  validation {
    condition     = var.environment != "prod" || var.cluster_deletion_protection
    error_message = "prod needs cluster_deletion_protection."
  }
}

variable "recovery_window_in_days" {
  description = "Days in which a deleted secret can be taken back (modules/secrets)."
  type        = number
  default     = 30
}

variable "tags" {
  description = "Tags of instances and volumes, which the provider's default tags do not reach."
  type        = map(string)
}

variable "allow_examples" {
  description = "For tests: take the domain and the administrator that the examples name, and nobody to tell."
  type        = bool
  default     = false
}

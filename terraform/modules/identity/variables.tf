variable "name" {
  description = "Prefix of every name, praxis-<env>. The cluster has the same name."
  type        = string
}

variable "environment" {
  description = "dev, stage or prod: whose secrets may be read."
  type        = string
  validation {
    condition     = contains(["dev", "stage", "prod"], var.environment)
    error_message = "environment must be dev, stage or prod: anything else could be a pattern."
  }
}

variable "region" {
  description = "Region of the secrets."
  type        = string
}

variable "account_id" {
  description = "Account of the secrets."
  type        = string
}

variable "cluster_name" {
  description = "The cluster whose pods take these roles."
  type        = string
}

variable "oidc_provider_arn" {
  description = "The cluster's OIDC provider (IRSA)."
  type        = string
}

variable "oidc_issuer" {
  description = "The issuer without https:// (IRSA)."
  type        = string
}

variable "secrets_key_arn" {
  description = "KMS key of the secrets."
  type        = string
}

variable "alert_topic_arns" {
  description = "The topics to which Alertmanager publishes: alarms and heartbeat."
  type        = list(string)
}

variable "alarms_key_arn" {
  description = "KMS key of those topics."
  type        = string
}

variable "pod_identity" {
  description = "EKS Pod Identity instead of IRSA. The roles keep their names; the charts' annotations become harmless."
  type        = bool
  default     = false
}

variable "permissions_boundary_arn" {
  description = "Boundary of the roles made here."
  type        = string
}

variable "region" {
  description = "Where everything is."
  type        = string
  default     = "ap-south-1"
}

variable "cidr" {
  description = "Addresses of the VPC, a /16; another one for each environment, so that they could be joined one day."
  type        = string
}

variable "domain" {
  description = "The public name."
  type        = string
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
}

variable "api_allowed_cidrs" {
  description = "Networks outside the VPC that may reach the API server."
  type        = list(string)
  default     = []
}

variable "alarm_emails" {
  description = "Who is told of AWS' alarms and of the cluster's alerts. Empty: nobody."
  type        = set(string)
  default     = []
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

variable "registry_account_id" {
  description = "The account of the registry, if it is not this one."
  type        = string
  default     = null
}

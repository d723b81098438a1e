variable "name" {
  description = "Prefix of every name, praxis-<env>. The cluster has the same name."
  type        = string
}

variable "cidr" {
  description = "Addresses of the VPC, a /16."
  type        = string
  default     = "10.40.0.0/16"
  validation {
    condition     = can(cidrhost(var.cidr, 0)) && endswith(var.cidr, "/16")
    error_message = "cidr must be an IPv4 /16: the subnets are cut from it."
  }
}

variable "azs" {
  description = "Availability zones: two or three. EKS, RDS and MSK all ask for two at least."
  type        = list(string)
  validation {
    condition     = length(var.azs) >= 2 && length(var.azs) <= 3 && length(distinct(var.azs)) == length(var.azs)
    error_message = "azs must be two or three different zones."
  }
}

variable "nat" {
  description = "How nodes reach the internet: instance (cheapest, no replacement when it dies but a stop and start), single (one NAT gateway: a lost zone takes the way out with it), per_az."
  type        = string
  validation {
    condition     = contains(["instance", "single", "per_az"], var.nat)
    error_message = "nat must be instance, single or per_az."
  }
}

variable "nat_instance_type" {
  description = "Size of the NAT instance, arm64."
  type        = string
  default     = "t4g.nano"
}

variable "region" {
  description = "Region, for the endpoint's service name."
  type        = string
}

variable "flow_log_retention_days" {
  description = "Days the flow logs are kept."
  type        = number
  default     = 90
}

variable "logs_key_arn" {
  description = "KMS key of the log group."
  type        = string
}

variable "permissions_boundary_arn" {
  description = "Boundary of the roles made here."
  type        = string
}

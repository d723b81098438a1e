variable "name" {
  description = "Name of the cluster, praxis-<env>."
  type        = string
}

variable "kubernetes_version" {
  description = "Minor version of Kubernetes. The manifests are checked against 1.35 to 1.37."
  type        = string
  default     = "1.35"
  nullable    = false
  validation {
    condition     = contains(["1.35", "1.36", "1.37"], var.kubernetes_version)
    error_message = "kubernetes_version must be one the manifests are checked against: 1.35, 1.36 or 1.37."
  }
}

variable "subnet_ids" {
  description = "Private subnets, for nodes and for the control plane's interfaces."
  type        = list(string)
}

variable "api_allowed_cidrs" {
  description = "Networks that may reach the API server from outside. None: only from within the VPC."
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for c in var.api_allowed_cidrs : can(cidrhost(c, 0)) && tonumber(try(split("/", c)[1], 0)) >= 8])
    error_message = "api_allowed_cidrs must be IPv4 networks of /8 or smaller; 0.0.0.0/0 would open the API server to everyone."
  }
}

variable "api_allowed_security_group_ids" {
  description = "Security groups in the VPC that may reach the API server: a runner's own, as the cluster's is let into MySQL and Kafka, too."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for g in var.api_allowed_security_group_ids : can(regex("^sg-[0-9a-f]+$", g))])
    error_message = "api_allowed_security_group_ids must be IDs of security groups, sg-…."
  }
}

variable "admins" {
  description = "Who administers the cluster: a name of your choice and the ARN of an IAM role (or user). Whoever creates the cluster is not in by that."
  type        = map(string)
  validation {
    condition     = length(var.admins) > 0 && alltrue([for arn in values(var.admins) : can(regex("^arn:aws:iam::[0-9]{12}:(role|user)/", arn))])
    error_message = "admins must name at least one IAM role or user by its ARN: nobody else could ever enter."
  }
}

variable "deployers" {
  description = "ARNs of IAM roles that watch deployments: in the cluster they are the group praxis:deployers, which reads Argo CD's Applications (gitops/argocd)."
  type        = set(string)
  default     = []
}

variable "key_arn" {
  description = "KMS key of the Secrets in etcd."
  type        = string
}

variable "logs_key_arn" {
  description = "KMS key of the control plane's logs."
  type        = string
}

variable "log_retention_days" {
  description = "Days the control plane's logs are kept, the audit log among them."
  type        = number
  default     = 90
}

variable "nodes" {
  description = "The node group. architecture is arm64 or amd64 and must agree with instance_types; capacity is ON_DEMAND or SPOT."
  type = object({
    architecture   = optional(string, "arm64")
    instance_types = list(string)
    capacity       = optional(string, "ON_DEMAND")
    min            = number
    desired        = number
    max            = number
    disk_gib       = optional(number, 30)
  })
  validation {
    condition     = contains(["arm64", "amd64"], var.nodes.architecture)
    error_message = "nodes.architecture must be arm64 or amd64."
  }
  validation {
    # Graviton types have a g after the generation (t4g, m7g, c8gd); no other does.
    condition = alltrue([
      for t in var.nodes.instance_types : can(regex("^[a-z]+[0-9]+g[a-z]*\\.", t)) == (var.nodes.architecture == "arm64")
    ])
    error_message = "nodes.instance_types do not fit nodes.architecture."
  }
  validation {
    condition     = contains(["ON_DEMAND", "SPOT"], var.nodes.capacity)
    error_message = "nodes.capacity must be ON_DEMAND or SPOT."
  }
  validation {
    condition     = var.nodes.capacity == "ON_DEMAND" || length(var.nodes.instance_types) >= 2
    error_message = "Spot needs at least two nodes.instance_types: with one, a shortage of that type leaves no node."
  }
  validation {
    condition     = var.nodes.min >= 1 && var.nodes.min <= var.nodes.desired && var.nodes.desired <= var.nodes.max
    error_message = "nodes must satisfy 1 <= min <= desired <= max."
  }
}

variable "addon_versions" {
  description = "Versions of the add-ons by name; one that is not named gets the default of the cluster's version."
  type        = map(string)
  default     = {}
  validation {
    condition     = length(setsubtract(keys(var.addon_versions), ["vpc-cni", "kube-proxy", "eks-pod-identity-agent", "coredns", "aws-ebs-csi-driver"])) == 0
    error_message = "addon_versions may hold vpc-cni, kube-proxy, eks-pod-identity-agent, coredns and aws-ebs-csi-driver."
  }
}

variable "ebs_csi_role_arn" {
  description = "Role of the EBS CSI driver."
  type        = string
}

variable "pod_identity" {
  description = "Roles reach pods by EKS Pod Identity instead of IRSA."
  type        = bool
  default     = false
}

variable "deletion_protection" {
  description = "Refuse to delete the cluster."
  type        = bool
}

variable "permissions_boundary_arn" {
  description = "Boundary of the roles made here."
  type        = string
}

variable "tags" {
  description = "Tags of instances and volumes: a provider's default tags do not reach what a launch template starts."
  type        = map(string)
  default     = {}
}

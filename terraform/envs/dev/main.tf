# dev: a cluster, cheap. MySQL and Kafka are pods (helm/praxis-data), so there is no module data here.

data "aws_caller_identity" "current" {}

data "aws_availability_zones" "available" {
  state = "available"
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  environment = "dev"
  name        = "praxis-${local.environment}"
  account_id  = data.aws_caller_identity.current.account_id
  boundary    = "arn:aws:iam::${local.account_id}:policy/praxis-boundary-${local.environment}"
  tags = {
    Project     = "praxis"
    Environment = local.environment
    ManagedBy   = "terraform/envs/dev"
  }
}

module "data_key" {
  source      = "../../modules/key"
  name        = "${local.name}-data"
  description = "Secrets, databases and brokers of ${local.name}"
  account_id  = local.account_id
  region      = var.region
}

module "logs_key" {
  source      = "../../modules/key"
  name        = "${local.name}-logs"
  description = "Logs and alarms of ${local.name}"
  account_id  = local.account_id
  region      = var.region
  services    = ["logs", "alarms"]
}

module "vpc" {
  source                   = "../../modules/vpc"
  name                     = local.name
  region                   = var.region
  cidr                     = var.cidr
  azs                      = slice(data.aws_availability_zones.available.names, 0, 2)
  nat                      = var.nat
  logs_key_arn             = module.logs_key.arn
  permissions_boundary_arn = local.boundary
}

module "eks" {
  source                   = "../../modules/eks"
  name                     = local.name
  subnet_ids               = module.vpc.private_subnet_ids
  api_allowed_cidrs        = var.api_allowed_cidrs
  admins                   = var.cluster_admins
  deployers                = ["arn:aws:iam::${local.account_id}:role/${local.name}-github-deploy"]
  key_arn                  = module.data_key.arn
  logs_key_arn             = module.logs_key.arn
  nodes                    = var.nodes
  addon_versions           = var.addon_versions
  ebs_csi_role_arn         = module.identity.role_arns["ebs-csi"]
  pod_identity             = var.pod_identity
  deletion_protection      = false
  permissions_boundary_arn = local.boundary
  tags                     = local.tags
}

module "identity" {
  source                   = "../../modules/identity"
  name                     = local.name
  environment              = local.environment
  region                   = var.region
  account_id               = local.account_id
  cluster_name             = module.eks.cluster_name
  oidc_provider_arn        = module.eks.oidc_provider_arn
  oidc_issuer              = module.eks.oidc_issuer
  secrets_key_arn          = module.data_key.arn
  alarms_topic_arn         = module.observability.topic_arn
  alarms_key_arn           = module.logs_key.arn
  pod_identity             = var.pod_identity
  permissions_boundary_arn = local.boundary
}

module "secrets" {
  source                  = "../../modules/secrets"
  environment             = local.environment
  key_arn                 = module.data_key.arn
  recovery_window_in_days = 7
}

module "domain" {
  source               = "../../modules/domain"
  domain               = var.domain
  zone_id              = var.zone_id
  wait_for_certificate = var.wait_for_certificate
}

module "observability" {
  source                = "../../modules/observability"
  name                  = local.name
  account_id            = local.account_id
  key_arn               = module.logs_key.arn
  alertmanager_role_arn = module.identity.role_arns["alertmanager"]
  emails                = var.alarm_emails
}

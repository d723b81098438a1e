# An environment: one cluster and all that AWS gives it. dev, stage and prod differ by variables only (terraform/envs).

data "aws_caller_identity" "current" {}

data "aws_availability_zones" "available" {
  state = "available"
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  name       = "praxis-${var.environment}"
  account_id = data.aws_caller_identity.current.account_id
  boundary   = "arn:aws:iam::${local.account_id}:policy/praxis-boundary-${var.environment}"
}

module "data_key" {
  source      = "../key"
  name        = "${local.name}-data"
  description = "Secrets, databases and brokers of ${local.name}"
  account_id  = local.account_id
  region      = var.region
}

module "logs_key" {
  source      = "../key"
  name        = "${local.name}-logs"
  description = "Logs and alarms of ${local.name}"
  account_id  = local.account_id
  region      = var.region
  services    = ["logs", "alarms"]
}

module "vpc" {
  source                   = "../vpc"
  name                     = local.name
  region                   = var.region
  cidr                     = var.cidr
  azs                      = slice(data.aws_availability_zones.available.names, 0, 2)
  nat                      = var.nat
  logs_key_arn             = module.logs_key.arn
  permissions_boundary_arn = local.boundary
}

module "eks" {
  source                         = "../eks"
  name                           = local.name
  kubernetes_version             = var.kubernetes_version
  subnet_ids                     = module.vpc.private_subnet_ids
  api_allowed_cidrs              = var.api_allowed_cidrs
  api_allowed_security_group_ids = var.api_allowed_security_group_ids
  admins                         = var.cluster_admins
  deployers                      = ["arn:aws:iam::${local.account_id}:role/${local.name}-github-deploy"]
  key_arn                        = module.data_key.arn
  logs_key_arn                   = module.logs_key.arn
  nodes                          = var.nodes
  addon_versions                 = var.addon_versions
  ebs_csi_role_arn               = module.identity.role_arns["ebs-csi"]
  pod_identity                   = var.pod_identity
  deletion_protection            = var.cluster_deletion_protection
  permissions_boundary_arn       = local.boundary
  tags                           = var.tags
}

module "identity" {
  source                   = "../identity"
  name                     = local.name
  environment              = var.environment
  region                   = var.region
  account_id               = local.account_id
  cluster_name             = module.eks.cluster_name
  oidc_provider_arn        = module.eks.oidc_provider_arn
  oidc_issuer              = module.eks.oidc_issuer
  secrets_key_arn          = module.data_key.arn
  alert_topic_arns         = [module.observability.topic_arn, module.observability.heartbeat_topic_arn]
  alarms_key_arn           = module.logs_key.arn
  pod_identity             = var.pod_identity
  permissions_boundary_arn = local.boundary
}

module "secrets" {
  source                  = "../secrets"
  environment             = var.environment
  key_arn                 = module.data_key.arn
  recovery_window_in_days = var.recovery_window_in_days
}

module "domain" {
  source               = "../domain"
  domain               = var.domain
  zone_id              = var.zone_id
  wait_for_certificate = var.wait_for_certificate
}

# Without it MySQL and Kafka are pods (helm/praxis-data).
module "data" {
  count                    = var.mysql == null ? 0 : 1
  source                   = "../data"
  name                     = local.name
  vpc_id                   = module.vpc.vpc_id
  subnet_ids               = module.vpc.data_subnet_ids
  client_security_group_id = module.eks.cluster_security_group_id
  key_arn                  = module.data_key.arn
  logs_key_arn             = module.logs_key.arn
  mysql                    = var.mysql
  kafka                    = var.kafka
  recovery_window_in_days  = var.recovery_window_in_days
}

module "observability" {
  source                = "../observability"
  name                  = local.name
  account_id            = local.account_id
  key_arn               = module.logs_key.arn
  alertmanager_role_arn = module.identity.role_arns["alertmanager"]
  emails                = var.alarm_emails
  mysql = var.mysql == null ? null : {
    identifier      = module.data[0].mysql_identifier
    storage_gib     = var.mysql.storage_gib
    max_connections = var.mysql.max_connections
  }
  kafka = var.kafka == null ? null : { cluster_name = local.name, brokers = var.kafka.brokers }
}

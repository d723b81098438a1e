# prod: minimal production (cost.md).
# What has to be your own: domain, cluster_admins, api_allowed_cidrs, alarm_emails (README.md). What each variable means, and
# what else there is: modules/environment/variables.tf.

locals {
  environment = "prod"
  # That of the account's bootstrap.
  region = "ap-south-1"
  tags = {
    Project     = "praxis"
    Environment = local.environment
    ManagedBy   = "terraform/envs/prod"
  }
}

module "environment" {
  source               = "../../modules/environment"
  environment          = local.environment
  region               = local.region
  tags                 = local.tags
  wait_for_certificate = var.wait_for_certificate
  allow_examples       = var.allow_examples

  cidr   = "10.42.0.0/16"
  domain = "praxis.example"
  cluster_admins = {
    operators = "arn:aws:iam::123456789012:role/praxis-operators"
  }
  api_allowed_cidrs = []
  alarm_emails      = []

  # One NAT gateway: a lost zone takes the way out with it, and with it new images, not what is running.
  nat = "single"
  nodes = {
    instance_types = ["t4g.large"]
    min            = 3
    desired        = 3
    max            = 6
  }

  mysql = {
    instance_class        = "db.t4g.medium"
    multi_az              = true
    storage_gib           = 50
    backup_retention_days = 14
    deletion_protection   = true
    max_connections       = 300
  }

  # secret_has_value = true after scripts/setup-aws-secrets.sh prod (README.md).
  kafka = {
    instance_type    = "kafka.t3.small"
    brokers          = 2
    storage_gib      = 50
    secret_has_value = false
  }
}

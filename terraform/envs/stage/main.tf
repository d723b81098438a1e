# stage: as prod, smaller, and nothing in it is kept for long.
# What has to be your own: domain, cluster_admins, api_allowed_cidrs, alarm_emails (README.md). What each variable means, and
# what else there is: modules/environment/variables.tf.

locals {
  environment = "stage"
  # That of the account's bootstrap.
  region = "ap-south-1"
  tags = {
    Project     = "praxis"
    Environment = local.environment
    ManagedBy   = "terraform/envs/stage"
  }
}

module "environment" {
  source               = "../../modules/environment"
  environment          = local.environment
  region               = local.region
  tags                 = local.tags
  wait_for_certificate = var.wait_for_certificate
  allow_examples       = var.allow_examples

  cidr   = "10.41.0.0/16"
  domain = "stage.praxis.example"
  cluster_admins = {
    operators = "arn:aws:iam::123456789012:role/praxis-operators"
  }
  api_allowed_cidrs = []
  alarm_emails      = []

  # Everything asks for 3.4 cores, and each API for another pod while it is rolled: two nodes of two cores would not do.
  nat = "single"
  nodes = {
    instance_types = ["t4g.large", "m7g.large"]
    capacity       = "SPOT"
    min            = 3
    desired        = 3
    max            = 4
  }

  mysql = {
    instance_class        = "db.t4g.medium"
    multi_az              = false
    storage_gib           = 20
    backup_retention_days = 7
    deletion_protection   = false
    max_connections       = 300
  }

  # secret_has_value = true after scripts/setup-aws-secrets.sh stage (README.md).
  kafka = {
    instance_type    = "kafka.t3.small"
    brokers          = 2
    storage_gib      = 20
    secret_has_value = false
  }

  cluster_deletion_protection = false
}

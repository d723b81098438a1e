# dev: a cluster, cheap (cost.md). MySQL and Kafka are pods (helm/praxis-data).
# What has to be your own: domain, cluster_admins, api_allowed_cidrs, alarm_emails (README.md). What each variable means, and
# what else there is: modules/environment/variables.tf.

locals {
  environment = "dev"
  # That of the account's bootstrap.
  region = "ap-south-1"
  tags = {
    Project     = "praxis"
    Environment = local.environment
    ManagedBy   = "terraform/envs/dev"
  }
}

module "environment" {
  source               = "../../modules/environment"
  environment          = local.environment
  region               = local.region
  tags                 = local.tags
  wait_for_certificate = var.wait_for_certificate
  allow_examples       = var.allow_examples

  cidr   = "10.40.0.0/16"
  domain = "dev.praxis.example"
  cluster_admins = {
    operators = "arn:aws:iam::123456789012:role/praxis-operators"
  }
  api_allowed_cidrs = []
  alarm_emails      = []

  # Everything in the cluster asks for about 7 GiB and 3.4 cores, so three nodes of 4 GiB; no type has fewer than two cores.
  # Nothing adds nodes by itself.
  nat = "instance"
  nodes = {
    instance_types = ["t4g.medium", "c6g.large", "t4g.large"]
    capacity       = "SPOT"
    min            = 3
    desired        = 3
    max            = 4
  }

  cluster_deletion_protection = false
  recovery_window_in_days     = 7
}

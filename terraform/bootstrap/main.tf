# What has to be there before anything else, once per account: the bucket of Terraform's state, GitHub's way in, the
# registry, and two switches of the account. Applied by a person; README.md says how its own state moves into the bucket.

terraform {
  # Completed by -backend-config="bucket=…" and -backend-config="region=…". Overridden for the first run, when there is
  # no bucket yet.
  backend "s3" {
    key          = "bootstrap/terraform.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region = var.region
  default_tags {
    tags = {
      Project   = "praxis"
      ManagedBy = "terraform/bootstrap"
    }
  }
}

data "aws_caller_identity" "current" {}

locals {
  account_id = data.aws_caller_identity.current.account_id
  # Written out, not taken from the resources: policies are then readable in a plan.
  bucket     = "praxis-${local.account_id}-terraform-state"
  bucket_arn = "arn:aws:s3:::${local.bucket}"
}

# Every new volume is encrypted, whoever asks for it: what the EBS driver makes too.
resource "aws_ebs_encryption_by_default" "this" {
  enabled = true
}

resource "aws_s3_account_public_access_block" "this" {
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

module "registry_key" {
  count       = var.registry == null ? 1 : 0
  source      = "../modules/key"
  name        = "praxis-registry"
  description = "Layers of praxis' images"
  account_id  = local.account_id
  region      = var.region
}

module "ecr" {
  count            = var.registry == null ? 1 : 0
  source           = "../modules/ecr"
  key_arn          = module.registry_key[0].arn
  pull_account_ids = var.pull_account_ids
}

terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
  # Completed by -backend-config="bucket=praxis-<account id>-terraform-state" and -backend-config="region=…".
  # Stage: -backend-config="key=stage/terraform.tfstate" besides.
  backend "s3" {
    key          = "prod/terraform.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region = var.region
  default_tags {
    tags = local.tags
  }
}

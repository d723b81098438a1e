terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
  # Completed by -backend-config="bucket=praxis-<account id>-terraform-state" and -backend-config="region=…".
  backend "s3" {
    key          = "stage/terraform.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region = local.region
  default_tags {
    tags = local.tags
  }
}

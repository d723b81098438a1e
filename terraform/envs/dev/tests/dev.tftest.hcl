mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_availability_zones" {
    defaults = { names = ["ap-south-1a", "ap-south-1b", "ap-south-1c"] }
  }
  mock_resource "aws_eks_cluster" {
    defaults = {
      arn        = "arn:aws:eks:ap-south-1:123456789012:cluster/praxis"
      identity   = [{ oidc = [{ issuer = "https://oidc.eks.ap-south-1.amazonaws.com/id/0123456789ABCDEF" }] }]
      vpc_config = { cluster_security_group_id = "sg-cluster" }
    }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mock" }
  }
  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/mock" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:ap-south-1:123456789012:key/11111111-1111-4111-8111-111111111111" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:ap-south-1:123456789012:log-group:mock" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:ap-south-1:123456789012:praxis-alarms" }
  }
  mock_resource "aws_acm_certificate" {
    defaults = { arn = "arn:aws:acm:ap-south-1:123456789012:certificate/11111111-1111-4111-8111-111111111111" }
  }
  mock_resource "aws_acm_certificate_validation" {
    defaults = { certificate_arn = "arn:aws:acm:ap-south-1:123456789012:certificate/11111111-1111-4111-8111-111111111111" }
  }
}

# The files as they are, be they edited already or not.
variables {
  allow_examples = true
}

# The proof's record is tested with the module; here it has nothing to be read from.
override_resource {
  target = module.environment.module.domain.aws_route53_record.validation
}

run "the_facts_are_those_of_dev" {
  assert {
    condition = (
      output.cluster_values.environment == "dev" && output.cluster_values.cluster_name == "praxis-dev" &&
      output.cluster_values.vpc_cidr == "10.40.0.0/16"
    )
    error_message = "each environment has names and addresses of its own"
  }
  assert {
    condition     = output.cluster_values.database_host == "" && output.cluster_values.kafka_brokers == ""
    error_message = "in dev MySQL and Kafka are pods"
  }
}

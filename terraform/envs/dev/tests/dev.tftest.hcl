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

# The proof's record is tested with the module; here it has nothing to be read from.
override_resource {
  target = module.domain.aws_route53_record.validation
}

run "the_cluster_is_told_all_it_asks_for" {
  assert {
    condition = toset(keys(output.cluster_values)) == toset([
      "account_id", "region", "environment", "registry", "cluster_name", "node_architecture", "vpc_id", "vpc_cidr",
      "public_subnet_ids", "public_subnet_cidrs", "private_subnet_ids", "private_subnet_cidrs", "data_subnet_cidrs",
      "pod_identity", "external_secrets_role_arn", "load_balancer_controller_role_arn", "ebs_csi_role_arn", "alertmanager_role_arn",
      "domain", "certificate_arn", "zone_id",
      "database_host", "database_port", "database_admin_secret_arn", "kafka_brokers", "kafka_secret_name", "alarms_topic_arn",
    ])
    error_message = "ADR 43 lists the keys; both environments have the same"
  }
  assert {
    condition = (
      output.cluster_values.environment == "dev" && output.cluster_values.cluster_name == "praxis-dev" &&
      output.cluster_values.registry == "123456789012.dkr.ecr.ap-south-1.amazonaws.com"
    )
    error_message = "the facts must be dev's"
  }
  assert {
    condition     = output.cluster_values.database_host == "" && output.cluster_values.kafka_brokers == "" && output.cluster_values.kafka_secret_name == ""
    error_message = "in dev MySQL and Kafka are pods: scripts and charts fall back to their names"
  }
}

run "dev_is_cheap" {
  assert {
    condition     = var.nodes.capacity == "SPOT" && var.nat == "instance"
    error_message = "cost.md counts on Spot and a NAT instance in dev"
  }
}

run "the_registry_may_be_another_accounts" {
  variables {
    registry_account_id = "210987654321"
  }
  assert {
    condition     = output.cluster_values.registry == "210987654321.dkr.ecr.ap-south-1.amazonaws.com"
    error_message = "images are then pulled from there"
  }
}

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
  mock_resource "aws_db_instance" {
    defaults = {
      address            = "praxis-mysql.example.ap-south-1.rds.amazonaws.com"
      master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:ap-south-1:123456789012:secret:rds!db-1", kms_key_id = "", secret_status = "active" }]
    }
  }
  mock_resource "aws_msk_cluster" {
    defaults = {
      arn                          = "arn:aws:kafka:ap-south-1:123456789012:cluster/praxis/1"
      bootstrap_brokers_sasl_scram = "b-1.example:9096,b-2.example:9096"
    }
  }
  mock_resource "aws_msk_configuration" {
    defaults = { arn = "arn:aws:kafka:ap-south-1:123456789012:configuration/praxis/1", latest_revision = 1 }
  }
  mock_resource "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:ap-south-1:123456789012:secret:mock" }
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
      output.cluster_values.environment == "prod" && output.cluster_values.cluster_name == "praxis-prod" &&
      output.cluster_values.kafka_secret_name == "AmazonMSK_praxis-prod" && output.cluster_values.database_port == 3306
    )
    error_message = "the facts must be prod's"
  }
  assert {
    condition     = output.cluster_values.database_host != "" && output.cluster_values.database_admin_secret_arn != "" && output.cluster_values.kafka_brokers != ""
    error_message = "prod has RDS and MSK"
  }
  assert {
    condition     = output.cluster_values.data_subnet_cidrs == ["10.42.16.0/24", "10.42.17.0/24"]
    error_message = "the pods' network policies open the way to the data subnets only"
  }
}

run "stage_is_prods_code_with_its_own_names" {
  variables {
    environment                 = "stage"
    domain                      = "stage.praxis.example"
    cluster_deletion_protection = false
    mysql = {
      instance_class        = "db.t4g.medium"
      multi_az              = false
      backup_retention_days = 7
      deletion_protection   = false
      max_connections       = 300
    }
  }
  assert {
    condition     = output.cluster_values.cluster_name == "praxis-stage" && output.cluster_values.kafka_secret_name == "AmazonMSK_praxis-stage"
    error_message = "stage must have names of its own"
  }
}

run "without_msk" {
  variables {
    kafka = null
  }
  assert {
    condition     = output.cluster_values.kafka_brokers == "" && output.cluster_values.kafka_secret_name == ""
    error_message = "kafka = null makes no MSK"
  }
}

run "a_prod_with_one_mysql_is_refused" {
  command = plan
  variables {
    mysql = { instance_class = "db.t4g.medium", multi_az = false, backup_retention_days = 14, deletion_protection = true, max_connections = 300 }
  }
  expect_failures = [var.mysql]
}

run "a_prod_that_a_slip_deletes_is_refused" {
  command = plan
  variables {
    mysql = { instance_class = "db.t4g.medium", multi_az = true, backup_retention_days = 14, deletion_protection = false, max_connections = 300 }
  }
  expect_failures = [var.mysql]
}

run "a_prod_with_a_week_of_backups_is_refused" {
  command = plan
  variables {
    mysql = { instance_class = "db.t4g.medium", multi_az = true, backup_retention_days = 7, deletion_protection = true, max_connections = 300 }
  }
  expect_failures = [var.mysql]
}

run "dev_has_a_folder_of_its_own" {
  command = plan
  variables {
    environment = "dev"
  }
  expect_failures = [var.environment]
}

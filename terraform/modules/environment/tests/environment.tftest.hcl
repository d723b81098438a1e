mock_provider "aws" {
  source = "./tests/mocks"
}

# The proof's record is tested with the module; here it has nothing to be read from.
override_resource {
  target = module.domain.aws_route53_record.validation
}

variables {
  allow_examples = true
  environment    = "prod"
  region         = "ap-south-1"
  tags           = { Environment = "prod" }
  cidr           = "10.42.0.0/16"
  domain         = "praxis.example"
  cluster_admins = { operators = "arn:aws:iam::123456789012:role/praxis-operators" }
  nat            = "single"
  nodes          = { instance_types = ["t4g.large"], min = 3, desired = 3, max = 6 }
  mysql          = { instance_class = "db.t4g.medium", multi_az = true, backup_retention_days = 14, deletion_protection = true, max_connections = 300 }
  kafka          = { instance_type = "kafka.t3.small", brokers = 2 }
}

run "the_cluster_is_told_all_it_asks_for" {
  assert {
    condition = toset(keys(output.cluster_values)) == toset([
      "account_id", "region", "environment", "registry", "cluster_name", "node_architecture", "vpc_id", "vpc_cidr",
      "public_subnet_ids", "public_subnet_cidrs", "private_subnet_ids", "private_subnet_cidrs", "data_subnet_cidrs",
      "pod_identity", "external_secrets_role_arn", "load_balancer_controller_role_arn", "ebs_csi_role_arn", "alertmanager_role_arn",
      "domain", "certificate_arn", "zone_id",
      "database_host", "database_port", "database_admin_secret_arn", "kafka_brokers", "kafka_secret_name", "alarms_topic_arn", "heartbeat_topic_arn",
    ])
    error_message = "ADR 43 lists the keys"
  }
  assert {
    condition = (
      output.cluster_values.environment == "prod" && output.cluster_values.cluster_name == "praxis-prod" &&
      output.cluster_values.kafka_secret_name == "AmazonMSK_praxis-prod" && output.cluster_values.database_port == 3306 &&
      output.cluster_values.registry == "123456789012.dkr.ecr.ap-south-1.amazonaws.com"
    )
    error_message = "the facts must be prod's"
  }
  assert {
    condition     = output.cluster_values.database_host != "" && output.cluster_values.database_admin_secret_arn != "" && output.cluster_values.kafka_brokers != ""
    error_message = "where there are RDS and MSK, pods are told of them"
  }
  assert {
    condition     = output.cluster_values.data_subnet_cidrs == tolist(["10.42.16.0/24", "10.42.17.0/24"])
    error_message = "the pods' network policies open the way to the data subnets only"
  }
}

run "without_rds_and_msk_the_keys_are_the_same" {
  variables {
    environment                 = "dev"
    cluster_deletion_protection = false
    mysql                       = null
    kafka                       = null
  }
  assert {
    condition = toset(keys(output.cluster_values)) == toset([
      "account_id", "region", "environment", "registry", "cluster_name", "node_architecture", "vpc_id", "vpc_cidr",
      "public_subnet_ids", "public_subnet_cidrs", "private_subnet_ids", "private_subnet_cidrs", "data_subnet_cidrs",
      "pod_identity", "external_secrets_role_arn", "load_balancer_controller_role_arn", "ebs_csi_role_arn", "alertmanager_role_arn",
      "domain", "certificate_arn", "zone_id",
      "database_host", "database_port", "database_admin_secret_arn", "kafka_brokers", "kafka_secret_name", "alarms_topic_arn", "heartbeat_topic_arn",
    ])
    error_message = "the same keys in every environment"
  }
  assert {
    condition = (
      output.cluster_values.database_host == "" && output.cluster_values.kafka_brokers == "" && output.cluster_values.kafka_secret_name == "" &&
      output.cluster_values.database_admin_secret_arn == "" && length(output.cluster_values.data_subnet_cidrs) == 0 && length(module.data) == 0
    )
    error_message = "MySQL and Kafka are pods: scripts and charts fall back to their names"
  }
}

run "without_msk" {
  variables {
    kafka = null
  }
  assert {
    condition     = output.cluster_values.kafka_brokers == "" && output.cluster_values.kafka_secret_name == "" && output.cluster_values.database_host != ""
    error_message = "kafka = null makes no MSK"
  }
}

run "the_registry_may_be_another_accounts" {
  variables {
    registry = "210987654321.dkr.ecr.eu-central-1.amazonaws.com"
  }
  assert {
    condition     = output.cluster_values.registry == "210987654321.dkr.ecr.eu-central-1.amazonaws.com"
    error_message = "images are then pulled from there"
  }
}

run "what_is_no_registry_is_refused" {
  command = plan
  variables {
    registry = "210987654321"
  }
  expect_failures = [var.registry]
}

run "a_stage_with_its_mysql_in_a_pod_is_refused" {
  command = plan
  variables {
    environment = "stage"
    mysql       = null
    kafka       = null
  }
  expect_failures = [var.mysql]
}

run "msk_without_rds_is_refused" {
  command = plan
  variables {
    environment = "dev"
    mysql       = null
  }
  expect_failures = [var.kafka]
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

run "a_prod_cluster_that_a_slip_deletes_is_refused" {
  command = plan
  variables {
    cluster_deletion_protection = false
  }
  expect_failures = [var.cluster_deletion_protection]
}

run "a_prod_with_a_week_of_backups_is_refused" {
  command = plan
  variables {
    mysql = { instance_class = "db.t4g.medium", multi_az = true, backup_retention_days = 7, deletion_protection = true, max_connections = 300 }
  }
  expect_failures = [var.mysql]
}

run "the_examples_domain_and_administrator_and_a_prod_that_tells_nobody_are_refused" {
  command = plan
  variables {
    allow_examples = false
  }
  expect_failures = [var.domain, var.cluster_admins, var.alarm_emails]
}

run "what_is_somebodys_own_is_taken" {
  command = plan
  variables {
    allow_examples = false
    domain         = "clinic.internal"
    cluster_admins = { operators = "arn:aws:iam::210987654321:role/praxis-operators" }
    alarm_emails   = ["on-call@clinic.internal"]
  }
}

run "a_dev_may_tell_nobody" {
  command = plan
  variables {
    allow_examples              = false
    environment                 = "dev"
    cluster_deletion_protection = false
    domain                      = "dev.clinic.internal"
    cluster_admins              = { operators = "arn:aws:iam::210987654321:role/praxis-operators" }
  }
}

run "a_runners_group_reaches_the_cluster" {
  variables {
    api_allowed_security_group_ids = ["sg-0123456789abcdef0"]
  }
  assert {
    condition     = module.eks.api_allowed_security_group_ids == toset(["sg-0123456789abcdef0"])
    error_message = "the group must be handed on to the cluster"
  }
}

run "an_unknown_environment_is_refused" {
  command = plan
  variables {
    environment = "test"
  }
  expect_failures = [var.environment]
}

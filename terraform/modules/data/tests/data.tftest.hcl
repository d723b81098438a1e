mock_provider "aws" {
  mock_resource "aws_db_instance" {
    defaults = {
      address            = "praxis-test-mysql.example.ap-south-1.rds.amazonaws.com"
      master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:ap-south-1:123456789012:secret:rds!db-1", kms_key_id = "", secret_status = "active" }]
    }
  }
  mock_resource "aws_msk_cluster" {
    defaults = {
      arn                          = "arn:aws:kafka:ap-south-1:123456789012:cluster/praxis-test/1"
      bootstrap_brokers_sasl_scram = "b-1.example:9096,b-2.example:9096"
    }
  }
  mock_resource "aws_msk_configuration" {
    defaults = { arn = "arn:aws:kafka:ap-south-1:123456789012:configuration/praxis-test/1", latest_revision = 1 }
  }
  mock_resource "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:ap-south-1:123456789012:secret:AmazonMSK_praxis-test-1" }
  }
}

variables {
  name                     = "praxis-test"
  vpc_id                   = "vpc-1"
  subnet_ids               = ["subnet-a", "subnet-b"]
  client_security_group_id = "sg-pods"
  key_arn                  = "arn:aws:kms:ap-south-1:123456789012:key/11111111-1111-4111-8111-111111111111"
  logs_key_arn             = "arn:aws:kms:ap-south-1:123456789012:key/22222222-2222-4222-8222-222222222222"
  mysql = {
    instance_class        = "db.t4g.medium"
    multi_az              = true
    backup_retention_days = 14
    deletion_protection   = true
  }
  kafka = { instance_type = "kafka.t3.small", brokers = 2 }
}

run "no_answered_commit_can_be_lost" {
  assert {
    condition = { for p in aws_db_parameter_group.mysql.parameter : p.name => p.value if contains(["sync_binlog", "innodb_flush_log_at_trx_commit", "binlog_format"], p.name) } == {
      sync_binlog                    = "1"
      innodb_flush_log_at_trx_commit = "1"
      binlog_format                  = "ROW"
    }
    error_message = "both logs must be flushed by every commit: the event store refuses the server otherwise"
  }
  assert {
    condition     = aws_db_instance.mysql.backup_retention_period == 14
    error_message = "the days of backups must reach the instance: without any there is no binary log"
  }
  assert {
    condition     = aws_db_instance.mysql.parameter_group_name == aws_db_parameter_group.mysql.name
    error_message = "the parameters must be those of the instance"
  }
  assert {
    condition     = aws_db_instance.mysql.multi_az
    error_message = "multi_az must reach the instance"
  }
}

run "the_server_takes_what_the_event_store_sends" {
  assert {
    condition     = tonumber(one([for p in aws_db_parameter_group.mysql.parameter : p.value if p.name == "max_allowed_packet"])) >= 32 * 1024 * 1024
    error_message = "the event store refuses a server with packets below 32 MiB"
  }
  assert {
    condition     = aws_db_parameter_group.mysql.family == "mysql8.4" && aws_db_instance.mysql.engine_version == "8.4"
    error_message = "8.4 is the oldest version the event store takes"
  }
}

run "nothing_is_in_the_clear" {
  assert {
    condition     = one([for p in aws_db_parameter_group.mysql.parameter : p.value if p.name == "require_secure_transport"]) == "1"
    error_message = "MySQL must refuse connections without TLS"
  }
  assert {
    condition     = aws_db_instance.mysql.storage_encrypted && aws_db_instance.mysql.kms_key_id == var.key_arn
    error_message = "volume and backups must be under our key"
  }
  assert {
    condition = alltrue([
      for p in aws_db_parameter_group.mysql.parameter : p.value == "0" if contains(["general_log", "slow_query_log"], p.name)
    ]) && aws_db_instance.mysql.enabled_cloudwatch_logs_exports == toset(["error"])
    error_message = "no log may hold statements with their values"
  }
  assert {
    condition = (
      aws_msk_cluster.this["on"].encryption_info[0].encryption_in_transit[0].client_broker == "TLS" &&
      aws_msk_cluster.this["on"].encryption_info[0].encryption_in_transit[0].in_cluster &&
      aws_msk_cluster.this["on"].encryption_info[0].encryption_at_rest_kms_key_arn == var.key_arn
    )
    error_message = "Kafka must speak TLS only, and its volumes be under our key"
  }
}

run "only_pods_may_connect" {
  assert {
    condition     = aws_db_instance.mysql.publicly_accessible == false
    error_message = "MySQL must have no public address"
  }
  assert {
    condition = (
      aws_vpc_security_group_ingress_rule.mysql.referenced_security_group_id == "sg-pods" &&
      aws_vpc_security_group_ingress_rule.mysql.from_port == 3306 && aws_vpc_security_group_ingress_rule.mysql.to_port == 3306
    )
    error_message = "MySQL is for the pods' security group, at 3306"
  }
  assert {
    condition = (
      aws_vpc_security_group_ingress_rule.kafka["on"].referenced_security_group_id == "sg-pods" &&
      aws_vpc_security_group_ingress_rule.kafka["on"].from_port == 9096 && aws_vpc_security_group_ingress_rule.kafka["on"].to_port == 9096
    )
    error_message = "Kafka is for the pods' security group, at 9096: no other port, and so no other way in"
  }
}

run "nothing_is_deleted_by_a_slip" {
  assert {
    condition     = aws_db_instance.mysql.deletion_protection && !aws_db_instance.mysql.skip_final_snapshot && !aws_db_instance.mysql.delete_automated_backups
    error_message = "protection, a last snapshot, and backups that stay"
  }
}

run "no_password_is_known_to_terraform" {
  assert {
    condition     = aws_db_instance.mysql.manage_master_user_password && aws_db_instance.mysql.password == null
    error_message = "RDS must make and keep the administrator's password"
  }
  assert {
    condition     = aws_secretsmanager_secret_rotation.mysql.rotation_rules[0].automatically_after_days == 365 && !aws_secretsmanager_secret_rotation.mysql.rotate_immediately
    error_message = "a password that changes every week breaks the migrations' URL"
  }
}

run "kafka_asks_for_user_and_password" {
  assert {
    condition = (
      aws_msk_cluster.this["on"].client_authentication[0].unauthenticated == false &&
      aws_msk_cluster.this["on"].client_authentication[0].sasl[0].scram
    )
    error_message = "nobody gets in without a user and a password"
  }
  assert {
    condition     = aws_secretsmanager_secret.kafka["on"].name == "AmazonMSK_praxis-test" && aws_secretsmanager_secret.kafka["on"].kms_key_id == var.key_arn
    error_message = "MSK takes a secret of this name, under a customer managed key"
  }
  assert {
    condition     = length(aws_msk_scram_secret_association.this) == 0
    error_message = "an empty secret cannot be bound to the brokers"
  }
}

run "the_secret_is_bound_once_it_has_a_value" {
  variables {
    kafka = { instance_type = "kafka.t3.small", brokers = 2, secret_has_value = true }
  }
  assert {
    condition     = aws_msk_scram_secret_association.this["on"].secret_arn_list == toset([aws_secretsmanager_secret.kafka["on"].arn])
    error_message = "secret_has_value must bind the secret"
  }
}

run "kafka_loses_a_broker_without_stopping" {
  assert {
    condition     = strcontains(aws_msk_configuration.this["on"].server_properties, "default.replication.factor=2\nmin.insync.replicas=1\n")
    error_message = "of two replicas one must be enough, or patching a broker stops the relay"
  }
  assert {
    condition = (
      strcontains(aws_msk_configuration.this["on"].server_properties, "auto.create.topics.enable=false\n") &&
      strcontains(aws_msk_configuration.this["on"].server_properties, "unclean.leader.election.enable=false\n")
    )
    error_message = "a misspelt topic must be an error, and a stale replica must not lead"
  }
}

run "three_replicas_are_the_most" {
  variables {
    kafka = { instance_type = "kafka.m7g.large", brokers = 4 }
  }
  assert {
    condition     = strcontains(aws_msk_configuration.this["on"].server_properties, "default.replication.factor=3\nmin.insync.replicas=2\n")
    error_message = "with four brokers three replicas, two of which must have a message"
  }
}

run "without_msk_there_is_nothing_of_it" {
  variables {
    kafka = null
  }
  assert {
    condition     = length(aws_msk_cluster.this) + length(aws_msk_configuration.this) + length(aws_secretsmanager_secret.kafka) + length(aws_security_group.kafka) == 0
    error_message = "kafka = null must make nothing of Kafka"
  }
  assert {
    condition     = output.kafka_brokers == "" && output.kafka_secret_name == ""
    error_message = "without MSK brokers and secret are empty"
  }
}

run "a_server_without_backups_is_refused" {
  command = plan
  variables {
    mysql = { instance_class = "db.t4g.medium", multi_az = false, backup_retention_days = 0, deletion_protection = false }
  }
  expect_failures = [var.mysql]
}

run "an_old_server_is_refused" {
  command = plan
  variables {
    mysql = { instance_class = "db.t4g.medium", version = "8.0", multi_az = false, backup_retention_days = 7, deletion_protection = false }
  }
  expect_failures = [var.mysql]
}

run "a_disk_that_cannot_grow_is_refused" {
  command = plan
  variables {
    mysql = { instance_class = "db.t4g.medium", multi_az = false, backup_retention_days = 7, deletion_protection = false, storage_gib = 100, storage_max_gib = 100 }
  }
  expect_failures = [var.mysql]
}

run "a_tiny_server_is_refused" {
  command = plan
  variables {
    mysql = { instance_class = "db.t4g.micro", multi_az = false, backup_retention_days = 7, deletion_protection = false }
  }
  expect_failures = [var.mysql]
}

run "zookeeper_is_refused" {
  command = plan
  variables {
    kafka = { instance_type = "kafka.t3.small", brokers = 2, version = "3.9.x" }
  }
  expect_failures = [var.kafka]
}

run "brokers_that_do_not_spread_are_refused" {
  command = plan
  variables {
    kafka = { instance_type = "kafka.t3.small", brokers = 3 }
  }
  expect_failures = [var.kafka]
}

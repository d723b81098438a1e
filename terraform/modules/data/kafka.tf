# The messenger. Nothing in it is the truth, so it is sized for its throughput and not for keeping anything.

locals {
  kafka       = var.kafka == null ? {} : { on = var.kafka }
  replication = var.kafka == null ? 0 : min(3, var.kafka.brokers)
}

resource "aws_security_group" "kafka" {
  for_each    = local.kafka
  name        = "${var.name}-kafka"
  description = "Kafka: from pods only, to nowhere"
  vpc_id      = var.vpc_id
  tags        = { Name = "${var.name}-kafka" }
}

resource "aws_vpc_security_group_ingress_rule" "kafka" {
  for_each                     = local.kafka
  security_group_id            = aws_security_group.kafka["on"].id
  referenced_security_group_id = var.client_security_group_id
  description                  = "SASL over TLS from pods"
  ip_protocol                  = "tcp"
  from_port                    = 9096
  to_port                      = 9096
}

resource "aws_cloudwatch_log_group" "kafka" {
  for_each          = local.kafka
  name              = "/${var.name}/kafka"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.logs_key_arn
}

# All but one replica must have a message, which is what the programs ask for when they make the topic: a broker at a
# time may be patched without stopping the relay.
resource "aws_msk_configuration" "this" {
  for_each       = local.kafka
  name           = var.name
  kafka_versions = [each.value.version]
  # With a revision in use it cannot be deleted: a change makes a new revision.
  server_properties = <<-PROPERTIES
    auto.create.topics.enable=false
    default.replication.factor=${local.replication}
    min.insync.replicas=${max(1, local.replication - 1)}
    unclean.leader.election.enable=false
    log.retention.hours=168
  PROPERTIES
}

resource "aws_msk_cluster" "this" {
  for_each               = local.kafka
  cluster_name           = var.name
  kafka_version          = each.value.version
  number_of_broker_nodes = each.value.brokers
  # Per broker, for the alarms; what it costs is in cost.md.
  enhanced_monitoring = "DEFAULT"

  broker_node_group_info {
    instance_type   = each.value.instance_type
    client_subnets  = var.subnet_ids
    security_groups = [aws_security_group.kafka["on"].id]
    storage_info {
      ebs_storage_info {
        volume_size = each.value.storage_gib
      }
    }
  }

  client_authentication {
    unauthenticated = false
    sasl {
      scram = true
      iam   = false
    }
  }
  encryption_info {
    encryption_at_rest_kms_key_arn = var.key_arn
    encryption_in_transit {
      client_broker = "TLS"
      in_cluster    = true
    }
  }
  configuration_info {
    arn      = aws_msk_configuration.this["on"].arn
    revision = aws_msk_configuration.this["on"].latest_revision
  }
  logging_info {
    broker_logs {
      cloudwatch_logs {
        enabled   = true
        log_group = aws_cloudwatch_log_group.kafka["on"].name
      }
    }
  }
}

# MSK asks for the name's beginning and for a key that is not AWS' own. Empty until scripts/setup-aws-secrets.sh.
resource "aws_secretsmanager_secret" "kafka" {
  for_each                = local.kafka
  name                    = "AmazonMSK_${var.name}"
  description             = "User and password of the programs at MSK"
  kms_key_id              = var.key_arn
  recovery_window_in_days = var.recovery_window_in_days
}

# MSK would add this by itself, unknown to the state.
resource "aws_secretsmanager_secret_policy" "kafka" {
  for_each   = local.kafka
  secret_arn = aws_secretsmanager_secret.kafka["on"].arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AWSKafkaResourcePolicy"
      Effect    = "Allow"
      Principal = { Service = "kafka.amazonaws.com" }
      Action    = "secretsmanager:getSecretValue"
      Resource  = aws_secretsmanager_secret.kafka["on"].arn
    }]
  })
}

# MSK refuses a secret without a user and a password in it.
resource "aws_msk_scram_secret_association" "this" {
  for_each        = { for k, v in local.kafka : k => v if v.secret_has_value }
  cluster_arn     = aws_msk_cluster.this["on"].arn
  secret_arn_list = [aws_secretsmanager_secret.kafka["on"].arn]
  depends_on      = [aws_secretsmanager_secret_policy.kafka]
}

# The truth: one MySQL 8.4 whose every answered commit is on disk (and, with Multi-AZ, on the standby's).
# crates/store-mysql/src/fitness.rs refuses a server that is set otherwise.

locals {
  parameters = {
    # On disk before it is answered: each commit flushes the redo log and the binary log.
    innodb_flush_log_at_trx_commit = "1"
    sync_binlog                    = "1"
    # With the binary log (RDS writes it while backups are kept), no commit is seen before it is on disk.
    binlog_format = "ROW"
    # The largest statement is 32 MiB at most; the server's default, made certain.
    max_allowed_packet = "67108864"
    # No connection in the clear.
    require_secure_transport = "1"
    tls_version              = "TLSv1.2,TLSv1.3"
    time_zone                = "UTC"
    character_set_server     = "utf8mb4"
    # Statements with their values have no place in a log: they may name a patient.
    general_log    = "0"
    slow_query_log = "0"
  }
  # These are read at the start only.
  static = ["tls_version"]
}

resource "aws_db_parameter_group" "mysql" {
  name_prefix = "${var.name}-mysql84-"
  family      = "mysql8.4"
  description = "What the event store demands of its server"

  dynamic "parameter" {
    for_each = local.parameters
    content {
      name         = parameter.key
      value        = parameter.value
      apply_method = contains(local.static, parameter.key) ? "pending-reboot" : "immediate"
    }
  }
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_subnet_group" "mysql" {
  name       = "${var.name}-mysql"
  subnet_ids = var.subnet_ids
}

resource "aws_security_group" "mysql" {
  name        = "${var.name}-mysql"
  description = "MySQL: from pods only, to nowhere"
  vpc_id      = var.vpc_id
  tags        = { Name = "${var.name}-mysql" }
}

resource "aws_vpc_security_group_ingress_rule" "mysql" {
  security_group_id            = aws_security_group.mysql.id
  referenced_security_group_id = var.client_security_group_id
  description                  = "MySQL from pods"
  ip_protocol                  = "tcp"
  from_port                    = 3306
  to_port                      = 3306
}

resource "aws_cloudwatch_log_group" "mysql" {
  # RDS writes to this name.
  name              = "/aws/rds/instance/${var.name}-mysql/error"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.logs_key_arn
}

resource "aws_db_instance" "mysql" {
  identifier                 = "${var.name}-mysql"
  engine                     = "mysql"
  engine_version             = var.mysql.version
  auto_minor_version_upgrade = true
  instance_class             = var.mysql.instance_class
  multi_az                   = var.mysql.multi_az
  parameter_group_name       = aws_db_parameter_group.mysql.name

  storage_type          = "gp3"
  allocated_storage     = var.mysql.storage_gib
  max_allocated_storage = var.mysql.storage_max_gib
  storage_encrypted     = true
  kms_key_id            = var.key_arn

  # RDS makes the password and keeps it in a secret of its own: Terraform never knows it.
  username                      = "admin"
  manage_master_user_password   = true
  master_user_secret_kms_key_id = var.key_arn

  db_subnet_group_name   = aws_db_subnet_group.mysql.name
  vpc_security_group_ids = [aws_security_group.mysql.id]
  publicly_accessible    = false
  ca_cert_identifier     = "rds-ca-rsa2048-g1"

  # Any second of these days can be restored to. The backups stay when the instance goes.
  backup_retention_period  = var.mysql.backup_retention_days
  backup_window            = "20:00-21:00"
  maintenance_window       = "sun:21:30-sun:22:30"
  copy_tags_to_snapshot    = true
  delete_automated_backups = false
  deletion_protection      = var.mysql.deletion_protection
  # The last snapshot cannot be skipped. Its name is fixed: a second destroy asks for the first one to be renamed.
  skip_final_snapshot       = false
  final_snapshot_identifier = "${var.name}-mysql-final"

  enabled_cloudwatch_logs_exports = ["error"]
  # Statements without their values.
  performance_insights_enabled          = true
  performance_insights_retention_period = 7
  performance_insights_kms_key_id       = var.key_arn

  depends_on = [aws_cloudwatch_log_group.mysql]
}

# RDS alone would change the password every seven days, and admin-url, of which migrations make use, would be wrong until
# scripts/setup-aws-secrets.sh runs again. Once a year, or on purpose: aws secretsmanager rotate-secret, then the script.
resource "aws_secretsmanager_secret_rotation" "mysql" {
  secret_id          = aws_db_instance.mysql.master_user_secret[0].secret_arn
  rotate_immediately = false
  rotation_rules {
    automatically_after_days = var.mysql.master_password_rotated_days
  }
}

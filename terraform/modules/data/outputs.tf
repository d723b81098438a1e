output "mysql_identifier" {
  description = "Identifier of the instance, for alarms."
  value       = aws_db_instance.mysql.identifier
}

output "mysql_host" {
  description = "Host of MySQL."
  value       = aws_db_instance.mysql.address
}

output "mysql_port" {
  description = "Port of MySQL."
  value       = 3306
}

output "mysql_admin_secret_arn" {
  description = "The secret in which RDS keeps the administrator's password."
  value       = aws_db_instance.mysql.master_user_secret[0].secret_arn
}

output "kafka_cluster_name" {
  description = "Name of the MSK cluster; empty without one."
  value       = var.kafka == null ? "" : aws_msk_cluster.this["on"].cluster_name
}

output "kafka_brokers" {
  description = "Bootstrap servers (SASL_SSL, SCRAM-SHA-512, 9096); empty without MSK."
  value       = var.kafka == null ? "" : aws_msk_cluster.this["on"].bootstrap_brokers_sasl_scram
}

output "kafka_secret_name" {
  description = "The secret of MSK's user; empty without MSK."
  value       = var.kafka == null ? "" : aws_secretsmanager_secret.kafka["on"].name
}

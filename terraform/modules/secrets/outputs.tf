output "arns" {
  description = "ARN by name: database, application, jwt, first-admin."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }
}

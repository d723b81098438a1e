output "role_arns" {
  description = "ARN by name: external-secrets, load-balancer-controller, ebs-csi, alertmanager."
  value       = { for name, role in aws_iam_role.this : name => role.arn }
}

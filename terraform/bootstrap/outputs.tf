output "state_bucket" {
  description = "For -backend-config=\"bucket=…\"."
  value       = aws_s3_bucket.state.id
}

output "region" {
  description = "For -backend-config=\"region=…\", and the variable AWS_REGION of this account's environments on GitHub."
  value       = var.region
}

output "account_id" {
  description = "The variable AWS_ACCOUNT_ID of this account's environments on GitHub."
  value       = local.account_id
}

output "registry" {
  description = "Where images come from: the variable registry of other accounts; its account and region are GitHub's REGISTRY_ACCOUNT_ID and REGISTRY_REGION."
  value       = local.registry_host
}

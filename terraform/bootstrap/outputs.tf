output "state_bucket" {
  description = "For -backend-config=\"bucket=…\"."
  value       = aws_s3_bucket.state.id
}

output "region" {
  description = "For -backend-config=\"region=…\", and GitHub's variable AWS_REGION."
  value       = var.region
}

output "account_id" {
  description = "GitHub's variable AWS_ACCOUNT_ID."
  value       = local.account_id
}

output "registry" {
  description = "Where images are pushed to."
  value       = "${local.account_id}.dkr.ecr.${var.region}.amazonaws.com"
}

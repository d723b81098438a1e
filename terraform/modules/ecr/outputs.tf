output "repository_arns" {
  description = "What the push role may write to."
  value       = [for r in aws_ecr_repository.this : r.arn]
}

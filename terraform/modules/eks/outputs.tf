output "cluster_name" {
  description = "Name of the cluster."
  value       = aws_eks_cluster.this.name
}

output "endpoint" {
  description = "The API server."
  value       = aws_eks_cluster.this.endpoint
}

output "api_allowed_security_group_ids" {
  description = "Who in the VPC, but not in the cluster, reaches the API server."
  value       = toset([for rule in aws_vpc_security_group_ingress_rule.api : rule.referenced_security_group_id])
}

output "cluster_security_group_id" {
  description = "The group that nodes and control plane share: who may speak with the data."
  value       = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
}

output "oidc_provider_arn" {
  description = "For the trust of IRSA roles."
  value       = aws_iam_openid_connect_provider.this.arn
}

output "oidc_issuer" {
  description = "The issuer's URL without https://, as conditions name it."
  value       = trimprefix(aws_eks_cluster.this.identity[0].oidc[0].issuer, "https://")
}

output "node_architecture" {
  description = "arm64 or amd64: which images must exist."
  value       = var.nodes.architecture
}

output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "cidr" {
  description = "Its addresses."
  value       = var.cidr
}

output "public_subnet_ids" {
  description = "Subnets of the load balancers, in the order of the zones."
  value       = [for az in var.azs : aws_subnet.public[az].id]
}

output "public_subnet_cidrs" {
  description = "Addresses of the load balancers: who may speak with the programs from outside."
  value       = [for az in var.azs : aws_subnet.public[az].cidr_block]
}

output "private_subnet_ids" {
  description = "Subnets of nodes and pods."
  value       = [for az in var.azs : aws_subnet.private[az].id]
}

output "private_subnet_cidrs" {
  description = "Addresses of nodes and pods: who may speak with the data."
  value       = [for az in var.azs : aws_subnet.private[az].cidr_block]
}

output "data_subnet_ids" {
  description = "Subnets of RDS and MSK."
  value       = [for az in var.azs : aws_subnet.data[az].id]
}

output "data_subnet_cidrs" {
  description = "Addresses of RDS and MSK, for the network policies of pods."
  value       = [for az in var.azs : aws_subnet.data[az].cidr_block]
}

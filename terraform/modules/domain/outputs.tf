output "domain" {
  description = "The public name."
  value       = var.domain
}

output "certificate_arn" {
  description = "The certificate, for the Ingress."
  value       = var.wait_for_certificate ? aws_acm_certificate_validation.this[0].certificate_arn : aws_acm_certificate.this.arn
}

output "zone_id" {
  description = "The hosted zone."
  value       = local.zone_id
}

output "name_servers" {
  description = "What the parent of a new zone has to name; empty for a zone that was there."
  value       = var.zone_id == null ? aws_route53_zone.this[0].name_servers : []
}

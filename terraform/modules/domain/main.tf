# The public name and its certificate, proved by a record in the zone. The record that points at the load balancer is made
# by hand or by a tool in the cluster: the load balancer comes later, with the Ingress.

resource "aws_route53_zone" "this" {
  count = var.zone_id == null ? 1 : 0
  name  = var.domain
}

locals {
  zone_id = var.zone_id == null ? aws_route53_zone.this[0].zone_id : var.zone_id
}

resource "aws_acm_certificate" "this" {
  domain_name       = var.domain
  validation_method = "DNS"
  key_algorithm     = "EC_prime256v1"
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "validation" {
  # By the name, which is known before the certificate is: one domain means one record.
  for_each        = toset([var.domain])
  zone_id         = local.zone_id
  name            = one([for o in aws_acm_certificate.this.domain_validation_options : o.resource_record_name if o.domain_name == each.key])
  type            = one([for o in aws_acm_certificate.this.domain_validation_options : o.resource_record_type if o.domain_name == each.key])
  records         = [one([for o in aws_acm_certificate.this.domain_validation_options : o.resource_record_value if o.domain_name == each.key])]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "this" {
  count                   = var.wait_for_certificate ? 1 : 0
  certificate_arn         = aws_acm_certificate.this.arn
  validation_record_fqdns = [for r in aws_route53_record.validation : r.fqdn]
}

# The only authorities that may issue for the name. Only in a zone of our own: in another's the record may be there.
resource "aws_route53_record" "caa" {
  count   = var.zone_id == null ? 1 : 0
  zone_id = local.zone_id
  name    = var.domain
  type    = "CAA"
  ttl     = 3600
  records = ["0 issue \"amazon.com\"", "0 issuewild \";\""]
}

mock_provider "aws" {
  mock_resource "aws_acm_certificate" {
    defaults = {
      arn = "arn:aws:acm:ap-south-1:123456789012:certificate/11111111-1111-4111-8111-111111111111"
      domain_validation_options = [{
        domain_name           = "praxis.example"
        resource_record_name  = "_a.praxis.example."
        resource_record_type  = "CNAME"
        resource_record_value = "_b.acm-validations.aws."
      }]
    }
  }
  mock_resource "aws_route53_zone" {
    defaults = { zone_id = "ZNEW", name_servers = ["ns-1.example", "ns-2.example"] }
  }
}

variables {
  domain = "praxis.example"
}

run "a_new_zone_proves_the_certificate" {
  assert {
    condition     = aws_acm_certificate.this.validation_method == "DNS" && aws_acm_certificate.this.domain_name == "praxis.example"
    error_message = "the certificate is for the public name, and renews itself by DNS"
  }
  assert {
    condition = (
      aws_route53_record.validation["praxis.example"].name == "_a.praxis.example." &&
      aws_route53_record.validation["praxis.example"].type == "CNAME" &&
      aws_route53_record.validation["praxis.example"].zone_id == "ZNEW"
    )
    error_message = "the proof must be in the zone"
  }
  assert {
    condition     = length(output.name_servers) == 2
    error_message = "the parent has to be told the servers of a new zone"
  }
  assert {
    condition     = contains(aws_route53_record.caa[0].records, "0 issue \"amazon.com\"") && length(aws_route53_record.caa[0].records) == 2
    error_message = "nobody but Amazon may issue for the name"
  }
}

run "a_zone_that_is_there_is_used" {
  variables {
    zone_id = "ZOLD"
  }
  assert {
    condition     = length(aws_route53_zone.this) == 0 && length(aws_route53_record.caa) == 0
    error_message = "in somebody else's zone only the proof is written"
  }
  assert {
    condition     = aws_route53_record.validation["praxis.example"].zone_id == "ZOLD"
    error_message = "the proof must be in the zone that was named"
  }
}

run "the_first_apply_need_not_wait" {
  variables {
    wait_for_certificate = false
  }
  assert {
    condition     = length(aws_acm_certificate_validation.this) == 0 && output.certificate_arn == aws_acm_certificate.this.arn
    error_message = "without waiting the certificate is named as it is"
  }
}

run "an_address_is_no_name" {
  command = plan
  variables {
    domain = "https://praxis.example"
  }
  expect_failures = [var.domain]
}

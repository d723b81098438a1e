mock_provider "aws" {}

variables {
  environment = "dev"
  key_arn     = "arn:aws:kms:ap-south-1:123456789012:key/11111111-1111-4111-8111-111111111111"
}

run "the_four_secrets_have_their_names" {
  command = plan
  assert {
    condition = toset([for s in aws_secretsmanager_secret.this : s.name]) == toset([
      "praxis/dev/database", "praxis/dev/application", "praxis/dev/jwt", "praxis/dev/first-admin",
    ])
    error_message = "ADR 40 names four secrets"
  }
}

run "they_are_under_our_key_and_can_be_taken_back" {
  command = plan
  assert {
    condition     = alltrue([for s in aws_secretsmanager_secret.this : s.kms_key_id == var.key_arn && s.recovery_window_in_days == 30])
    error_message = "every secret must be under our key, and be there for 30 days after its deletion"
  }
}

run "deleting_at_once_is_refused" {
  command = plan
  variables {
    recovery_window_in_days = 0
  }
  expect_failures = [var.recovery_window_in_days]
}

run "an_unknown_environment_is_refused" {
  command = plan
  variables {
    environment = "test"
  }
  expect_failures = [var.environment]
}

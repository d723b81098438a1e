mock_provider "aws" {}

variables {
  name        = "praxis-test-logs"
  description = "test"
  account_id  = "123456789012"
  region      = "ap-south-1"
}

run "a_key_rotates_and_can_be_taken_back" {
  command = plan

  assert {
    condition     = aws_kms_key.this.enable_key_rotation && aws_kms_key.this.deletion_window_in_days == 30
    error_message = "the key must rotate and keep 30 days before it is gone"
  }
  assert {
    condition     = toset(jsondecode(aws_kms_key.this.policy).Statement[*].Sid) == toset(["Account"])
    error_message = "without services only the account may use the key"
  }
  assert {
    condition     = jsondecode(aws_kms_key.this.policy).Statement[0].Principal.AWS == "arn:aws:iam::123456789012:root"
    error_message = "the account's own IAM must decide about the key, and nobody else's"
  }
}

run "a_service_uses_the_key_for_this_account_only" {
  command = plan
  variables {
    services = ["logs", "alarms"]
  }

  assert {
    condition     = toset(jsondecode(aws_kms_key.this.policy).Statement[*].Sid) == toset(["Account", "CloudWatchAlarms", "CloudWatchLogs"])
    error_message = "exactly the named services get a statement"
  }
  assert {
    condition = alltrue([
      for s in jsondecode(aws_kms_key.this.policy).Statement :
      strcontains(jsonencode(s.Condition), "123456789012") if s.Sid != "Account"
    ])
    error_message = "a service's statement must name the account, or any account's logs could use the key"
  }
}

run "an_unknown_service_is_refused" {
  command = plan
  variables {
    services = ["s3"]
  }
  expect_failures = [var.services]
}

run "a_short_deletion_window_is_refused" {
  command = plan
  variables {
    deletion_window_in_days = 1
  }
  expect_failures = [var.deletion_window_in_days]
}

mock_provider "aws" {}

variables {
  key_arn = "arn:aws:kms:ap-south-1:123456789012:key/11111111-1111-4111-8111-111111111111"
}

run "there_is_a_repository_per_program" {
  command = plan
  assert {
    condition     = toset(keys(aws_ecr_repository.this)) == toset(["praxis/command-api", "praxis/query-api", "praxis/projector", "praxis/praxis"])
    error_message = "ADR 40 names four repositories"
  }
}

run "a_tag_is_written_once_but_for_the_branch" {
  command = plan
  assert {
    condition = alltrue([
      for r in aws_ecr_repository.this :
      r.image_tag_mutability == "IMMUTABLE_WITH_EXCLUSION" && r.image_tag_mutability_exclusion_filter[*].filter == tolist(["main"])
    ])
    error_message = "every tag but main must be immutable"
  }
}

run "layers_are_scanned_and_encrypted_with_our_key" {
  command = plan
  assert {
    condition     = alltrue([for r in aws_ecr_repository.this : r.image_scanning_configuration[0].scan_on_push])
    error_message = "every push must be scanned"
  }
  assert {
    condition     = alltrue([for r in aws_ecr_repository.this : r.encryption_configuration[0].kms_key == var.key_arn])
    error_message = "layers must be encrypted with our key"
  }
}

run "releases_are_kept_before_anything_expires" {
  command = plan
  assert {
    condition = alltrue([
      for p in aws_ecr_lifecycle_policy.this :
      jsondecode(p.policy).rules[0].selection.tagPatternList == ["v*"] && jsondecode(p.policy).rules[0].selection.countNumber == 100
    ])
    error_message = "the first rule must be the one of releases: it takes them out of reach of the others"
  }
  assert {
    condition = alltrue(flatten([
      for p in aws_ecr_lifecycle_policy.this : [
        for r in jsondecode(p.policy).rules : r.selection.countType == "imageCountMoreThan" if r.selection.tagStatus == "tagged"
      ]
    ]))
    error_message = "a tagged image must never expire by its age alone"
  }
}

# Platforms of an image and its signature have no tag.
run "nothing_without_a_tag_expires" {
  command = plan
  assert {
    condition = alltrue(flatten([
      for p in aws_ecr_lifecycle_policy.this : [for r in jsondecode(p.policy).rules : r.selection.tagStatus == "tagged"]
    ]))
    error_message = "a signature that expired is a deployment, or a way back, that is refused"
  }
}

run "other_accounts_pull_only_if_named" {
  command = plan
  assert {
    condition     = length(aws_ecr_repository_policy.pull) == 0
    error_message = "without other accounts there is no policy"
  }
}

run "a_named_account_pulls_and_does_nothing_else" {
  command = plan
  variables {
    pull_account_ids = ["210987654321"]
  }
  assert {
    condition = length(aws_ecr_repository_policy.pull) == 4 && alltrue([
      for p in aws_ecr_repository_policy.pull :
      jsondecode(p.policy).Statement[0].Principal.AWS == ["arn:aws:iam::210987654321:root"] &&
      jsondecode(p.policy).Statement[0].Condition.ArnLike["aws:PrincipalArn"] == ["arn:aws:iam::210987654321:role/praxis-*"] &&
      toset(jsondecode(p.policy).Statement[0].Action) == toset(["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"])
    ])
    error_message = "roles of praxis in that account read every repository, and nobody writes"
  }
}

run "what_is_no_account_is_refused" {
  command = plan
  variables {
    pull_account_ids = ["*"]
  }
  expect_failures = [var.pull_account_ids]
}

run "a_repository_of_others_is_refused" {
  command = plan
  variables {
    repositories = ["web"]
  }
  expect_failures = [var.repositories]
}

run "a_release_that_moves_is_refused" {
  command = plan
  variables {
    moving_tags = ["v*"]
  }
  expect_failures = [var.moving_tags]
}

run "too_few_releases_are_refused" {
  command = plan
  variables {
    releases_kept = 1
  }
  expect_failures = [var.releases_kept]
}

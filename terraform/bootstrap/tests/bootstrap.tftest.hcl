# Plans only: the bucket may not be destroyed, not even by the end of a test.
mock_provider "aws" {
  override_during = plan
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:ap-south-1:123456789012:key/11111111-1111-4111-8111-111111111111" }
  }
}

variables {
  github_repository = "praxis-example/praxis"
  environments      = ["dev", "stage", "prod"]
}

run "the_state_is_kept_and_for_nobody_else" {
  command = plan
  assert {
    condition     = aws_s3_bucket.state.bucket == "praxis-123456789012-terraform-state"
    error_message = "ADR 40 names the bucket"
  }
  assert {
    condition     = aws_s3_bucket_versioning.state.versioning_configuration[0].status == "Enabled"
    error_message = "an earlier state must be there to go back to"
  }
  assert {
    condition = alltrue([
      for s in [one(aws_s3_bucket_server_side_encryption_configuration.state.rule).apply_server_side_encryption_by_default[0]] :
      s.sse_algorithm == "aws:kms" && s.kms_master_key_id == module.state_key.arn
    ])
    error_message = "the state must be under our key"
  }
  assert {
    condition = (
      aws_s3_bucket_public_access_block.state.block_public_acls && aws_s3_bucket_public_access_block.state.block_public_policy &&
      aws_s3_bucket_public_access_block.state.ignore_public_acls && aws_s3_bucket_public_access_block.state.restrict_public_buckets
    )
    error_message = "all four public ways must be closed"
  }
  assert {
    condition = (
      jsondecode(aws_s3_bucket_policy.state.policy).Statement[0].Effect == "Deny" &&
      jsondecode(aws_s3_bucket_policy.state.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
    )
    error_message = "without TLS there is no access"
  }
}

run "the_account_encrypts_volumes_and_closes_buckets" {
  command = plan
  assert {
    condition     = aws_ebs_encryption_by_default.this.enabled && aws_s3_account_public_access_block.this.block_public_policy
    error_message = "volumes that the EBS driver makes are encrypted by this switch only"
  }
}

run "images_come_from_main_and_releases_only" {
  command = plan
  assert {
    condition = jsondecode(aws_iam_role.ecr[0].assume_role_policy).Statement[0].Condition.StringLike["token.actions.githubusercontent.com:sub"] == [
      "repo:praxis-example/praxis:ref:refs/heads/main", "repo:praxis-example/praxis:ref:refs/tags/v*",
    ]
    error_message = "no feature branch and no pull request may push an image"
  }
  assert {
    condition = alltrue([
      for a in flatten([for s in jsondecode(aws_iam_role_policy.ecr[0].policy).Statement : s.Action]) : !strcontains(a, "Delete") && !strcontains(a, "*")
    ])
    error_message = "who pushes must not be able to delete"
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.ecr[0].policy).Statement[1].Resource == "arn:aws:ecr:ap-south-1:123456789012:repository/praxis/*"
    error_message = "only praxis' repositories"
  }
}

run "every_role_asks_for_audience_and_repository" {
  command = plan
  assert {
    condition = alltrue([
      for r in concat(aws_iam_role.ecr, values(aws_iam_role.deploy), values(aws_iam_role.plan), values(aws_iam_role.apply)) :
      jsondecode(r.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com" &&
      alltrue([
        for s in jsondecode(r.assume_role_policy).Statement[0].Condition.StringLike["token.actions.githubusercontent.com:sub"] :
        startswith(s, "repo:praxis-example/praxis:") && !endswith(s, ":*")
      ])
    ])
    error_message = "a role must take tokens of this repository, of a named kind"
  }
}

run "a_deployment_needs_the_reviewers_and_changes_nothing" {
  command = plan
  assert {
    condition = alltrue([
      for env, r in aws_iam_role.deploy :
      jsondecode(r.assume_role_policy).Statement[0].Condition.StringLike["token.actions.githubusercontent.com:sub"] == ["repo:praxis-example/praxis:environment:${env}"]
    ])
    error_message = "only a job of the environment <env> may watch it"
  }
  assert {
    condition = alltrue([
      for p in aws_iam_role_policy.deploy :
      toset(flatten([for s in jsondecode(p.policy).Statement : s.Action])) == toset([
        "ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "eks:DescribeCluster",
      ])
    ])
    error_message = "a deployment is a commit: this role reads"
  }
}

run "an_apply_needs_the_reviewers" {
  command = plan
  assert {
    condition = alltrue([
      for env, r in aws_iam_role.apply :
      jsondecode(r.assume_role_policy).Statement[0].Condition.StringLike["token.actions.githubusercontent.com:sub"] == ["repo:praxis-example/praxis:environment:terraform-${env}"]
    ])
    error_message = "only a job of the environment terraform-<env> may apply it"
  }
  assert {
    condition     = toset([for r in aws_iam_role.apply : r.name]) == toset(["praxis-dev-github-terraform-apply", "praxis-stage-github-terraform-apply", "praxis-prod-github-terraform-apply"])
    error_message = "a role per environment"
  }
}

run "an_apply_cannot_give_more_than_the_boundary" {
  command = plan
  assert {
    condition = alltrue(flatten([
      for env, p in aws_iam_role_policy.apply : [
        for s in jsondecode(p.policy).Statement : s.Condition.StringEquals["iam:PermissionsBoundary"] == "arn:aws:iam::123456789012:policy/praxis-boundary-${env}"
        if s.Effect == "Allow" && length(setintersection(flatten([try(s.Action, [])]), ["iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutRolePermissionsBoundary"])) > 0
      ]
    ]))
    error_message = "every right to give rights must ask for the boundary"
  }
  assert {
    condition = alltrue([
      for p in aws_iam_role_policy.apply : length([
        for s in jsondecode(p.policy).Statement : s if s.Effect == "Allow" && length(setintersection(flatten([try(s.Action, [])]), ["iam:*", "*", "iam:DeleteRolePermissionsBoundary"])) > 0
      ]) == 0
    ])
    error_message = "nothing may take the boundary away"
  }
  assert {
    condition = alltrue([
      for p in aws_iam_role_policy.apply : one([
        for s in jsondecode(p.policy).Statement : s.Resource if try(s.Sid, "") == "NotGithubsRoles" && s.Effect == "Deny"
      ]) == ["arn:aws:iam::123456789012:role/praxis-github-*", "arn:aws:iam::123456789012:role/praxis-*-github-*"]
    ])
    error_message = "GitHub's roles, its own among them, must be out of reach"
  }
  assert {
    condition = alltrue([
      for env, p in aws_iam_policy.boundary : one([
        for s in jsondecode(p.policy).Statement : s.NotResource if s.Sid == "OwnSecretsOnly" && s.Effect == "Deny"
      ]) == "arn:aws:secretsmanager:*:123456789012:secret:praxis/${env}/*"
    ])
    error_message = "no role made for an environment may read another's secrets"
  }
}

run "no_role_of_github_reads_a_secret" {
  command = plan
  assert {
    condition = alltrue([
      for p in concat(values(aws_iam_role_policy.plan), values(aws_iam_role_policy.apply)) : length([
        for s in jsondecode(p.policy).Statement : s
        if s.Effect == "Deny" && try(contains(s.Action, "secretsmanager:GetSecretValue"), false) && try(s.Resource, "") == "*"
      ]) == 1
    ])
    error_message = "plan and apply must be denied the values of secrets"
  }
  assert {
    condition = alltrue([
      for env, p in aws_iam_role_policy.plan : one([for s in jsondecode(p.policy).Statement : s.NotResource if s.Sid == "NoOtherObject"]) == "arn:aws:s3:::praxis-123456789012-terraform-state/${env}/*"
    ])
    error_message = "a plan reads its own state and no other object"
  }
  assert {
    condition     = alltrue([for a in aws_iam_role_policy_attachment.plan : a.policy_arn == "arn:aws:iam::aws:policy/ReadOnlyAccess"])
    error_message = "a plan reads"
  }
}

run "an_apply_cannot_touch_another_state" {
  command = plan
  assert {
    condition = one([for s in jsondecode(aws_iam_role_policy.apply["dev"].policy).Statement : s.Resource if s.Sid == "NoOtherState"]) == [
      "arn:aws:s3:::praxis-123456789012-terraform-state/bootstrap/*",
      "arn:aws:s3:::praxis-123456789012-terraform-state/prod/*",
      "arn:aws:s3:::praxis-123456789012-terraform-state/stage/*",
    ]
    error_message = "dev's apply must be kept from the states of bootstrap, stage and prod"
  }
}

run "an_environment_cannot_change_an_image" {
  command = plan
  assert {
    condition = alltrue([
      for p in concat([for r in aws_iam_role_policy.apply : r.policy], [for b in aws_iam_policy.boundary : b.policy]) : anytrue([
        for s in jsondecode(p).Statement :
        s.Effect == "Deny" && try(s.Resource, "") == "arn:aws:ecr:ap-south-1:123456789012:repository/praxis/*" &&
        alltrue([for a in try(s.NotAction, ["ecr:*"]) : can(regex("^ecr:(BatchCheck|BatchGet|Describe|Get|List)", a))])
      ])
    ])
    error_message = "dev's apply, or a role of its making, must not publish what prod pulls"
  }
}

run "an_account_without_a_registry" {
  command = plan
  variables {
    registry     = "210987654321.dkr.ecr.eu-central-1.amazonaws.com"
    environments = ["prod"]
  }
  assert {
    condition     = length(aws_iam_role.ecr) == 0 && length(module.ecr) == 0 && toset(keys(aws_iam_role.apply)) == toset(["prod"])
    error_message = "prod's own account pulls and does not push"
  }
  assert {
    condition = one([
      for s in jsondecode(aws_iam_role_policy.deploy["prod"].policy).Statement : s.Resource if s.Sid == "Pull"
    ]) == "arn:aws:ecr:eu-central-1:210987654321:repository/praxis/*"
    error_message = "a deployment verifies images where they are, in the other account and its region"
  }
  assert {
    condition     = output.registry == "210987654321.dkr.ecr.eu-central-1.amazonaws.com"
    error_message = "the registry is the other account's"
  }
}

run "accounts_that_pull_are_said_where_the_registry_is" {
  command = plan
  variables {
    registry         = "210987654321.dkr.ecr.eu-central-1.amazonaws.com"
    pull_account_ids = ["123456789012"]
  }
  expect_failures = [var.pull_account_ids]
}

run "a_registry_that_is_no_host_is_refused" {
  command = plan
  variables {
    registry = "210987654321"
  }
  expect_failures = [var.registry]
}

run "a_plan_is_taken_by_its_own_environment_only" {
  command = plan
  assert {
    condition = alltrue([
      for env, r in aws_iam_role.plan :
      jsondecode(r.assume_role_policy).Statement[0].Condition.StringLike["token.actions.githubusercontent.com:sub"] == ["repo:praxis-example/praxis:environment:terraform-${env}-plan"]
    ])
    error_message = "a plan's role reads nearly everything: no other job of the repository may take it"
  }
}

# module.registry_key and module.state_key have one ARN under these mocks: two in the list are both.
run "no_environment_can_lose_a_key_of_the_account" {
  command = plan
  assert {
    condition = alltrue([
      for p in concat([for r in aws_iam_role_policy.apply : r.policy], [for b in aws_iam_policy.boundary : b.policy]) : anytrue([
        for s in jsondecode(p).Statement :
        s.Effect == "Deny" && contains(flatten([try(s.Action, [])]), "kms:ScheduleKeyDeletion") && length(flatten([try(s.Resource, [])])) == 2
      ])
    ])
    error_message = "dev's apply, or a role of its making, must not make every state or image unreadable"
  }
}

run "a_pattern_of_repositories_is_refused" {
  command = plan
  variables {
    github_repository = "praxis-example/*"
  }
  expect_failures = [var.github_repository]
}

run "a_repository_may_be_named_with_its_numbers" {
  command = plan
  variables {
    github_repository = "praxis-example@123456/praxis@456789"
  }
  assert {
    condition = alltrue([
      for env, r in aws_iam_role.deploy :
      jsondecode(r.assume_role_policy).Statement[0].Condition.StringLike["token.actions.githubusercontent.com:sub"] == ["repo:praxis-example@123456/praxis@456789:environment:${env}"]
    ])
    error_message = "repositories made since July 2026 have both numbers in the subject of their tokens"
  }
}

run "half_a_pair_of_numbers_is_refused" {
  command = plan
  variables {
    github_repository = "praxis-example/praxis@456789"
  }
  expect_failures = [var.github_repository]
}

run "an_unknown_environment_is_refused" {
  command = plan
  variables {
    environments = ["test"]
  }
  expect_failures = [var.environments]
}

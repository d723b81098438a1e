# GitHub's way in: no key is kept there. A workflow shows a token that says repository, branch or environment; each role
# below takes exactly the tokens it is for.

resource "aws_iam_openid_connect_provider" "github" {
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

locals {
  github       = "token.actions.githubusercontent.com"
  provider_arn = "arn:aws:iam::${local.account_id}:oidc-provider/${local.github}"
  # <account>.dkr.ecr.<region>.amazonaws.com
  registry_host = coalesce(var.registry, "${local.account_id}.dkr.ecr.${var.region}.amazonaws.com")
  registry      = "arn:aws:ecr:${split(".", local.registry_host)[3]}:${split(".", local.registry_host)[0]}:repository/praxis/*"

  # For who may do nearly everything in an environment: what the others run comes from the same registry.
  registry_is_read_only = {
    Sid       = "RegistryIsReadOnly"
    Effect    = "Deny"
    NotAction = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGet*", "ecr:Describe*", "ecr:Get*", "ecr:List*"]
    Resource  = local.registry
  }

  # Who may take which role: the end of the token's subject. Only the tags of releases need a pattern. A job of a GitHub
  # environment has its name as subject, whatever the branch: the environment says which branches, and asks its reviewers.
  # scripts/infra-check/trust_check.py holds the workflows to this file.
  subjects = merge([
    for env in var.environments : {
      for role, subjects in jsondecode(file("${path.module}/trust.json")) :
      replace(role, "<env>", env) => [for s in subjects : replace(s, "<env>", env)]
    }
  ]...)
  # Without these keys nothing that they encrypted can be read again: the states, and every image.
  loses_a_key  = ["kms:DisableKey", "kms:PutKeyPolicy", "kms:RetireGrant", "kms:RevokeGrant", "kms:ScheduleKeyDeletion"]
  account_keys = concat([module.state_key.arn], [for key in module.registry_key : key.arn])
  trust = {
    for role, subjects in local.subjects : role => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Effect    = "Allow"
        Principal = { Federated = local.provider_arn }
        Action    = "sts:AssumeRoleWithWebIdentity"
        Condition = {
          StringEquals = { "${local.github}:aud" = "sts.amazonaws.com" }
          StringLike   = { "${local.github}:sub" = [for s in subjects : "repo:${var.github_repository}:${s}"] }
        }
      }]
    })
  }
}

# Images: pushed from main and from releases.

resource "aws_iam_role" "ecr" {
  count                = var.registry == null ? 1 : 0
  name                 = "praxis-github-ecr"
  description          = "GitHub: push images from main and from tags of releases"
  max_session_duration = 3600
  assume_role_policy   = local.trust["praxis-github-ecr"]
  depends_on           = [aws_iam_openid_connect_provider.github]
}

resource "aws_iam_role_policy" "ecr" {
  count = var.registry == null ? 1 : 0
  name  = "push"
  role  = aws_iam_role.ecr[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "LogIn"
        Effect   = "Allow"
        Action   = "ecr:GetAuthorizationToken"
        Resource = "*"
      },
      {
        # Nothing that deletes: what was published stays until the lifecycle policy says otherwise.
        Sid    = "PushAndPull"
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:DescribeImages",
          "ecr:DescribeImageScanFindings", "ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload", "ecr:ListImages",
          "ecr:PutImage", "ecr:UploadLayerPart",
        ]
        Resource = local.registry
      },
    ]
  })
}

# Deployments: find the images, and watch Argo CD bring them. What runs is said in Git; this role can change nothing. In
# the cluster it is in the group praxis:deployers (modules/eks), which reads Applications.

resource "aws_iam_role" "deploy" {
  for_each             = var.environments
  name                 = "praxis-${each.key}-github-deploy"
  description          = "GitHub: watch a deployment to ${each.key}"
  max_session_duration = 5400
  assume_role_policy   = local.trust["praxis-${each.key}-github-deploy"]
  depends_on           = [aws_iam_openid_connect_provider.github]
}

resource "aws_iam_role_policy" "deploy" {
  for_each = var.environments
  name     = "watch"
  role     = aws_iam_role.deploy[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "LogIn"
        Effect   = "Allow"
        Action   = "ecr:GetAuthorizationToken"
        Resource = "*"
      },
      {
        Sid      = "Pull"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = local.registry
      },
      {
        Sid      = "FindTheCluster"
        Effect   = "Allow"
        Action   = "eks:DescribeCluster"
        Resource = "arn:aws:eks:${var.region}:${local.account_id}:cluster/praxis-${each.key}"
      },
    ]
  })
}

# Plans: read what is there, and nothing of what is in it.

resource "aws_iam_role" "plan" {
  for_each             = var.environments
  name                 = "praxis-${each.key}-github-terraform-plan"
  description          = "GitHub: plan changes of ${each.key}"
  max_session_duration = 3600
  assume_role_policy   = local.trust["praxis-${each.key}-github-terraform-plan"]
  depends_on           = [aws_iam_openid_connect_provider.github]
}

resource "aws_iam_role_policy_attachment" "plan" {
  for_each   = var.environments
  role       = aws_iam_role.plan[each.key].name
  policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}

resource "aws_iam_role_policy" "plan" {
  for_each = var.environments
  name     = "state"
  role     = aws_iam_role.plan[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "DecryptTheState"
        Effect   = "Allow"
        Action   = "kms:Decrypt"
        Resource = module.state_key.arn
      },
      {
        # ReadOnlyAccess reads any object; a plan, which any pull request makes, reads its own state.
        Sid         = "NoOtherObject"
        Effect      = "Deny"
        Action      = ["s3:GetObject", "s3:GetObjectVersion"]
        NotResource = "${local.bucket_arn}/${each.key}/*"
      },
      {
        Sid    = "NoContent"
        Effect = "Deny"
        Action = [
          "secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue", "logs:GetLogEvents", "logs:FilterLogEvents",
          "logs:StartQuery", "logs:StartLiveTail", "rds:DownloadDBLogFilePortion", "rds:DownloadCompleteDBLogFile",
        ]
        Resource = "*"
      },
    ]
  })
}

# Applies. Who may apply an environment may do nearly everything in its account: hence the reviewers, and hence an account
# of its own for prod. What it may not do: read a secret, touch an image, another environment's state or GitHub's roles, or make a
# role that may more than the boundary.

resource "aws_iam_policy" "boundary" {
  for_each    = var.environments
  name        = "praxis-boundary-${each.key}"
  description = "The most that a role made by Terraform in ${each.key} may do"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "NoIdentities"
        Effect    = "Allow"
        NotAction = ["iam:*", "organizations:*", "account:*"]
        Resource  = "*"
      },
      {
        # The load balancer controller's and the cluster's own needs.
        Sid      = "ServiceLinkedRolesAndCertificates"
        Effect   = "Allow"
        Action   = ["iam:CreateServiceLinkedRole", "iam:GetServerCertificate", "iam:ListServerCertificates", "iam:ListAttachedRolePolicies", "iam:GetRole"]
        Resource = "*"
      },
      {
        Sid         = "OwnSecretsOnly"
        Effect      = "Deny"
        Action      = ["secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue"]
        NotResource = "arn:aws:secretsmanager:*:${local.account_id}:secret:praxis/${each.key}/*"
      },
      {
        Sid      = "NoState"
        Effect   = "Deny"
        Action   = "s3:*"
        Resource = [local.bucket_arn, "${local.bucket_arn}/*"]
      },
      {
        Sid      = "NotTheAccountsKeys"
        Effect   = "Deny"
        Action   = local.loses_a_key
        Resource = local.account_keys
      },
      local.registry_is_read_only,
    ]
  })
}

resource "aws_iam_role" "apply" {
  for_each    = var.environments
  name        = "praxis-${each.key}-github-terraform-apply"
  description = "GitHub: apply ${each.key}, after the reviewers of the environment terraform-${each.key}"
  # MSK takes up to an hour to be made.
  max_session_duration = 7200
  assume_role_policy   = local.trust["praxis-${each.key}-github-terraform-apply"]
  depends_on           = [aws_iam_openid_connect_provider.github]
}

resource "aws_iam_role_policy_attachment" "apply" {
  for_each   = var.environments
  role       = aws_iam_role.apply[each.key].name
  policy_arn = "arn:aws:iam::aws:policy/PowerUserAccess"
}

resource "aws_iam_role_policy" "apply" {
  for_each = var.environments
  name     = "roles-within-the-boundary"
  role     = aws_iam_role.apply[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Look"
        Effect   = "Allow"
        Action   = ["iam:Get*", "iam:List*"]
        Resource = "*"
      },
      {
        Sid    = "GiveRightsWithinTheBoundary"
        Effect = "Allow"
        Action = [
          "iam:CreateRole", "iam:AttachRolePolicy", "iam:DetachRolePolicy", "iam:PutRolePolicy", "iam:DeleteRolePolicy",
          "iam:PutRolePermissionsBoundary",
        ]
        Resource  = "arn:aws:iam::${local.account_id}:role/praxis-${each.key}-*"
        Condition = { StringEquals = { "iam:PermissionsBoundary" = "arn:aws:iam::${local.account_id}:policy/praxis-boundary-${each.key}" } }
      },
      {
        Sid    = "HandleOwnRoles"
        Effect = "Allow"
        Action = [
          "iam:DeleteRole", "iam:PassRole", "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole",
          "iam:UpdateRoleDescription",
        ]
        Resource = "arn:aws:iam::${local.account_id}:role/praxis-${each.key}-*"
      },
      {
        Sid    = "HandleOwnPolicies"
        Effect = "Allow"
        Action = [
          "iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion",
          "iam:SetDefaultPolicyVersion", "iam:TagPolicy", "iam:UntagPolicy",
        ]
        Resource = "arn:aws:iam::${local.account_id}:policy/praxis-${each.key}-*"
      },
      {
        Sid    = "HandleClusterIssuers"
        Effect = "Allow"
        Action = [
          "iam:AddClientIDToOpenIDConnectProvider", "iam:CreateOpenIDConnectProvider", "iam:DeleteOpenIDConnectProvider",
          "iam:RemoveClientIDFromOpenIDConnectProvider", "iam:TagOpenIDConnectProvider", "iam:UntagOpenIDConnectProvider",
          "iam:UpdateOpenIDConnectProviderThumbprint",
        ]
        Resource = "arn:aws:iam::${local.account_id}:oidc-provider/oidc.eks.*"
      },
      {
        # praxis-<env>-* would cover this very role.
        Sid       = "NotGithubsRoles"
        Effect    = "Deny"
        NotAction = ["iam:Get*", "iam:List*"]
        Resource  = ["arn:aws:iam::${local.account_id}:role/praxis-github-*", "arn:aws:iam::${local.account_id}:role/praxis-*-github-*"]
      },
      {
        # The value of a secret is never Terraform's business.
        Sid      = "NoSecret"
        Effect   = "Deny"
        Action   = ["secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue"]
        Resource = "*"
      },
      {
        Sid      = "NoOtherState"
        Effect   = "Deny"
        Action   = "s3:*"
        Resource = [for other in sort(setsubtract(["bootstrap", "dev", "stage", "prod"], [each.key])) : "${local.bucket_arn}/${other}/*"]
      },
      local.registry_is_read_only,
      {
        Sid    = "NotTheBucket"
        Effect = "Deny"
        Action = [
          "s3:DeleteBucket*", "s3:PutBucket*", "s3:PutEncryptionConfiguration", "s3:PutLifecycleConfiguration",
          "s3:DeleteObjectVersion",
        ]
        Resource = [local.bucket_arn, "${local.bucket_arn}/*"]
      },
      {
        Sid      = "NotTheAccountsKeys"
        Effect   = "Deny"
        Action   = local.loses_a_key
        Resource = local.account_keys
      },
    ]
  })
}

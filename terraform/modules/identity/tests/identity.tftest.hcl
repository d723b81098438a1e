mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mock" }
  }
  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/mock" }
  }
}

variables {
  name                     = "praxis-dev"
  environment              = "dev"
  region                   = "ap-south-1"
  account_id               = "123456789012"
  cluster_name             = "praxis-dev"
  oidc_provider_arn        = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.ap-south-1.amazonaws.com/id/0123456789ABCDEF"
  oidc_issuer              = "oidc.eks.ap-south-1.amazonaws.com/id/0123456789ABCDEF"
  secrets_key_arn          = "arn:aws:kms:ap-south-1:123456789012:key/11111111-1111-4111-8111-111111111111"
  alert_topic_arns         = ["arn:aws:sns:ap-south-1:123456789012:praxis-dev-alarms", "arn:aws:sns:ap-south-1:123456789012:praxis-dev-heartbeat"]
  alarms_key_arn           = "arn:aws:kms:ap-south-1:123456789012:key/22222222-2222-4222-8222-222222222222"
  permissions_boundary_arn = "arn:aws:iam::123456789012:policy/praxis-boundary-dev"
}

run "the_roles_have_their_names_and_their_boundary" {
  assert {
    condition = toset([for r in aws_iam_role.this : r.name]) == toset([
      "praxis-dev-external-secrets", "praxis-dev-load-balancer-controller", "praxis-dev-ebs-csi", "praxis-dev-alertmanager",
    ])
    error_message = "ADR 40 names four roles"
  }
  assert {
    condition     = alltrue([for r in aws_iam_role.this : r.permissions_boundary == var.permissions_boundary_arn])
    error_message = "every role is made within the boundary"
  }
}

run "by_irsa_a_role_trusts_one_service_account_exactly" {
  assert {
    condition = (
      jsondecode(aws_iam_role.this["external-secrets"].assume_role_policy).Statement[0].Condition.StringEquals["oidc.eks.ap-south-1.amazonaws.com/id/0123456789ABCDEF:sub"]
      == "system:serviceaccount:external-secrets:external-secrets"
    )
    error_message = "external-secrets may be taken by its own service account only"
  }
  assert {
    condition     = alltrue([for r in aws_iam_role.this : keys(jsondecode(r.assume_role_policy).Statement[0].Condition) == ["StringEquals"]])
    error_message = "a pattern (StringLike) must have no place in a trust policy"
  }
  assert {
    condition = alltrue([
      for r in aws_iam_role.this :
      contains(values(jsondecode(r.assume_role_policy).Statement[0].Condition.StringEquals), "sts.amazonaws.com")
    ])
    error_message = "the token must be made for STS"
  }
  assert {
    condition     = length(aws_eks_pod_identity_association.this) == 0
    error_message = "with IRSA there is no association"
  }
}

run "by_pod_identity_a_role_trusts_one_service_account_exactly" {
  variables {
    pod_identity = true
  }
  assert {
    condition = alltrue([
      for r in aws_iam_role.this : jsondecode(r.assume_role_policy).Statement[0].Principal == { Service = "pods.eks.amazonaws.com" }
    ])
    error_message = "with Pod Identity no role may still trust the OIDC provider"
  }
  assert {
    condition = (
      jsondecode(aws_iam_role.this["load-balancer-controller"].assume_role_policy).Statement[0].Condition.StringEquals
      == {
        "aws:RequestTag/eks-cluster-name"           = "praxis-dev"
        "aws:RequestTag/kubernetes-namespace"       = "kube-system"
        "aws:RequestTag/kubernetes-service-account" = "aws-load-balancer-controller"
      }
    )
    error_message = "the role must ask for its cluster, namespace and service account"
  }
  assert {
    condition     = toset(keys(aws_eks_pod_identity_association.this)) == toset(["external-secrets", "load-balancer-controller", "alertmanager"])
    error_message = "three associations are made here; the EBS driver's comes with its add-on"
  }
}

run "external_secrets_reads_one_environment" {
  assert {
    condition = (
      jsondecode(aws_iam_role_policy.external_secrets.policy).Statement[0].Resource
      == "arn:aws:secretsmanager:ap-south-1:123456789012:secret:praxis/dev/*"
    )
    error_message = "dev must not read the secrets of prod, nor anything else in the account"
  }
  assert {
    condition = toset(flatten([for s in jsondecode(aws_iam_role_policy.external_secrets.policy).Statement : s.Action])) == toset([
      "secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret", "kms:Decrypt",
    ])
    error_message = "it reads and does nothing else"
  }
  assert {
    condition = (
      jsondecode(aws_iam_role_policy.external_secrets.policy).Statement[1].Resource == var.secrets_key_arn &&
      jsondecode(aws_iam_role_policy.external_secrets.policy).Statement[1].Condition.StringEquals["kms:ViaService"] == "secretsmanager.ap-south-1.amazonaws.com"
    )
    error_message = "the key may be used through Secrets Manager only"
  }
}

run "alertmanager_publishes_alarms_and_its_heartbeat" {
  assert {
    condition = (
      jsondecode(aws_iam_role.this["alertmanager"].assume_role_policy).Statement[0].Condition.StringEquals["oidc.eks.ap-south-1.amazonaws.com/id/0123456789ABCDEF:sub"]
      == "system:serviceaccount:monitoring:kube-prometheus-stack-alertmanager"
    )
    error_message = "the role is for the chart's service account"
  }
  assert {
    condition = (
      jsondecode(aws_iam_role_policy.alertmanager.policy).Statement[0].Action == ["sns:Publish"] &&
      jsonencode(jsondecode(aws_iam_role_policy.alertmanager.policy).Statement[0].Resource) == jsonencode(var.alert_topic_arns)
    )
    error_message = "it publishes to the topics of this environment and to no other"
  }
  assert {
    condition = (
      toset(jsondecode(aws_iam_role_policy.alertmanager.policy).Statement[1].Action) == toset(["kms:GenerateDataKey*", "kms:Decrypt"]) &&
      jsondecode(aws_iam_role_policy.alertmanager.policy).Statement[1].Resource == var.alarms_key_arn &&
      jsondecode(aws_iam_role_policy.alertmanager.policy).Statement[1].Condition.StringEquals["kms:ViaService"] == "sns.ap-south-1.amazonaws.com" &&
      length(jsondecode(aws_iam_role_policy.alertmanager.policy).Statement) == 2
    )
    error_message = "the key is that of the logs, too: it may be used through SNS only, and nothing else is allowed"
  }
}

run "the_controller_touches_load_balancers_of_its_own" {
  assert {
    condition = alltrue([
      for s in jsondecode(aws_iam_policy.load_balancer_controller.policy).Statement :
      can(s.Condition) if contains(s.Action, "elasticloadbalancing:DeleteLoadBalancer") || contains(s.Action, "ec2:DeleteSecurityGroup")
    ])
    error_message = "deleting must be tied to the controller's own tag"
  }
  assert {
    condition     = length(aws_iam_policy.load_balancer_controller.policy) <= 6144
    error_message = "a managed policy has 6144 characters at most"
  }
}

run "an_environment_that_is_a_pattern_is_refused" {
  command = plan
  variables {
    environment = "*"
  }
  expect_failures = [var.environment]
}

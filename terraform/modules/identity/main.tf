# The roles of pods, one per service account. Either the service account's token is the proof (IRSA), or the agent on the
# node gives it out (Pod Identity); a role trusts one of the two, never both.

locals {
  roles = {
    external-secrets = {
      namespace       = "external-secrets"
      service_account = "external-secrets"
    }
    load-balancer-controller = {
      namespace       = "kube-system"
      service_account = "aws-load-balancer-controller"
    }
    ebs-csi = {
      namespace       = "kube-system"
      service_account = "ebs-csi-controller-sa"
    }
    alertmanager = {
      namespace       = "monitoring"
      service_account = "kube-prometheus-stack-alertmanager"
    }
  }
  trust_irsa = {
    for name, role in local.roles : name => {
      Effect    = "Allow"
      Principal = { Federated = var.oidc_provider_arn }
      Action    = ["sts:AssumeRoleWithWebIdentity"]
      Condition = {
        StringEquals = {
          "${var.oidc_issuer}:aud" = "sts.amazonaws.com"
          "${var.oidc_issuer}:sub" = "system:serviceaccount:${role.namespace}:${role.service_account}"
        }
      }
    }
  }
  # EKS says in the session's tags whose pod it is; a role that ignored them could be associated with any service account.
  trust_pod_identity = {
    for name, role in local.roles : name => {
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Condition = {
        StringEquals = {
          "aws:RequestTag/eks-cluster-name"           = var.cluster_name
          "aws:RequestTag/kubernetes-namespace"       = role.namespace
          "aws:RequestTag/kubernetes-service-account" = role.service_account
        }
      }
    }
  }
}

resource "aws_iam_role" "this" {
  for_each             = local.roles
  name                 = "${var.name}-${each.key}"
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy = var.pod_identity ? jsonencode({
    Version   = "2012-10-17"
    Statement = [local.trust_pod_identity[each.key]]
    }) : jsonencode({
    Version   = "2012-10-17"
    Statement = [local.trust_irsa[each.key]]
  })
}

# The EBS driver's association is made by its add-on.
resource "aws_eks_pod_identity_association" "this" {
  for_each        = var.pod_identity ? { for name, role in local.roles : name => role if name != "ebs-csi" } : {}
  cluster_name    = var.cluster_name
  namespace       = each.value.namespace
  service_account = each.value.service_account
  role_arn        = aws_iam_role.this[each.key].arn
}

resource "aws_iam_role_policy" "external_secrets" {
  name = "read-secrets"
  role = aws_iam_role.this["external-secrets"].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "OneEnvironment"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
        Resource = "arn:aws:secretsmanager:${var.region}:${var.account_id}:secret:praxis/${var.environment}/*"
      },
      {
        Sid       = "ThroughSecretsManagerOnly"
        Effect    = "Allow"
        Action    = ["kms:Decrypt"]
        Resource  = var.secrets_key_arn
        Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${var.region}.amazonaws.com" } }
      },
    ]
  })
}

# Decrypt, too: SNS asks for both rights of whoever publishes to a topic that is encrypted.
resource "aws_iam_role_policy" "alertmanager" {
  name = "publish-alerts"
  role = aws_iam_role.this["alertmanager"].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "AlarmsAndHeartbeat"
        Effect   = "Allow"
        Action   = ["sns:Publish"]
        Resource = var.alert_topic_arns
      },
      {
        Sid       = "ThroughSnsOnly"
        Effect    = "Allow"
        Action    = ["kms:GenerateDataKey*", "kms:Decrypt"]
        Resource  = var.alarms_key_arn
        Condition = { StringEquals = { "kms:ViaService" = "sns.${var.region}.amazonaws.com" } }
      },
    ]
  })
}

# The controller's own document, unchanged but for its indentation: docs/install/iam_policy.json of
# kubernetes-sigs/aws-load-balancer-controller v3.5.0 (Apache-2.0). Take it anew when the chart's version changes.
# A policy of its own and no inline one: it is longer than half of what a role may hold inline.
resource "aws_iam_policy" "load_balancer_controller" {
  name        = "${var.name}-load-balancer-controller"
  description = "AWS Load Balancer Controller v3.5.0"
  policy      = jsonencode(jsondecode(file("${path.module}/load-balancer-controller.json")))
}

resource "aws_iam_role_policy_attachment" "load_balancer_controller" {
  role       = aws_iam_role.this["load-balancer-controller"].name
  policy_arn = aws_iam_policy.load_balancer_controller.arn
}

resource "aws_iam_role_policy_attachment" "ebs_csi" {
  role       = aws_iam_role.this["ebs-csi"].name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"
}

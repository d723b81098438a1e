mock_provider "aws" {
  mock_resource "aws_eks_cluster" {
    defaults = {
      arn      = "arn:aws:eks:ap-south-1:123456789012:cluster/praxis-test"
      identity = [{ oidc = [{ issuer = "https://oidc.eks.ap-south-1.amazonaws.com/id/0123456789ABCDEF" }] }]
      # What the cluster's own group is.
      vpc_config = { cluster_security_group_id = "sg-cluster" }
    }
  }
  mock_data "aws_eks_addon_version" {
    defaults = { version = "v9.9.9-eksbuild.9" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mock" }
  }
}

variables {
  name                     = "praxis-test"
  subnet_ids               = ["subnet-a", "subnet-b"]
  admins                   = { operators = "arn:aws:iam::123456789012:role/operators" }
  key_arn                  = "arn:aws:kms:ap-south-1:123456789012:key/11111111-1111-4111-8111-111111111111"
  logs_key_arn             = "arn:aws:kms:ap-south-1:123456789012:key/22222222-2222-4222-8222-222222222222"
  ebs_csi_role_arn         = "arn:aws:iam::123456789012:role/praxis-test-ebs-csi"
  permissions_boundary_arn = "arn:aws:iam::123456789012:policy/praxis-boundary-test"
  deletion_protection      = true
  nodes                    = { instance_types = ["t4g.large"], min = 2, desired = 3, max = 6 }
}

run "the_api_server_is_private_unless_networks_are_named" {
  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_public_access == false && aws_eks_cluster.this.vpc_config[0].endpoint_private_access
    error_message = "without api_allowed_cidrs the API server must have no public endpoint"
  }
}

run "named_networks_may_reach_the_api_server" {
  variables {
    api_allowed_cidrs = ["203.0.113.0/24"]
  }
  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_public_access && aws_eks_cluster.this.vpc_config[0].public_access_cidrs == toset(["203.0.113.0/24"])
    error_message = "only the named network may reach the public endpoint"
  }
}

run "named_groups_in_the_vpc_may_reach_the_api_server" {
  variables {
    api_allowed_security_group_ids = ["sg-0123456789abcdef0"]
  }
  assert {
    condition = [
      for r in aws_vpc_security_group_ingress_rule.api : [r.security_group_id, r.referenced_security_group_id, r.ip_protocol, r.from_port, r.to_port]
    ] == [["sg-cluster", "sg-0123456789abcdef0", "tcp", 443, 443]]
    error_message = "a runner in the VPC reaches the API server and nothing else"
  }
  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_public_access == false
    error_message = "from outside nobody is let in by that"
  }
}

run "a_group_by_its_name_is_refused" {
  command = plan
  variables {
    api_allowed_security_group_ids = ["runners"]
  }
  expect_failures = [var.api_allowed_security_group_ids]
}

run "only_access_entries_let_in" {
  assert {
    condition     = aws_eks_cluster.this.access_config[0].authentication_mode == "API"
    error_message = "authentication_mode must be API"
  }
  assert {
    condition     = aws_eks_cluster.this.access_config[0].bootstrap_cluster_creator_admin_permissions == false
    error_message = "whoever creates the cluster must not be its administrator by that"
  }
  assert {
    condition     = aws_eks_access_policy_association.admin["operators"].principal_arn == "arn:aws:iam::123456789012:role/operators"
    error_message = "the named administrators must be let in"
  }
}

run "who_watches_deployments_is_in_their_group_only" {
  variables {
    deployers = ["arn:aws:iam::123456789012:role/praxis-test-github-deploy"]
  }
  assert {
    condition     = aws_eks_access_entry.deployer["arn:aws:iam::123456789012:role/praxis-test-github-deploy"].kubernetes_groups == toset(["praxis:deployers"])
    error_message = "the group is what gitops/argocd gives rights to"
  }
  assert {
    condition     = length(aws_eks_access_policy_association.admin) == 1
    error_message = "a deployer must get no access policy"
  }
}

run "secrets_are_encrypted_and_everything_is_logged" {
  assert {
    condition = (
      aws_eks_cluster.this.encryption_config[0].resources == toset(["secrets"]) &&
      aws_eks_cluster.this.encryption_config[0].provider[0].key_arn == var.key_arn
    )
    error_message = "Secrets in etcd must be encrypted with our key"
  }
  assert {
    condition     = length(aws_eks_cluster.this.enabled_cluster_log_types) == 5
    error_message = "all five logs of the control plane must be on"
  }
  assert {
    condition     = aws_cloudwatch_log_group.control_plane.name == "/aws/eks/praxis-test/cluster" && aws_cloudwatch_log_group.control_plane.kms_key_id == var.logs_key_arn
    error_message = "the log group must have the name EKS writes to, and our key"
  }
}

run "the_version_is_checked_and_its_support_standard" {
  assert {
    condition     = aws_eks_cluster.this.version == "1.35" && aws_eks_cluster.this.upgrade_policy[0].support_type == "STANDARD"
    error_message = "1.35 with standard support"
  }
  assert {
    condition     = aws_eks_cluster.this.deletion_protection
    error_message = "deletion_protection must reach the cluster"
  }
}

run "add_ons_have_the_version_of_the_cluster_or_the_one_that_is_held" {
  variables {
    kubernetes_version = "1.36"
    addon_versions     = { coredns = "v1.0.0-eksbuild.1" }
  }
  assert {
    condition     = alltrue([for v in data.aws_eks_addon_version.default : v.kubernetes_version == "1.36"])
    error_message = "the defaults must be those of the version that is asked for"
  }
  assert {
    condition = toset([
      for a in [aws_eks_addon.vpc_cni, aws_eks_addon.kube_proxy, aws_eks_addon.pod_identity_agent, aws_eks_addon.ebs_csi] : a.addon_version
    ]) == toset(["v9.9.9-eksbuild.9"])
    error_message = "an add-on without a version stays at the one it was made with, whatever becomes of the cluster"
  }
  assert {
    condition     = aws_eks_addon.coredns.addon_version == "v1.0.0-eksbuild.1"
    error_message = "what is held is held"
  }
}

run "an_unknown_add_on_is_refused" {
  command = plan
  variables {
    addon_versions = { core-dns = "v1.0.0-eksbuild.1" }
  }
  expect_failures = [var.addon_versions]
}

run "a_pod_cannot_reach_the_nodes_role" {
  assert {
    condition = (
      aws_launch_template.node.metadata_options[0].http_tokens == "required" &&
      aws_launch_template.node.metadata_options[0].http_put_response_hop_limit == 1
    )
    error_message = "IMDSv2 with one hop, or every pod has the node's role"
  }
  assert {
    condition     = aws_launch_template.node.block_device_mappings[0].ebs[0].encrypted == "true"
    error_message = "the nodes' disks must be encrypted"
  }
  assert {
    condition     = toset(keys(aws_iam_role_policy_attachment.node)) == toset(["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly", "AmazonEKS_CNI_Policy"])
    error_message = "a node's role has exactly three policies: nothing for pods"
  }
  assert {
    condition = alltrue([
      for r in [aws_iam_role.cluster, aws_iam_role.node] : r.permissions_boundary == var.permissions_boundary_arn
    ])
    error_message = "every role is made within the boundary"
  }
}

run "network_policies_work_and_a_node_holds_110_pods" {
  assert {
    condition     = jsondecode(aws_eks_addon.vpc_cni.configuration_values).enableNetworkPolicy == "true"
    error_message = "without enableNetworkPolicy every NetworkPolicy is a comment"
  }
  assert {
    condition     = jsondecode(aws_eks_addon.vpc_cni.configuration_values).env.ENABLE_PREFIX_DELEGATION == "true"
    error_message = "prefix delegation must be on"
  }
  assert {
    condition     = strcontains(base64decode(aws_launch_template.node.user_data), "maxPods: 110")
    error_message = "the kubelet must be told of the addresses the CNI has"
  }
}

run "the_ebs_driver_has_its_role_by_irsa" {
  assert {
    condition     = aws_eks_addon.ebs_csi.service_account_role_arn == var.ebs_csi_role_arn && length(aws_eks_addon.ebs_csi.pod_identity_association) == 0
    error_message = "with IRSA the add-on names the role on its service account"
  }
  assert {
    condition     = output.oidc_issuer == "oidc.eks.ap-south-1.amazonaws.com/id/0123456789ABCDEF"
    error_message = "conditions name the issuer without its scheme"
  }
}

run "the_ebs_driver_has_its_role_by_pod_identity" {
  variables {
    pod_identity = true
  }
  assert {
    condition = (
      aws_eks_addon.ebs_csi.service_account_role_arn == null &&
      one(aws_eks_addon.ebs_csi.pod_identity_association).role_arn == var.ebs_csi_role_arn
    )
    error_message = "with Pod Identity the role comes by an association, not by an annotation"
  }
}

run "arm_and_spot_reach_the_node_group" {
  variables {
    nodes = { instance_types = ["t4g.medium", "t4g.large"], capacity = "SPOT", min = 1, desired = 2, max = 4 }
  }
  assert {
    condition     = aws_eks_node_group.this.ami_type == "AL2023_ARM_64_STANDARD" && aws_eks_node_group.this.capacity_type == "SPOT"
    error_message = "arm64 needs its own image, SPOT its own capacity"
  }
}

run "amd64_gets_its_own_image" {
  variables {
    nodes = { architecture = "amd64", instance_types = ["t3a.medium"], min = 2, desired = 2, max = 4 }
  }
  assert {
    condition     = aws_eks_node_group.this.ami_type == "AL2023_x86_64_STANDARD"
    error_message = "amd64 needs its own image"
  }
}

run "an_open_api_server_is_refused" {
  command = plan
  variables {
    api_allowed_cidrs = ["0.0.0.0/0"]
  }
  expect_failures = [var.api_allowed_cidrs]
}

run "a_cluster_nobody_may_enter_is_refused" {
  command = plan
  variables {
    admins = {}
  }
  expect_failures = [var.admins]
}

run "an_intel_type_with_an_arm_image_is_refused" {
  command = plan
  variables {
    nodes = { architecture = "arm64", instance_types = ["t3a.medium"], min = 1, desired = 1, max = 1 }
  }
  expect_failures = [var.nodes]
}

run "an_arm_type_with_an_intel_image_is_refused" {
  command = plan
  variables {
    nodes = { architecture = "amd64", instance_types = ["m7g.large"], min = 1, desired = 1, max = 1 }
  }
  expect_failures = [var.nodes]
}

run "spot_of_one_type_is_refused" {
  command = plan
  variables {
    nodes = { instance_types = ["t4g.large"], capacity = "SPOT", min = 1, desired = 1, max = 1 }
  }
  expect_failures = [var.nodes]
}

run "an_unchecked_version_is_refused" {
  command = plan
  variables {
    kubernetes_version = "1.33"
  }
  expect_failures = [var.kubernetes_version]
}

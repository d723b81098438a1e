# The same keys in every environment; what an environment has not is "" or [].
output "cluster_values" {
  description = "What the cluster is told about itself: facts for gitops/values/<env> and for scripts/ (ADR 43 lists the keys)."
  value = {
    account_id           = local.account_id
    region               = var.region
    environment          = var.environment
    registry             = coalesce(var.registry, "${local.account_id}.dkr.ecr.${var.region}.amazonaws.com")
    cluster_name         = module.eks.cluster_name
    node_architecture    = module.eks.node_architecture
    vpc_id               = module.vpc.vpc_id
    vpc_cidr             = module.vpc.cidr
    public_subnet_ids    = module.vpc.public_subnet_ids
    public_subnet_cidrs  = module.vpc.public_subnet_cidrs
    private_subnet_ids   = module.vpc.private_subnet_ids
    private_subnet_cidrs = module.vpc.private_subnet_cidrs
    data_subnet_cidrs    = var.mysql == null ? [] : module.vpc.data_subnet_cidrs

    pod_identity                      = var.pod_identity
    external_secrets_role_arn         = module.identity.role_arns["external-secrets"]
    load_balancer_controller_role_arn = module.identity.role_arns["load-balancer-controller"]
    ebs_csi_role_arn                  = module.identity.role_arns["ebs-csi"]
    alertmanager_role_arn             = module.identity.role_arns["alertmanager"]

    domain          = module.domain.domain
    certificate_arn = module.domain.certificate_arn
    zone_id         = module.domain.zone_id

    # Empty where they are pods: the names are then those that helm/praxis-data gives.
    database_host             = var.mysql == null ? "" : module.data[0].mysql_host
    database_port             = 3306
    database_admin_secret_arn = var.mysql == null ? "" : module.data[0].mysql_admin_secret_arn
    kafka_brokers             = var.mysql == null ? "" : module.data[0].kafka_brokers
    kafka_secret_name         = var.mysql == null ? "" : module.data[0].kafka_secret_name
    alarms_topic_arn          = module.observability.topic_arn
    heartbeat_topic_arn       = module.observability.heartbeat_topic_arn
  }
}

output "name_servers" {
  description = "What the parent of a new zone has to name; empty if the zone was there."
  value       = module.domain.name_servers
}

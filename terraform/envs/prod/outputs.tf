output "cluster_values" {
  description = "What the cluster is told about itself, for gitops/values/<env> and for scripts/ (ADR 43 lists the keys)."
  value       = module.environment.cluster_values
}

output "name_servers" {
  description = "What the parent of a new zone has to name; empty if the zone was there."
  value       = module.environment.name_servers
}

# stage: prod's code, smaller. terraform init with -backend-config="key=stage/terraform.tfstate", plan and apply with
# -var-file=stage.tfvars. What is not here is prod's.

environment = "stage"
cidr        = "10.41.0.0/16"
domain      = "stage.praxis.example"

# Everything asks for 3.4 cores, and each API for another pod while it is rolled: two nodes of two cores would not do.
nodes = {
  instance_types = ["t4g.large", "m7g.large"]
  capacity       = "SPOT"
  min            = 3
  desired        = 3
  max            = 4
}

mysql = {
  instance_class        = "db.t4g.medium"
  multi_az              = false
  storage_gib           = 20
  backup_retention_days = 7
  deletion_protection   = false
  max_connections       = 300
}

# Its own switch: prod's may be on already, while stage's secret is still empty (README.md).
kafka = {
  instance_type    = "kafka.t3.small"
  brokers          = 2
  storage_gib      = 20
  secret_has_value = false
}

cluster_deletion_protection = false

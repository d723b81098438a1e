# prod: cost.md, "minimal production". What has to be your own: domain, cluster_admins, api_allowed_cidrs, alarm_emails
# (README.md).

environment = "prod"
cidr        = "10.42.0.0/16"
domain      = "praxis.example"

cluster_admins = {
  operators = "arn:aws:iam::123456789012:role/praxis-operators"
}
api_allowed_cidrs = []
alarm_emails      = []

# One NAT gateway: a lost zone takes the way out with it, and with it new images, not what is running.
nat = "single"
nodes = {
  instance_types = ["t4g.large"]
  min            = 3
  desired        = 3
  max            = 6
}

mysql = {
  instance_class        = "db.t4g.medium"
  multi_az              = true
  storage_gib           = 50
  backup_retention_days = 14
  deletion_protection   = true
  max_connections       = 300
}

# secret_has_value = true after scripts/setup-aws-secrets.sh prod (README.md).
kafka = {
  instance_type    = "kafka.t3.small"
  brokers          = 2
  storage_gib      = 50
  secret_has_value = false
}

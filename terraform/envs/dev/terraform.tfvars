# dev. What has to be your own: domain, cluster_admins, api_allowed_cidrs (README.md).

cidr   = "10.40.0.0/16"
domain = "dev.praxis.example"

cluster_admins = {
  operators = "arn:aws:iam::123456789012:role/praxis-operators"
}
api_allowed_cidrs = []

# Spot and a NAT instance: cost.md, "cheap dev".
nat = "instance"
nodes = {
  instance_types = ["t4g.medium", "m6g.medium", "t4g.large"]
  capacity       = "SPOT"
  min            = 2
  desired        = 2
  max            = 4
}

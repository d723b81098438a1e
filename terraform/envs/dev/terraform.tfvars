# dev. What has to be your own: domain, cluster_admins, api_allowed_cidrs (README.md).

cidr   = "10.40.0.0/16"
domain = "dev.praxis.example"

cluster_admins = {
  operators = "arn:aws:iam::123456789012:role/praxis-operators"
}
api_allowed_cidrs = []

# Spot and a NAT instance: cost.md, "cheap dev". Everything in the cluster asks for about 7 GiB and 3.4 cores, so three
# nodes of 4 GiB; no type has fewer than two cores. Nothing adds nodes by itself.
nat = "instance"
nodes = {
  instance_types = ["t4g.medium", "c6g.large", "t4g.large"]
  capacity       = "SPOT"
  min            = 3
  desired        = 3
  max            = 4
}

# The way out, one of: a NAT gateway per zone, one for all, or one small instance.

resource "aws_eip" "nat" {
  for_each   = local.gateway
  domain     = "vpc"
  depends_on = [aws_internet_gateway.this]
  tags       = { Name = "${var.name}-nat-${each.key}" }
}

resource "aws_nat_gateway" "this" {
  for_each      = local.gateway
  allocation_id = aws_eip.nat[each.key].id
  subnet_id     = aws_subnet.public[each.key].id
  tags          = { Name = "${var.name}-${each.key}" }
}

resource "aws_route" "private_gateway" {
  for_each               = var.nat == "instance" ? {} : local.zones
  route_table_id         = aws_route_table.private[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[var.nat == "per_az" ? each.key : local.first].id
}

# The NAT instance: Amazon Linux forwards and masquerades; nothing else runs on it and nobody logs in.

data "aws_ssm_parameter" "al2023" {
  count = var.nat == "instance" ? 1 : 0
  name  = "/aws/service/ami-amazon-linux-latest/al2023-ami-minimal-kernel-default-arm64"
}

resource "aws_security_group" "nat" {
  count       = var.nat == "instance" ? 1 : 0
  name        = "${var.name}-nat"
  description = "NAT instance: from the private subnets to the internet"
  vpc_id      = aws_vpc.this.id
  tags        = { Name = "${var.name}-nat" }
}

resource "aws_vpc_security_group_ingress_rule" "nat" {
  for_each          = var.nat == "instance" ? local.zones : {}
  security_group_id = aws_security_group.nat[0].id
  description       = "Whatever a private subnet sends out"
  cidr_ipv4         = aws_subnet.private[each.key].cidr_block
  ip_protocol       = "-1"
}

#trivy:ignore:AVD-AWS-0104 The way out of the private subnets: it has to lead everywhere.
resource "aws_vpc_security_group_egress_rule" "nat" {
  count             = var.nat == "instance" ? 1 : 0
  security_group_id = aws_security_group.nat[0].id
  description       = "To the internet, which is its only purpose"
  # Network policies say which pod may go out.
  cidr_ipv4   = "0.0.0.0/0"
  ip_protocol = "-1"
}

resource "aws_instance" "nat" {
  count                       = var.nat == "instance" ? 1 : 0
  ami                         = data.aws_ssm_parameter.al2023[0].insecure_value
  instance_type               = var.nat_instance_type
  subnet_id                   = aws_subnet.public[local.first].id
  vpc_security_group_ids      = [aws_security_group.nat[0].id]
  associate_public_ip_address = true
  source_dest_check           = false
  user_data_replace_on_change = true
  user_data                   = <<-SH
    #!/bin/bash
    set -euo pipefail
    dnf install -y nftables
    echo 'net.ipv4.ip_forward = 1' > /etc/sysctl.d/90-nat.conf
    sysctl --system
    cat > /etc/sysconfig/nftables.conf <<'NFT'
    flush ruleset
    table ip nat {
      chain postrouting {
        type nat hook postrouting priority srcnat; policy accept;
        ip saddr ${var.cidr} ip daddr != ${var.cidr} masquerade
      }
    }
    NFT
    systemctl enable --now nftables
  SH

  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
  root_block_device {
    encrypted   = true
    volume_type = "gp3"
  }
  lifecycle {
    # A newer image is no reason to cut the way out; taint it to renew.
    ignore_changes = [ami]
  }
  depends_on = [aws_route.public_internet]
  tags       = { Name = "${var.name}-nat" }
}

resource "aws_route" "private_instance" {
  for_each               = var.nat == "instance" ? local.zones : {}
  route_table_id         = aws_route_table.private[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  network_interface_id   = aws_instance.nat[0].primary_network_interface_id
}

mock_provider "aws" {}

variables {
  name                     = "praxis-test"
  azs                      = ["ap-south-1a", "ap-south-1b"]
  region                   = "ap-south-1"
  nat                      = "single"
  logs_key_arn             = "arn:aws:kms:ap-south-1:123456789012:key/11111111-1111-4111-8111-111111111111"
  permissions_boundary_arn = "arn:aws:iam::123456789012:policy/praxis-boundary-test"
}

override_resource {
  target = aws_cloudwatch_log_group.flow
  values = { arn = "arn:aws:logs:ap-south-1:123456789012:log-group:/praxis-test/vpc-flow" }
}

override_resource {
  target = aws_iam_role.flow
  values = { arn = "arn:aws:iam::123456789012:role/praxis-test-vpc-flow" }
}

run "one_gateway_serves_both_zones" {
  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.private_gateway) == 2 && length(aws_instance.nat) == 0
    error_message = "single means one NAT gateway and a route to it from each private subnet"
  }
  assert {
    condition     = length(distinct([for r in aws_route.private_gateway : r.nat_gateway_id])) == 1
    error_message = "both routes must lead to the one gateway"
  }
  assert {
    condition     = length(aws_subnet.public) == 2 && length(aws_subnet.private) == 2 && length(aws_subnet.data) == 2
    error_message = "two zones mean two subnets of each kind"
  }
  assert {
    condition     = [for az in var.azs : aws_subnet.private[az].cidr_block] == ["10.40.32.0/19", "10.40.64.0/19"]
    error_message = "the private subnets must have room for a pod per address"
  }
  assert {
    condition     = [for az in var.azs : aws_subnet.data[az].cidr_block] == ["10.40.16.0/24", "10.40.17.0/24"]
    error_message = "the data subnets must not lie within the private ones"
  }
}

run "nothing_gets_a_public_address_by_accident" {
  assert {
    condition     = alltrue([for s in aws_subnet.public : s.map_public_ip_on_launch == false])
    error_message = "a public subnet must not hand out public addresses by itself"
  }
  assert {
    condition     = length(aws_default_security_group.this.ingress) == 0 && length(aws_default_security_group.this.egress) == 0
    error_message = "the default security group must be empty"
  }
}

run "the_data_subnets_have_no_way_out" {
  assert {
    condition = alltrue([
      for r in concat(values(aws_route.private_gateway), [aws_route.public_internet]) :
      r.route_table_id != aws_route_table.data.id
    ])
    error_message = "no route may be added to the data subnets' table"
  }
}

run "the_load_balancer_controller_finds_its_subnets" {
  assert {
    condition     = alltrue([for s in aws_subnet.public : s.tags["kubernetes.io/role/elb"] == "1"])
    error_message = "public subnets need kubernetes.io/role/elb"
  }
  assert {
    condition     = alltrue([for s in aws_subnet.private : s.tags["kubernetes.io/role/internal-elb"] == "1"])
    error_message = "private subnets need kubernetes.io/role/internal-elb"
  }
}

run "s3_does_not_pass_the_nat" {
  assert {
    condition     = aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway" && aws_vpc_endpoint.s3.route_table_ids == toset([for t in aws_route_table.private : t.id])
    error_message = "the S3 gateway endpoint must be in the private tables, and not in the data table: it would be a way out to any bucket"
  }
}

run "every_flow_is_logged_and_encrypted" {
  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL" && aws_cloudwatch_log_group.flow.kms_key_id == var.logs_key_arn
    error_message = "flow logs must hold all traffic, under our key"
  }
  assert {
    condition     = aws_cloudwatch_log_group.flow.retention_in_days == 90
    error_message = "flow logs must end some day"
  }
  assert {
    condition     = aws_iam_role.flow.permissions_boundary == var.permissions_boundary_arn
    error_message = "every role is made within the boundary"
  }
}

run "a_gateway_per_zone_survives_a_zone" {
  variables {
    nat = "per_az"
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 2
    error_message = "per_az means a gateway in each zone"
  }
  assert {
    condition     = length(distinct([for r in aws_route.private_gateway : r.nat_gateway_id])) == 2
    error_message = "each zone must leave through its own gateway"
  }
}

run "the_nat_instance_forwards_for_private_subnets_only" {
  variables {
    nat = "instance"
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_route.private_instance) == 2
    error_message = "instance means no gateway, and a route from each private subnet"
  }
  assert {
    condition     = aws_instance.nat[0].source_dest_check == false
    error_message = "a NAT forwards what is not addressed to it"
  }
  assert {
    condition     = aws_instance.nat[0].metadata_options[0].http_tokens == "required" && aws_instance.nat[0].root_block_device[0].encrypted
    error_message = "the NAT instance must ask for IMDSv2 and have an encrypted disk"
  }
  assert {
    condition     = toset([for r in aws_vpc_security_group_ingress_rule.nat : r.cidr_ipv4]) == toset(["10.40.32.0/19", "10.40.64.0/19"])
    error_message = "only the private subnets may send through the NAT"
  }
}

run "one_zone_is_refused" {
  command = plan
  variables {
    azs = ["ap-south-1a"]
  }
  expect_failures = [var.azs]
}

run "the_same_zone_twice_is_refused" {
  command = plan
  variables {
    azs = ["ap-south-1a", "ap-south-1a"]
  }
  expect_failures = [var.azs]
}

run "a_small_network_is_refused" {
  command = plan
  variables {
    cidr = "10.40.0.0/20"
  }
  expect_failures = [var.cidr]
}

run "an_unknown_nat_is_refused" {
  command = plan
  variables {
    nat = "none"
  }
  expect_failures = [var.nat]
}

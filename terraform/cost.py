#!/usr/bin/env python3
"""Compute the tables of cost.md, so that every sum is right. Usage: cost.py [--check | --write]

Without an option the tables are printed. --write puts them into cost.md; --check fails if cost.md says anything else, or
if a budget counts on what its environment's main.tf does not say.
"""
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
HOURS = 730  # of a month

# US dollars in ap-south-1, without tax. Assumptions, not quotations: see cost.md.
PRICES = {
    "EKS control plane, standard support": (0.10, "hour"),
    "t3a.medium": (0.0246, "hour"),
    "t4g.large": (0.0448, "hour"),
    "t4g.medium on Spot": (0.0095, "hour"),
    "t4g.nano (NAT instance)": (0.0028, "hour"),
    "NAT gateway": (0.056, "hour"),
    "NAT gateway, data": (0.056, "GB"),
    "Application Load Balancer": (0.0239, "hour"),
    "Load balancer capacity unit": (0.008, "hour"),
    "Public IPv4 address": (0.005, "hour"),
    "EBS gp3": (0.0912, "GiB"),
    "RDS db.t4g.medium, Multi-AZ": (0.194, "hour"),
    "RDS gp3, Multi-AZ": (0.262, "GiB"),
    "MSK kafka.t3.small broker": (0.0488, "hour"),
    "MSK storage": (0.114, "GiB"),
    "KMS key": (1.00, "piece"),
    "Secret": (0.40, "piece"),
    "Alarm": (0.10, "piece"),
    "CloudWatch Logs, taken in": (0.67, "GB"),
    "ECR storage": (0.10, "GB"),
}

# (what of PRICES, how many, why so many). A quantity of something priced by the hour runs all month.
BUDGETS = {
    "Small reference": [
        ("EKS control plane, standard support", 1, ""),
        ("t3a.medium", 2, "nodes"),
        ("EBS gp3", 60, "30 GiB a node"),
        ("NAT gateway", 1, ""),
        ("Public IPv4 address", 1, "NAT"),
    ],
    "Cheap dev": [
        ("EKS control plane, standard support", 1, ""),
        ("t4g.medium on Spot", 3, "nodes"),
        ("EBS gp3", 138, "30 GiB a node, 30 for MySQL and Kafka, 10 for Prometheus, 8 for the NAT instance"),
        ("t4g.nano (NAT instance)", 1, ""),
        ("Application Load Balancer", 1, ""),
        ("Public IPv4 address", 3, "NAT, load balancer in two zones"),
        ("KMS key", 4, "data and logs; state and registry of the account"),
        ("Secret", 4, ""),
        ("Alarm", 1, "heartbeat"),
        ("CloudWatch Logs, taken in", 3, "control plane, flow logs"),
        ("ECR storage", 5, ""),
    ],
    "Minimal production": [
        ("EKS control plane, standard support", 1, ""),
        ("t4g.large", 3, "nodes"),
        ("EBS gp3", 190, "30 GiB a node, 100 for Prometheus"),
        ("NAT gateway", 1, ""),
        ("NAT gateway, data", 20, ""),
        ("Application Load Balancer", 1, ""),
        ("Load balancer capacity unit", 1, ""),
        ("Public IPv4 address", 3, "NAT, load balancer in two zones"),
        ("RDS db.t4g.medium, Multi-AZ", 1, ""),
        ("RDS gp3, Multi-AZ", 50, "backups up to its size are free"),
        ("MSK kafka.t3.small broker", 2, ""),
        ("MSK storage", 100, "50 GiB a broker"),
        ("KMS key", 4, "data and logs; state and registry of the account"),
        ("Secret", 6, "four of praxis, MSK's, RDS's"),
        ("Alarm", 10, "heartbeat, four of MySQL, five of Kafka"),
        ("CloudWatch Logs, taken in", 10, "control plane, flow logs, errors of MySQL, brokers"),
        ("ECR storage", 10, ""),
    ],
}

# What a budget counts on, as the environment's variables say it: environment, pattern.
COUNTED_ON = [
    ("dev", r'nat\s*= "instance"'),
    ("dev", r'capacity\s*= "SPOT"'),
    ("dev", r'instance_types = \["t4g\.medium"'),
    ("dev", r"desired\s*= 3"),
    ("prod", r'nat = "single"'),
    ("prod", r'instance_types = \["t4g\.large"\]'),
    ("prod", r"desired\s*= 3"),
    ("prod", r'instance_class\s*= "db\.t4g\.medium"'),
    ("prod", r"multi_az\s*= true"),
    ("prod", r'instance_type\s*= "kafka\.t3\.small"'),
    ("prod", r"brokers\s*= 2"),
    ("prod", r"storage_gib\s*= 50"),
]


def cents(item, quantity):
    """Of a month, rounded line by line, so that the lines add up to the sum that is shown."""
    price, unit = PRICES[item]
    return round(price * quantity * (HOURS if unit == "hour" else 1) * 100)


def tables():
    out = ["<!-- made by cost.py: change it there -->"]
    for name, lines in BUDGETS.items():
        out += ["", f"### {name}", "", "| What | How many | Price | A month |", "|---|---:|---:|---:|"]
        for item, quantity, why in lines:
            price, unit = PRICES[item]
            what = f"{item} ({why})" if why else item
            out.append(f"| {what} | {quantity} | ${price:g} a {unit} | ${cents(item, quantity) / 100:.2f} |")
        total = sum(cents(item, quantity) for item, quantity, _ in lines)
        out.append(f"| **Together** | | | **${total / 100:.2f}** |")
    out += ["", "<!-- end -->"]
    return "\n".join(out)


def main(arguments):
    if arguments not in ([], ["--check"], ["--write"]):
        sys.exit(__doc__)
    if not arguments:
        print(tables())
        return
    path = HERE / "cost.md"
    text = path.read_text()
    wanted = re.sub(r"<!-- made by.*<!-- end -->", lambda _: tables(), text, flags=re.S)
    if arguments == ["--write"]:
        path.write_text(wanted)
        return
    faults = [] if text == wanted else ["cost.md is not what cost.py computes: run terraform/cost.py --write"]
    for env, pattern in COUNTED_ON:
        if not re.search(pattern, (HERE / "envs" / env / "main.tf").read_text()):
            faults.append(f"envs/{env}/main.tf no longer says {pattern}: the budget of {env} is another")
    if faults:
        sys.exit("\n".join(faults))


main(sys.argv[1:])

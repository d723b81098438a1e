mock_provider "aws" {
  source = "../../modules/environment/tests/mocks"
}

# The files as they are, be they edited already or not.
variables {
  allow_examples = true
}

# The proof's record is tested with the module; here it has nothing to be read from.
override_resource {
  target = module.environment.module.domain.aws_route53_record.validation
}

run "the_facts_are_those_of_dev" {
  assert {
    condition = (
      output.cluster_values.environment == "dev" && output.cluster_values.cluster_name == "praxis-dev" &&
      output.cluster_values.vpc_cidr == "10.40.0.0/16"
    )
    error_message = "each environment has names and addresses of its own"
  }
  assert {
    condition     = output.cluster_values.database_host == "" && output.cluster_values.kafka_brokers == ""
    error_message = "in dev MySQL and Kafka are pods"
  }
}

# What AWS would answer, for the tests of this module and of the environments.
mock_data "aws_caller_identity" {
  defaults = { account_id = "123456789012" }
}
mock_data "aws_availability_zones" {
  defaults = { names = ["ap-south-1a", "ap-south-1b", "ap-south-1c"] }
}
mock_resource "aws_eks_cluster" {
  defaults = {
    arn        = "arn:aws:eks:ap-south-1:123456789012:cluster/praxis"
    identity   = [{ oidc = [{ issuer = "https://oidc.eks.ap-south-1.amazonaws.com/id/0123456789ABCDEF" }] }]
    vpc_config = { cluster_security_group_id = "sg-cluster" }
  }
}
mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::123456789012:role/mock" }
}
mock_resource "aws_iam_policy" {
  defaults = { arn = "arn:aws:iam::123456789012:policy/mock" }
}
mock_resource "aws_kms_key" {
  defaults = { arn = "arn:aws:kms:ap-south-1:123456789012:key/11111111-1111-4111-8111-111111111111" }
}
mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:ap-south-1:123456789012:log-group:mock" }
}
mock_resource "aws_sns_topic" {
  defaults = { arn = "arn:aws:sns:ap-south-1:123456789012:praxis-alarms" }
}
mock_resource "aws_acm_certificate" {
  defaults = { arn = "arn:aws:acm:ap-south-1:123456789012:certificate/11111111-1111-4111-8111-111111111111" }
}
mock_resource "aws_acm_certificate_validation" {
  defaults = { certificate_arn = "arn:aws:acm:ap-south-1:123456789012:certificate/11111111-1111-4111-8111-111111111111" }
}
mock_resource "aws_db_instance" {
  defaults = {
    address            = "praxis-mysql.example.ap-south-1.rds.amazonaws.com"
    master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:ap-south-1:123456789012:secret:rds!db-1", kms_key_id = "", secret_status = "active" }]
  }
}
mock_resource "aws_msk_cluster" {
  defaults = {
    arn                          = "arn:aws:kafka:ap-south-1:123456789012:cluster/praxis/1"
    bootstrap_brokers_sasl_scram = "b-1.example:9096,b-2.example:9096"
  }
}
mock_resource "aws_msk_configuration" {
  defaults = { arn = "arn:aws:kafka:ap-south-1:123456789012:configuration/praxis/1", latest_revision = 1 }
}
mock_resource "aws_secretsmanager_secret" {
  defaults = { arn = "arn:aws:secretsmanager:ap-south-1:123456789012:secret:mock" }
}

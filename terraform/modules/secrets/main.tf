# The four secrets of ADR 40, empty. Values are put by scripts/setup-aws-secrets.sh: a value that Terraform knew would lie
# in its state.

resource "aws_secretsmanager_secret" "this" {
  for_each = {
    database      = "Accounts and addresses of MySQL"
    application   = "Key-encryption key, claims key, account of Kafka"
    jwt           = "Keys that sign and verify access tokens"
    "first-admin" = "The first administrator"
  }
  name                    = "praxis/${var.environment}/${each.key}"
  description             = each.value
  kms_key_id              = var.key_arn
  recovery_window_in_days = var.recovery_window_in_days
}

# What only AWS can see: RDS, MSK, and whether the cluster's own watchers live. Everything of the programs, lag of the
# projector included, is measured and alerted in the cluster by Prometheus, whose Alertmanager publishes to the same topic.
# There is no replica lag here: the standby of a Multi-AZ instance is written before a commit is answered, and there is no
# read replica.

resource "aws_sns_topic" "alarms" {
  name              = "${var.name}-alarms"
  kms_master_key_id = var.key_arn
}

resource "aws_sns_topic_policy" "alarms" {
  arn = aws_sns_topic.alarms.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AlarmsOfThisAccount"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alarms.arn
        Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
      },
      {
        Sid       = "AlertsOfTheCluster"
        Effect    = "Allow"
        Principal = { AWS = var.alertmanager_role_arn }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alarms.arn
      },
    ]
  })
}

# Who watches the watchers. Prometheus' alert Watchdog always fires; Alertmanager publishes it here every few minutes
# (gitops/values/common/kube-prometheus-stack.yaml), and nobody subscribes: that it comes is all it says.
resource "aws_sns_topic" "heartbeat" {
  name              = "${var.name}-heartbeat"
  kms_master_key_id = var.key_arn
}

resource "aws_sns_topic_policy" "heartbeat" {
  arn = aws_sns_topic.heartbeat.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "HeartbeatOfTheCluster"
      Effect    = "Allow"
      Principal = { AWS = var.alertmanager_role_arn }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.heartbeat.arn
    }]
  })
}

# A topic to which nobody publishes has no data at all: hence breaching. While some of the last minutes have data CloudWatch
# judges by these, so that a quarter of an hour without any is told after half an hour at the latest.
resource "aws_cloudwatch_metric_alarm" "heartbeat" {
  alarm_name          = "${var.name}-heartbeat"
  alarm_description   = "Prometheus or Alertmanager of ${var.name} is silent, or cannot reach SNS: no alert of the cluster reaches anybody. docs/runbook/alerts.md#heartbeat"
  namespace           = "AWS/SNS"
  metric_name         = "NumberOfMessagesPublished"
  dimensions          = { TopicName = aws_sns_topic.heartbeat.name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 3
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_sns_topic_subscription" "email" {
  for_each  = var.emails
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.value
}

locals {
  gib = 1024 * 1024 * 1024
  mysql = var.mysql == null ? {} : {
    disk = {
      metric      = "FreeStorageSpace"
      comparison  = "LessThanThreshold"
      threshold   = max(5 * local.gib, var.mysql.storage_gib * local.gib * 15 / 100)
      minutes     = 10
      missing     = "missing"
      description = "Less than 15 % of MySQL's disk is free. A full disk stops every write."
    }
    # A server that says nothing for a quarter of an hour is down: hence breaching.
    cpu = {
      metric      = "CPUUtilization"
      comparison  = "GreaterThanThreshold"
      threshold   = 80
      minutes     = 15
      missing     = "breaching"
      description = "MySQL is busy, or it has stopped answering CloudWatch."
    }
    connections = {
      metric      = "DatabaseConnections"
      comparison  = "GreaterThanThreshold"
      threshold   = floor(var.mysql.max_connections * 0.8)
      minutes     = 10
      missing     = "missing"
      description = "Four fifths of MySQL's connections are taken."
    }
    memory = {
      metric      = "FreeableMemory"
      comparison  = "LessThanThreshold"
      threshold   = local.gib / 4
      minutes     = 15
      missing     = "missing"
      description = "MySQL has less than 256 MiB left; the next step is swapping."
    }
  }
  brokers = var.kafka == null ? {} : { for i in range(1, var.kafka.brokers + 1) : tostring(i) => i }
}

resource "aws_cloudwatch_metric_alarm" "mysql" {
  for_each            = local.mysql
  alarm_name          = "${var.name}-mysql-${each.key}"
  alarm_description   = each.value.description
  namespace           = "AWS/RDS"
  metric_name         = each.value.metric
  dimensions          = { DBInstanceIdentifier = var.mysql.identifier }
  statistic           = "Average"
  period              = 300
  evaluation_periods  = each.value.minutes / 5
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "kafka_disk" {
  for_each            = local.brokers
  alarm_name          = "${var.name}-kafka-disk-${each.key}"
  alarm_description   = "A broker's disk is four fifths full."
  namespace           = "AWS/Kafka"
  metric_name         = "KafkaDataLogsDiskUsed"
  dimensions          = { "Cluster Name" = var.kafka.cluster_name, "Broker ID" = each.key }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 2
  comparison_operator = "GreaterThanThreshold"
  threshold           = 80
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# AWS advises to keep user and system together below 60 %, so that the other brokers can take over.
resource "aws_cloudwatch_metric_alarm" "kafka_cpu" {
  for_each            = local.brokers
  alarm_name          = "${var.name}-kafka-cpu-${each.key}"
  alarm_description   = "A broker is too busy to take over from another."
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 60
  treat_missing_data  = "missing"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "busy"
    expression  = "user + system"
    label       = "CPU"
    return_data = true
  }
  dynamic "metric_query" {
    for_each = { user = "CpuUser", system = "CpuSystem" }
    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/Kafka"
        metric_name = metric_query.value
        dimensions  = { "Cluster Name" = var.kafka.cluster_name, "Broker ID" = each.key }
        stat        = "Average"
        period      = 300
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "kafka_offline" {
  count               = var.kafka == null ? 0 : 1
  alarm_name          = "${var.name}-kafka-offline-partitions"
  alarm_description   = "A partition has no leader: events of its streams wait in MySQL."
  namespace           = "AWS/Kafka"
  metric_name         = "OfflinePartitionsCount"
  dimensions          = { "Cluster Name" = var.kafka.cluster_name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "missing"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

mock_provider "aws" {
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:ap-south-1:123456789012:praxis-test-alarms" }
  }
}

variables {
  name                  = "praxis-test"
  account_id            = "123456789012"
  key_arn               = "arn:aws:kms:ap-south-1:123456789012:key/22222222-2222-4222-8222-222222222222"
  alertmanager_role_arn = "arn:aws:iam::123456789012:role/praxis-test-alertmanager"
  emails                = ["operators@praxis.example"]
  mysql                 = { identifier = "praxis-test-mysql", storage_gib = 100, max_connections = 300 }
  kafka                 = { cluster_name = "praxis-test", brokers = 2 }
}

run "the_topic_is_encrypted_and_takes_our_alarms_only" {
  assert {
    condition     = aws_sns_topic.alarms.kms_master_key_id == var.key_arn
    error_message = "the topic must be under our key"
  }
  assert {
    condition     = jsondecode(aws_sns_topic_policy.alarms.policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    error_message = "alarms of other accounts must not be published here"
  }
  assert {
    condition = (
      jsondecode(aws_sns_topic_policy.alarms.policy).Statement[1].Principal == { AWS = var.alertmanager_role_arn } &&
      jsondecode(aws_sns_topic_policy.alarms.policy).Statement[1].Action == "sns:Publish" &&
      length(jsondecode(aws_sns_topic_policy.alarms.policy).Statement) == 2
    )
    error_message = "besides CloudWatch only the cluster's Alertmanager publishes"
  }
  assert {
    condition     = toset(keys(aws_sns_topic_subscription.email)) == toset(["operators@praxis.example"])
    error_message = "the operators must be told"
  }
}

run "a_cluster_that_falls_silent_is_told" {
  assert {
    condition = (
      aws_cloudwatch_metric_alarm.heartbeat.metric_name == "NumberOfMessagesPublished" && aws_cloudwatch_metric_alarm.heartbeat.namespace == "AWS/SNS" &&
      aws_cloudwatch_metric_alarm.heartbeat.dimensions == tomap({ TopicName = "praxis-test-heartbeat" }) && aws_cloudwatch_metric_alarm.heartbeat.statistic == "Sum"
    )
    error_message = "what is counted are the messages to the heartbeat's topic, and not those to the alarms'"
  }
  assert {
    condition = (
      aws_cloudwatch_metric_alarm.heartbeat.comparison_operator == "LessThanThreshold" && aws_cloudwatch_metric_alarm.heartbeat.threshold == 1 &&
      aws_cloudwatch_metric_alarm.heartbeat.treat_missing_data == "breaching" &&
      aws_cloudwatch_metric_alarm.heartbeat.period * aws_cloudwatch_metric_alarm.heartbeat.evaluation_periods == 900
    )
    error_message = "a quarter of an hour without a message is an alarm, and a dead cluster sends not even a zero"
  }
  assert {
    condition = (
      length(jsondecode(aws_sns_topic_policy.heartbeat.policy).Statement) == 1 &&
      jsondecode(aws_sns_topic_policy.heartbeat.policy).Statement[0].Principal == { AWS = var.alertmanager_role_arn } &&
      aws_sns_topic.heartbeat.kms_master_key_id == var.key_arn
    )
    error_message = "whoever else may publish there could keep a dead cluster's alarm quiet"
  }
}

run "mysql_is_watched" {
  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.mysql)) == toset(["disk", "cpu", "connections", "memory"])
    error_message = "disk, CPU, connections and memory"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.mysql["disk"].threshold == 15 * 1024 * 1024 * 1024 && aws_cloudwatch_metric_alarm.mysql["disk"].comparison_operator == "LessThanThreshold"
    error_message = "15 % of 100 GiB, in bytes, and below it"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.mysql["connections"].threshold == 240
    error_message = "four fifths of 300 connections"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.mysql["cpu"].treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.mysql["cpu"].evaluation_periods == 3
    error_message = "a silent server must raise an alarm within a quarter of an hour"
  }
}

run "every_broker_is_watched" {
  assert {
    condition     = toset([for a in aws_cloudwatch_metric_alarm.kafka_disk : a.dimensions["Broker ID"]]) == toset(["1", "2"])
    error_message = "a disk alarm for each broker: brokers count from 1"
  }
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.kafka_cpu) == 2 && length(aws_cloudwatch_metric_alarm.kafka_offline) == 1
    error_message = "a CPU alarm for each broker, one for partitions without a leader"
  }
}

run "every_alarm_reaches_somebody" {
  assert {
    condition = alltrue([
      for a in concat(
        values(aws_cloudwatch_metric_alarm.mysql), values(aws_cloudwatch_metric_alarm.kafka_disk),
        values(aws_cloudwatch_metric_alarm.kafka_cpu), aws_cloudwatch_metric_alarm.kafka_offline, [aws_cloudwatch_metric_alarm.heartbeat],
      ) : a.alarm_actions == toset([aws_sns_topic.alarms.arn]) && a.ok_actions == toset([aws_sns_topic.alarms.arn])
    ])
    error_message = "an alarm and its end must both be published"
  }
}

run "without_rds_and_msk_there_is_only_the_heartbeat" {
  variables {
    mysql = null
    kafka = null
  }
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.mysql) + length(aws_cloudwatch_metric_alarm.kafka_disk) + length(aws_cloudwatch_metric_alarm.kafka_cpu) + length(aws_cloudwatch_metric_alarm.kafka_offline) == 0
    error_message = "an alarm on what is not there would be red for ever"
  }
}

run "what_is_no_address_is_refused" {
  command = plan
  variables {
    emails = ["operators"]
  }
  expect_failures = [var.emails]
}

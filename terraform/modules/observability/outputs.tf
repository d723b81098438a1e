output "heartbeat_topic_arn" {
  description = "Where Alertmanager says every few minutes that it lives."
  value       = aws_sns_topic.heartbeat.arn
}

output "topic_arn" {
  description = "Where alarms are published."
  value       = aws_sns_topic.alarms.arn
}

#!/usr/bin/env bash
# Does the broker take requests? An open port is not enough: a returning broker listens while it is still fenced, and then is
# missing from its own metadata. So a Metadata request (version 4, no topics) is sent, and the broker count of the answer looked
# at. Kafka's own tools would tell the same, with a JVM of their own each time.
set -euo pipefail

exec 3<>/dev/tcp/127.0.0.1/9092
printf '\0\0\0\17\0\3\0\4\0\0\0\1\377\377\0\0\0\0\0' >&3
answer=$(timeout 3 head -c 16 <&3 | od -An -tx1 | tr -d ' \n')
# size, correlation id, throttle time, broker count
[[ $answer =~ ^.{8}00000001.{8}00000001$ ]]

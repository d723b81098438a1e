#!/usr/bin/env python3
"""Where do the Grafana dashboards come from? From here: `dashboards.py` writes helm/praxis-platform/dashboards/*.json.

A panel is one line: title, unit, what it means, and its queries with their legends. `dashboards.py --check` says
whether the files are what this program writes.
"""
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = ROOT / "helm/praxis-platform/dashboards"
SOURCE = {"type": "prometheus", "uid": "${source}"}
# The scrape interval is 15 s; Grafana's own choice of a window for `rate` follows the time range.
RATE = "$__rate_interval"
OURS = 'job=~"$job"'
SERVED = 'route!~"/health|/ready"'


def panel(title, unit, text, *queries, kind="timeseries", width=8, height=8, lines=()):
    """A panel; `queries` are (expression, legend), `lines` are thresholds drawn into it."""
    steps = [{"color": "green", "value": None}] + [{"color": color, "value": value} for value, color in lines]
    defaults = {"unit": unit, "min": 0, "thresholds": {"mode": "absolute", "steps": steps}}
    if kind == "timeseries":
        defaults["custom"] = {
            "fillOpacity": 8,
            "showPoints": "never",
            "thresholdsStyle": {"mode": "dashed" if lines else "off"},
        }
    shown = {
        "timeseries": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "stat": {"colorMode": "background" if lines else "none", "reduceOptions": {"calcs": ["lastNotNull"]}},
        "table": {},
    }[kind]
    targets = [
        {
            "refId": chr(ord("A") + number),
            "datasource": SOURCE,
            "expr": expression,
            "legendFormat": legend,
            "range": kind == "timeseries",
            "instant": kind != "timeseries",
            **({"format": "table"} if kind == "table" else {}),
        }
        for number, (expression, legend) in enumerate(queries)
    ]
    return {
        "title": title,
        "description": text,
        "type": kind,
        "datasource": SOURCE,
        "gridPos": {"w": width, "h": height},
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": shown,
        "targets": targets,
    }


def stat(title, unit, text, *queries, lines=(), width=4):
    return panel(title, unit, text, *queries, kind="stat", width=width, height=5, lines=lines)


def quantiles(metric, by="", where=""):
    """Half, and 99 of 100, of a histogram."""
    extra = f", {by}" if by else ""
    legend = f"{{{{{by}}}}} " if by else ""
    return [
        (f"histogram_quantile({share}, sum by (le{extra}) (rate({metric}_bucket{{{where}}}[{RATE}])))", f"{legend}{name}")
        for share, name in ((0.5, "p50"), (0.99, "p99"))
    ]


def mean(metric, where=""):
    return f"sum(rate({metric}_sum{{{where}}}[{RATE}])) / sum(rate({metric}_count{{{where}}}[{RATE}]))"


def dashboard(name, title, text, jobs, *panels):
    """Panels flow from left to right, 24 columns to a row."""
    x = y = row = 0
    for number, each in enumerate(panels, start=1):
        place = each["gridPos"]
        if x + place["w"] > 24:
            x, y, row = 0, y + row, 0
        each["id"], place["x"], place["y"] = number, x, y
        x, row = x + place["w"], max(row, place["h"])
    variables = [{"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}]
    if jobs:
        variables.append(
            {
                "name": "job",
                "label": "Job",
                "type": "query",
                "datasource": SOURCE,
                "query": {"query": f'label_values(up{{job=~"{jobs}"}}, job)', "refId": "job"},
                "refresh": 2,
                "includeAll": True,
                "multi": True,
                "allValue": jobs,
                "current": {"text": ["All"], "value": ["$__all"]},
            }
        )
    return {
        "uid": f"praxis-{name}",
        "title": f"Praxis / {title}",
        "description": text,
        "tags": ["praxis"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "links": [{"type": "dashboards", "title": "Praxis", "tags": ["praxis"], "asDropdown": True, "keepTime": True}],
        "templating": {"list": variables},
        "panels": list(panels),
    }


def overview():
    burn = [("praxis:slo_burn:1h", "{{slo}}")]
    return dashboard(
        "overview", "Overview and objectives", "Is the practice served, and how much of the error budgets is left?", None,
        stat("Replicas scraped", "short", "Targets that answer, of each job.",
             ('sum by (job) (up{job=~"command-api|query-api|projector.*"})', "{{job}}")),
        stat("Not ready", "short", "Replicas that answer and lack something; PraxisNotReady says what.",
             ("sum by (job) (min by (job, instance) (praxis_ready) == bool 0)", "{{job}}"), lines=[(1, "orange")]),
        stat("Alerts firing", "short", "Of this product.",
             ('sum(ALERTS{alertname=~"Praxis.*", alertstate="firing"}) or vector(0)', "firing"), lines=[(1, "red")]),
        stat("Position of the log", "short", "Events in it, as the best informed replica knows.",
             ("max(praxis_log_position)", "events")),
        stat("Relay's leaders", "short", "One, but for the seconds of a take-over.",
             ("sum(praxis_relay_leader)", "leaders"), lines=[(2, "red")]),
        stat("Parked streams", "short", "Records whose rows are not kept up to date.",
             ("max(praxis_projection_parked_streams)", "streams"), lines=[(1, "orange")]),
        panel("Budget left this month", "percentunit",
              "docs/slo.md. Below zero the objective of thirty days is missed. Needs thirty days of retention.",
              ("1 - praxis:slo_burn:30d", "{{slo}}"), width=12),
        panel("Speed of spending, last hour", "short", "1 spends the budget in exactly thirty days; above 14.4 somebody is woken.",
              *burn, width=12, lines=[(14.4, "red")]),
        panel("Requests", "reqps", "Without probes.",
              (f'sum by (job) (rate(praxis_http_requests_total{{job=~"command-api|query-api", {SERVED}}}[{RATE}]))', "{{job}}")),
        panel("Failed requests", "percentunit", "Answered 5xx, of all.",
              ('praxis:slo_bad:rate5m{slo=~".*-availability"} / praxis:slo_all:rate5m', "{{slo}}"), lines=[(0.001, "red")]),
        panel("Slower than half a second", "percentunit", "Of what was answered well.",
              ('praxis:slo_bad:rate5m{slo=~".*-latency"} / praxis:slo_all:rate5m', "{{slo}}"), lines=[(0.01, "red")]),
        panel("From commit to visible", "s", "Until an event's rows can be read. A rebuild shows here as hours.",
              *quantiles("praxis_projection_delay_seconds", "generation")),
        panel("Events appended", "short", "A second.",
              (f'sum(rate(praxis_events_appended_total{{job="command-api"}}[{RATE}]))', "events")),
        panel("Behind the log", "short", "Events that are not published, not in the rows, and that a replica does not know of.",
              ("max(praxis_relay_lag_events)", "relay"),
              ("max by (generation) (praxis_projection_lag_events)", "generation {{generation}}"),
              ("scalar(max(praxis_log_position)) - min by (job) (praxis_log_position)", "unknown to {{job}}")),
    )


def connections():
    database = "praxis_database_connection"
    return (
        panel("Connections in use", "percentunit", "Of those that each pool may have; what each is for: docs/metrics.md.",
              (f"sum by (pool) ({database}s_in_use{{{OURS}}}) / sum by (pool) ({database}s_max{{{OURS}}})", "{{pool}}")),
        panel("Waiting for a connection", "short", "What waits at this moment.",
              (f"sum by (pool) ({database}_waiters{{{OURS}}})", "{{pool}}")),
        panel("Time until there is a connection", "s", "99 of 100 wait less. Nothing but the wait: connecting itself is not in it.",
              quantiles(f"{database}_wait_seconds", "pool", OURS)[1], lines=[(0.1, "red")]),
    )


def http(name, title, text, jobs, *more):
    where = f"{OURS}, {SERVED}"
    return dashboard(
        name, title, text, jobs,
        panel("Requests by route", "reqps", "Templates of routes; probes are left out.",
              (f"sum by (method, route) (rate(praxis_http_requests_total{{{where}}}[{RATE}]))", "{{method}} {{route}}")),
        panel("Answers by status", "reqps", "409 and 422 are refusals by the rules of the practice, 412 a stale version.",
              (f"sum by (status) (rate(praxis_http_requests_total{{{where}}}[{RATE}]))", "{{status}}")),
        panel("Time to answer", "s", "Of answers that are not 5xx.",
              *quantiles("praxis_http_request_duration_seconds", "", f'{where}, status!~"5.."'), lines=[(0.5, "red")]),
        panel("Slowest routes", "s", "99 of 100 are faster.",
              (f"topk(8, histogram_quantile(0.99, sum by (le, route) (rate(praxis_http_request_duration_seconds_bucket{{{where}}}[{RATE}]))))",
               "{{route}}")),
        panel("Requests under way", "short", "At 4096 in a process further ones are answered 503.",
              (f"sum by (instance) (praxis_http_requests_under_way{{{OURS}}})", "{{instance}}")),
        panel("Access tokens refused", "reqps", "Expired ones are everyday; an unknown key is not.",
              (f"sum by (reason) (rate(praxis_http_tokens_refused_total{{{OURS}}}[{RATE}]))", "{{reason}}")),
        *connections(),
        *more,
    )


def commands():
    return http(
        "commands", "Commands", "From a request to the log.", "command-api",
        panel("Time to append", "s", "From queueing to the verdict, the commit to disk included.",
              *quantiles("praxis_append_duration_seconds", "", OURS)),
        panel("Time until the head is held", "s", "Of a batch; a part of the time to append. The asking itself, and waits in vain, are in it.",
              *quantiles("praxis_append_head_wait_seconds", "", OURS), lines=[(0.25, "red")]),
        panel("Appends waiting", "short", "At 8192 (PRAXIS_QUEUE_MEMBERS_MAX) further ones are answered 503.",
              (f"max by (instance) (praxis_append_queue_members{{{OURS}}})", "{{instance}}"), lines=[(6553, "red")]),
        panel("Appends in a commit", "short", "Many commands share one flush to disk.",
              (mean("praxis_append_batch_members", OURS), "mean")),
        panel("Unknown outcomes", "short", "Commits whose answer was lost, settled by the commands' keys.",
              (f"sum by (instance) (increase(praxis_append_unknown_outcomes_total{{{OURS}}}[{RATE}]))", "{{instance}}")),
        panel("Records found in memory", "percentunit", "Of those that commands are decided on.",
              (f'sum(rate(praxis_state_cache_total{{{OURS}, outcome="hit"}}[{RATE}])) / sum(rate(praxis_state_cache_total{{{OURS}}}[{RATE}]))',
               "found")),
        panel("Events appended", "short", "A second.",
              (f"sum by (instance) (rate(praxis_events_appended_total{{{OURS}}}[{RATE}]))", "{{instance}}")),
    )


def relay():
    return dashboard(
        "relay", "Relay and Kafka", "From the log to the topic.", None,
        panel("Who leads", "short", "One replica publishes; the others stand by.",
              ("praxis_relay_leader", "{{instance}}")),
        panel("Not published yet", "short", "Events of the log.", ("max(praxis_relay_lag_events)", "events"), lines=[(10000, "red")]),
        panel("Time to be acknowledged", "s", "A batch, by all replicas in sync.", *quantiles("praxis_kafka_publish_seconds")),
        panel("Batches published", "short", "A second.",
              (f"sum(rate(praxis_kafka_publish_seconds_count[{RATE}]))", "batches")),
        panel("Waiting in the client", "short", "Messages that the Kafka client holds.",
              ("sum by (instance, client) (praxis_kafka_client_queue_messages)", "{{instance}} {{client}}")),
        panel("How long brokers take", "s", "99 of 100 requests are faster.",
              ("max by (job, broker) (praxis_kafka_broker_rtt_p99_seconds)", "{{job}}, broker {{broker}}")),
        panel("Faults of clients", "short", "As the Kafka client reports them, such as a broker that went away.",
              (f"sum by (job, client) (increase(praxis_kafka_client_faults_total[{RATE}]))", "{{job}} {{client}}")),
        panel("Behind the topic", "short", "Messages of assigned partitions that were not read yet.",
              ("sum by (group) (praxis_kafka_consumer_lag_messages)", "{{group}}")),
        panel("Partitions assigned", "short", "To each projector; together as many as the topic has.",
              ("sum by (group, instance) (praxis_feed_partitions_assigned)", "{{group}} {{instance}}")),
    )


def projection():
    return dashboard(
        "projection", "Read models", "From the topic, or the log, to the rows.", "projector.*",
        panel("Behind the log", "short", "Events, in the slowest partition of each generation.",
              (f"max by (generation) (praxis_projection_lag_events{{{OURS}}})", "generation {{generation}}")),
        panel("Behind the log, by partition", "short", "One that stands alone is one projector's trouble.",
              (f"max by (generation, partition) (praxis_projection_lag_events{{{OURS}}})", "{{generation}} / {{partition}}")),
        panel("From commit to visible", "s", "A rebuild shows as hours.",
              *quantiles("praxis_projection_delay_seconds", "generation", OURS), lines=[(1, "red")]),
        panel("Events folded", "short", "A second.",
              (f"sum by (generation) (rate(praxis_projection_batch_events_sum{{{OURS}}}[{RATE}]))", "generation {{generation}}")),
        panel("Events in a transaction", "short", "Mean. Few at rest, hundreds while something is caught up.",
              (mean("praxis_projection_batch_events", OURS), "mean")),
        panel("Parked streams", "short", "An event of each could not be read.",
              (f"max by (generation) (praxis_projection_parked_streams{{{OURS}}})", "generation {{generation}}"), lines=[(1, "red")]),
        panel("Interrupted and superseded", "short", "Something could not be reached; another projector was first.",
              (f"sum by (generation) (increase(praxis_projection_interruptions_total{{{OURS}}}[{RATE}]))", "{{generation}} interrupted"),
              (f"sum by (generation) (increase(praxis_projection_superseded_total{{{OURS}}}[{RATE}]))", "{{generation}} superseded")),
        panel("Consumers made anew, messages passed over", "short", "What was passed over is read from the log.",
              (f"sum(increase(praxis_feed_reopened_total{{{OURS}}}[{RATE}]))", "made anew"),
              (f"sum(increase(praxis_feed_messages_unreadable_total{{{OURS}}}[{RATE}]))", "passed over")),
        panel("Replicas", "short", "What KEDA makes of the lag.",
              ('kube_deployment_status_replicas_available{namespace="praxis", deployment=~"projector.*"}', "{{deployment}}")),
        *connections(),
    )


def runtime():
    ours = 'namespace="praxis"'
    running = f'{ours}, container!=""'
    return dashboard(
        "runtime", "Runtime and resources", "What the pods use, and what they may use.", None,
        panel("CPU", "short", "Cores.",
              (f"sum by (pod) (rate(container_cpu_usage_seconds_total{{{running}}}[{RATE}]))", "{{pod}}")),
        panel("CPU of what was asked for", "percentunit", "The HPA of the APIs looks at this.",
              (f"sum by (pod) (rate(container_cpu_usage_seconds_total{{{running}}}[{RATE}]))"
               f' / sum by (pod) (kube_pod_container_resource_requests{{{ours}, resource="cpu"}})', "{{pod}}")),
        panel("CPU taken away", "percentunit", "Periods in which a container had to wait for its limit.",
              (f"sum by (pod) (rate(container_cpu_cfs_throttled_periods_total{{{running}}}[{RATE}]))"
               f" / sum by (pod) (rate(container_cpu_cfs_periods_total{{{running}}}[{RATE}]))", "{{pod}}")),
        panel("Memory", "bytes", "The working set, which the limit counts.",
              (f"sum by (pod) (container_memory_working_set_bytes{{{running}}})", "{{pod}}")),
        panel("Memory of the limit", "percentunit", "At 1 the kernel ends the container.",
              (f"sum by (pod) (container_memory_working_set_bytes{{{running}}})"
               f' / sum by (pod) (kube_pod_container_resource_limits{{{ours}, resource="memory"}})', "{{pod}}"), lines=[(0.9, "red")]),
        panel("Restarts", "short", "In the last hour.",
              (f"sum by (pod) (increase(kube_pod_container_status_restarts_total{{{ours}}}[1h]))", "{{pod}}")),
        panel("Network", "Bps", "Received, and sent (below).",
              (f"sum by (pod) (rate(container_network_receive_bytes_total{{{ours}}}[{RATE}]))", "{{pod}} received"),
              (f"sum by (pod) (rate(container_network_transmit_bytes_total{{{ours}}}[{RATE}]))", "{{pod}} sent")),
        panel("Replicas", "short", "Available, and what the scalers allow.",
              (f"kube_deployment_status_replicas_available{{{ours}}}", "{{deployment}}"),
              (f"kube_horizontalpodautoscaler_spec_max_replicas{{{ours}}}", "most of {{horizontalpodautoscaler}}")),
        panel("Volumes", "percentunit", "Free. In dev only: stage and prod keep nothing in the cluster.",
              (f"kubelet_volume_stats_available_bytes{{{ours}}} / kubelet_volume_stats_capacity_bytes{{{ours}}}",
               "{{persistentvolumeclaim}}")),
        panel("Quota", "percentunit", "Used, of what the namespace may have.",
              (f'kube_resourcequota{{{ours}, type="used"}} / on (namespace, resourcequota, resource)'
               f' kube_resourcequota{{{ours}, type="hard"}}', "{{resource}}")),
        panel("Secrets brought from AWS", "short", "Tries in the last three hours; one an hour.",
              ('sum by (name) (increase(externalsecret_sync_calls_total{name=~"praxis-.*"}[3h]))', "{{name}}")),
        panel("KEDA", "short", "Errors.",
              (f"sum by (scaledObject) (increase(keda_scaled_object_errors_total[{RATE}]))", "{{scaledObject}}")),
    )


def main():
    made = {
        "overview": overview(),
        "commands": commands(),
        "queries": http("queries", "Queries", "From a request to the rows.", "query-api"),
        "relay": relay(),
        "projection": projection(),
        "runtime": runtime(),
    }
    texts = {TARGET / f"{name}.json": json.dumps(each, indent=2) + "\n" for name, each in made.items()}
    if sys.argv[1:] == ["--check"]:
        stale = [path.name for path, text in texts.items() if not path.exists() or path.read_text() != text]
        stale += [path.name for path in TARGET.glob("*.json") if path not in texts]
        if stale:
            sys.exit(f"dashboards.py: not what this program writes, run it: {', '.join(sorted(stale))}")
    elif sys.argv[1:]:
        sys.exit("usage: dashboards.py [--check]")
    else:
        TARGET.mkdir(exist_ok=True)
        for path, text in texts.items():
            path.write_text(text)


if __name__ == "__main__":
    main()

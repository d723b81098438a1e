"""Does metrics_check.py refuse what it is there to refuse? Each test breaks one thing in a copy of the project.

Usage: metrics_check_test.py
"""
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import metrics_check

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROMTOOL = subprocess.run(
    [ROOT / "scripts/infra-check/promtool.sh"], stdout=subprocess.PIPE, text=True, check=True
).stdout.strip()
PARTS = ["helm/praxis-platform", "docs", "ARCHITECTURE.md", "scripts/infra-check/scrapes",
         "scripts/infra-check/dashboards.py", "scripts/infra-check/external-metrics.yaml"]


class Expressions(unittest.TestCase):
    def test_names_are_found_and_words_are_not(self):
        found = metrics_check.metrics_of(
            'sum by (le, job) (rate(a_bucket{job=~"x|on", le="0.5"}[5m])) / on (slo) group_left b:c:d > bool 0'
            ' and avg_over_time((max(e))[10m:30s]) offset 10m or 1e3 * f'
        )
        self.assertEqual(found, {"a_bucket", "b:c:d", "e", "f"})

    def test_labels_belong_to_their_metric(self):
        found = metrics_check.selected_labels('a{job="{x}", route!~"/health"} + b{le="1"}')
        self.assertEqual(found, {"a": {"job", "route"}, "b": {"le"}})

    def test_a_scrape_is_names_and_labels(self):
        text = '# TYPE a counter\na{x="1",y="}"} 3\nb 0.5\n'
        self.assertEqual(metrics_check.scraped(text), {"a": {"x", "y"}, "b": set()})

    def test_anchors_are_as_github_makes_them(self):
        self.assertEqual(metrics_check.anchor("The relay's lag: 2 ways"), "the-relays-lag-2-ways")


class Broken(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        for part in PARTS:
            source, target = ROOT / part, self.root / part
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copy)(source, target)

    def change(self, path, old, new):
        file = self.root / path
        text = file.read_text()
        self.assertIn(old, text)
        file.write_text(text.replace(old, new, 1))

    def faults(self, check):
        return "\n".join(getattr(metrics_check.Project(self.root, PROMTOOL), f"check_{check}")())

    def refused(self, check, because):
        self.assertIn(because, self.faults(check))

    def test_nothing_is_refused_as_it_is(self):
        for check in ("rules", "tests", "annotated", "runbook", "dashboards", "metrics", "listed", "objectives"):
            self.assertEqual(self.faults(check), "", check)

    def test_a_rule_that_does_not_parse(self):
        self.change("helm/praxis-platform/rules/commands.yaml", "sum(praxis_relay_leader) > 1", "sum(praxis_relay_leader > 1")
        self.refused("rules", "unclosed left parenthesis")

    def test_a_threshold_that_its_test_does_not_expect(self):
        self.change("helm/praxis-platform/rules/commands.yaml", "> 0.8 * 8192", "> 2 * 8192")
        self.refused("tests", "FAILED")

    def test_an_alert_without_a_test_in_which_it_fires(self):
        path = "helm/praxis-platform/rules/tests/platform.yaml"
        self.change(path, 'alertname="PraxisScalerErrors", alertstate="firing"', 'alertname="PraxisVolumeFills", alertstate="firing"')
        self.refused("tests", "PraxisScalerErrors: no test in which it fires")

    def test_an_alert_without_a_test_in_which_it_is_silent(self):
        path = "helm/praxis-platform/rules/tests/platform.yaml"
        self.change(path, """'ALERTS{alertname="PraxisScalerErrors"}'""", """'ALERTS{alertname="PraxisVolumeFills"}'""")
        self.refused("tests", "PraxisScalerErrors: no test in which it is silent")

    def test_a_silence_that_nothing_is_put_into(self):
        path = "helm/praxis-platform/rules/tests/platform.yaml"
        self.change(path, """[{series: 'keda_scaled_object_errors_total{namespace="praxis", scaledObject="projector-0123abcd"}', values: '0x20 1x40'}]""", "[]")
        self.refused("tests", "PraxisScalerErrors: no test in which it is silent")

    def test_an_alert_that_nobody_knows_the_weight_of(self):
        self.change("helm/praxis-platform/rules/platform.yaml", "severity: critical", "severity: page")
        self.refused("annotated", "severity is not one of")

    def test_an_alert_that_does_not_say_what_is_the_matter(self):
        self.change("helm/praxis-platform/rules/platform.yaml", "description: Running pods keep", "details: Running pods keep")
        self.refused("annotated", "PraxisExternalSecretNotSynced: no description")

    def test_a_link_that_leads_nowhere(self):
        self.change("helm/praxis-platform/rules/platform.yaml", "alerts.md#praxisvolumefills", "alerts.md#praxisvolume")
        self.refused("annotated", "PraxisVolumeFills: its runbook_url leads to no section")

    def test_an_alert_that_the_runbook_does_not_know(self):
        self.change("docs/runbook/alerts.md", "## PraxisVolumeFills", "## PraxisDiskFills")
        self.refused("annotated", "PraxisVolumeFills: its runbook_url leads to no section")
        self.refused("runbook", "PraxisDiskFills: a section without an alert")

    def test_a_section_that_does_not_say_what_to_do(self):
        self.change("docs/runbook/alerts.md", "**Do.** Restart the operator.\n", "")
        self.refused("runbook", "PraxisExternalSecretStale: nothing under Do")

    def test_a_link_within_the_runbook_that_leads_nowhere(self):
        self.change("docs/runbook/alerts.md", "(#praxisappendqueuefills)", "(#praxisappendqueue)")
        self.refused("runbook", "a link leads nowhere")

    def test_a_dashboard_that_was_changed_by_hand(self):
        self.change("helm/praxis-platform/dashboards/relay.json", "Who leads", "Who leads now")
        self.refused("dashboards", "relay.json")

    def test_a_panel_that_does_not_parse(self):
        self.change("helm/praxis-platform/dashboards/relay.json", "max(praxis_relay_lag_events)", "max(praxis_relay_lag_events")
        self.refused("dashboards", "parse error")

    def test_a_variable_that_nobody_puts_in(self):
        self.change("helm/praxis-platform/dashboards/relay.json", "max(praxis_relay_lag_events)", "max(praxis_relay_lag_events[$window])")
        self.refused("dashboards", "a variable nobody puts in")

    def test_a_metric_that_no_service_tells(self):
        self.change("helm/praxis-platform/dashboards/relay.json", "max(praxis_relay_lag_events)", "max(praxis_relay_lag)")
        self.refused("metrics", "praxis_relay_lag is in no scrape")

    def test_a_label_that_the_metric_does_not_have(self):
        self.change("helm/praxis-platform/dashboards/commands.json", 'outcome=\\"hit\\"', 'result=\\"hit\\"')
        self.refused("metrics", "praxis_state_cache_total has no label result")

    def test_a_metric_that_left_the_scrape(self):
        self.change("scripts/infra-check/scrapes/command-api.prom", "\npraxis_append_queue_members ", "\npraxis_append_queue ")
        self.refused("metrics", "praxis_append_queue_members is in no scrape")

    def test_an_exception_that_nobody_needs(self):
        self.change("scripts/infra-check/external-metrics.yaml", "  - argocd_app_info", "  - argocd_app_info\n  - argocd_other")
        self.refused("metrics", "argocd_other: listed as external and used nowhere")

    def test_a_metric_that_nobody_listed(self):
        self.change("docs/metrics.md", "| `praxis_ready` |", "| `praxis_prepared` |")
        self.refused("listed", "praxis_ready is told by query-api and not listed for it")
        self.refused("listed", "praxis_prepared is not told by query-api")

    def test_a_metric_that_a_program_is_listed_for_and_does_not_tell(self):
        self.change("docs/metrics.md", "| praxis serve, command-api | Appends that wait", "| command-api, projector | Appends that wait")
        self.refused("listed", "praxis_append_queue_members is not told by projector")

    def test_a_metric_listed_with_another_type_or_label(self):
        self.change("docs/metrics.md", "`praxis_relay_leader` | gauge |", "`praxis_relay_leader` | counter |")
        self.change("docs/metrics.md", "`praxis_ready` | gauge | `check` |", "`praxis_ready` | gauge | `reason` |")
        self.refused("listed", "praxis_relay_leader is a gauge with labels []")
        self.refused("listed", "praxis_ready is a gauge with labels ['check']")

    def test_an_objective_that_the_page_does_not_name(self):
        self.change("docs/slo.md", "| `freshness` |", "| freshness |")
        self.refused("objectives", "says nothing of freshness")

    def test_an_expression_that_no_rule_records(self):
        self.change("docs/slo.md", "praxis:slo_burn:5m", "praxis:slo_burn:7m")
        self.refused("objectives", "praxis:slo_burn:7m is recorded by no rule")


if __name__ == "__main__":
    unittest.main()

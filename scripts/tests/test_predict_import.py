"""Does scripts/predict-import.py predict what its rules say?

    python3 -m unittest discover -s scripts/tests
"""

import datetime
import importlib.util
import itertools
import json
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURE = ROOT / "praxis/tests/fixtures/fhir-small"
TODAY = datetime.date(2026, 1, 1)

sys.dont_write_bytecode = True
spec = importlib.util.spec_from_file_location("predict_import", ROOT / "scripts/predict-import.py")
predict_import = importlib.util.module_from_spec(spec)
spec.loader.exec_module(predict_import)


def predict(folder, **options):
    return predict_import.Prediction(folder, TODAY, **options).run()


class PredictImport(unittest.TestCase):
    maxDiff = None

    def test_the_small_fixture_gives_the_checked_prediction(self):
        expected = json.loads((FIXTURE / "expected.json").read_text(encoding="utf-8"))
        self.assertEqual(predict(FIXTURE).as_json(), expected)
        self.assertEqual(predict(FIXTURE, as_commands=True).as_json(), expected)

    def test_recorded_visits_of_one_party_never_overlap(self):
        for span in predict(FIXTURE).taken.values():
            for (start, end, _), (other_start, other_end, _) in itertools.combinations(span, 2):
                self.assertTrue(end <= other_start or other_end <= start)

    def test_a_second_import_records_nothing_and_refuses_the_same_lines(self):
        first = predict(FIXTURE).as_json()
        prediction = predict(FIXTURE)
        second = prediction.run().as_json()
        self.assertEqual(second["appointments"], first["appointments"])
        for name, report in second["files"].items():
            self.assertEqual(report["recorded"], [])
            self.assertEqual(sorted(report["unchanged"]), sorted(first["files"][name]["recorded"]))
            for now, before in zip(report["refused"], first["files"][name]["refused"], strict=True):
                self.assertEqual(now["line"], before["line"])
                later = ["practitioner_busy"] if now["source"] == "Encounter/overlaps-by-a-microsecond" else []
                self.assertEqual(now["reasons"], before["reasons"] + later)

    def test_reasons_of_both_levels_are_listed_unless_only_commands_are_asked_for(self):
        lines = (FIXTURE / "Encounter.ndjson").read_text(encoding="utf-8").split("\n")
        visit = next(json.loads(line) for line in lines if '"id":"first"' in line)
        clash = {**visit, "id": "second", "status": "in-progress"}
        with tempfile.TemporaryDirectory() as folder:
            for kind in predict_import.FILES[:-1]:
                pathlib.Path(folder, kind + ".ndjson").write_bytes((FIXTURE / (kind + ".ndjson")).read_bytes())
            pathlib.Path(folder, "Encounter.ndjson").write_text(json.dumps(clash) + "\n" + json.dumps(visit), encoding="utf-8")
            every = predict(folder).files["Encounter"]["refused"]
            learnt = predict(folder, as_commands=True).files["Encounter"]["refused"]
        self.assertEqual(every[0]["reasons"], ["patient_busy", "practitioner_busy", "status_not_importable"])
        self.assertEqual(learnt[0]["reasons"], ["status_not_importable"])

    def test_an_instant_is_exact_or_none(self):
        parse = predict_import.parse_instant
        self.assertEqual(parse("1970-01-01T00:00:00Z"), 0)
        self.assertEqual(parse("1969-12-31T23:59:59.999999Z"), -1)
        self.assertEqual(parse("1970-01-01T05:30:00.000001000+05:30"), 1)
        self.assertEqual(parse("1969-12-31T10:00:00-14:00"), 0)
        self.assertEqual(parse("1928-11-05T05:50:16-05:00"), -1_298_725_784 * 1_000_000)
        for text in (
            "2021-01-01", "2021-01-01T09:00:00", "2021-01-01T09:00Z", "2021-01-01T24:00:00Z", "2016-12-31T23:59:60Z",
            "2021-02-29T09:00:00Z", "2021-01-01t09:00:00z", "2021-01-01 09:00:00Z", "2021-01-01T09:00:00+14:01",
            "2021-01-01T09:00:00.0000001Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00",
        ):
            with self.subTest(text):
                self.assertIsNone(parse(text))

    def test_addresses_and_numbers_are_judged_by_shape(self):
        for text in ("José3.Örn4@example.org", "d'amore443@example.com"):
            self.assertTrue(predict_import.is_email(text), text)
        for text in ("a@b", "a b@example.org", ".a@example.org", "a@-b.org", "@example.org", "a@example..org"):
            self.assertFalse(predict_import.is_email(text), text)
        for text, country in (("555-199-5195", "US"), ("(555) 199 5195", None), ("+41 44 268 12 34", "CH")):
            self.assertTrue(predict_import.is_phone(text, country), text)
        for text, country in (("044 268 12 34", "CH"), ("+0123456789", "US"), ("+1234567890123456", None), ("12-34", "US")):
            self.assertFalse(predict_import.is_phone(text, country), text)


if __name__ == "__main__":
    unittest.main()

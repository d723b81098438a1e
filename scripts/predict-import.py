#!/usr/bin/env python3
"""What must `praxis import fhir DIR` record, and what must it refuse, and why?

A second opinion, written apart from the importer and in another language: it reads the same files, applies the
rules below, and says which records become streams. Standard library only; the same input gives the same output.

    scripts/predict-import.py DIR              a summary
    scripts/predict-import.py DIR --json       every record: recorded, unchanged or refused with all its reasons
    scripts/predict-import.py DIR --again      the second import of the same files: it records nothing, but what it
                                               refuses may also overlap what the first recorded later

Reading
  * One JSON object per line (UTF-8, split at LF only); blank lines are skipped but counted. A missing file is empty.
  * `malformed`, always alone: not JSON, half of a surrogate pair, a member named twice, another resourceType, no FHIR
    id, an encounter without status, or a member that the import reads has another JSON type. `duplicate_id`, also
    alone: an earlier well-formed line of this file has the id.
  * The source id is the resource type and id. A source id recorded by an earlier import is unchanged.
  * Order: locations, practitioners, roles, patients as in their files, then encounters by start instant, then by
    id in byte order; those without a valid period come last, by id.

Values of patients and practitioners (domain rules; one reason code per field and fault)
  * The name is the official one, else the first that is not maiden, old, nickname or anonymous, else the first. One
    name alone will do: family, else all given names, else text. NFC, blanks reduced, 1 to 100 characters, digits
    allowed; at most 10 given names.
  * `birthDate`: YYYY and YYYY-MM are allowed, and none at all, because the domain knows patients of unknown age. It is
    at fault only when every day it can mean is: in the future, or more than 125 completed years ago. Today is the date
    where the day is furthest on (+14:00): nobody born today is to be refused.
  * Phones become E.164 by shape alone: with `+` or 00, 7 to 15 digits; without, 10 digits of the North American plan
    where the first address is in US or CA, or absent. Numbers that the plan never gave out pass (all test data has
    them).
  * E-mail by shape, RFC 6531 included: people have accents and apostrophes in their addresses.
  * The first address is recorded: at most 5 lines; lines and city up to 100 characters, the postcode up to 16.
  * At most 20 identifiers of an absolute URI (up to 255 characters) and a value (up to 128), at most 10 phones and
    10 e-mails.
  * One identifier (system and value) belongs to one record of its type: the second is refused, `identifier_taken`.
Locations: a name of 1 to 100 characters, or else a description; a zone stated in the timezone extension must exist.
Roles become no stream, they describe practitioners; their speciality codes are up to 64 visible ASCII characters.

Encounters
  * Level 1, the record: `status_not_importable` (only `finished` is), `period_missing`, `period_invalid` (no instant
    with an offset, finer than a microsecond, or end <= start), `patient_unknown`, `practitioner_unknown`,
    `location_unknown` (absent, not found, or itself refused). Practitioner and location: the first of each. References
    are `Type/id`, `Type?identifier=system|value`, or an identifier in place of a reference.
  * Level 2, the command: `patient_busy`, `practitioner_busy` (half-open [start, end) overlaps a recorded one; touching
    does not; a refused encounter takes no time), `in_the_future` (what is recorded has ended), and "alive at that
    time", judged by the start: `visit_after_death` when it is at or after the instant of death, `before_birth` when it
    precedes the birth date in every time zone. So a visit may be open at death. Birth dates and partial deaths are days
    of an unknown zone: a birth date begins at +14:00, a partial death ends at -12:00, and only what is surely outside
    is refused. `deceasedBoolean` bars nothing.
  * Every reason of both levels is listed; `--as-commands` leaves level 2 out where level 1 has one, because a client
    of the command API never sends such a record and cannot know. Likewise of a person: that an identifier is taken, by
    a record that this run has not come to, is not known where the values have faults.
"""

import argparse
import datetime
import json
import pathlib
import re
import sys
import time
import unicodedata
import zoneinfo

FILES = ("Location", "Practitioner", "PractitionerRole", "Patient", "Encounter")
COMMAND_REASONS = {"in_the_future", "patient_busy", "practitioner_busy", "visit_after_death", "before_birth"}
NAME_LEN_MAX = 100
GIVEN_NAMES_MAX = 10
CONTACT_POINTS_MAX = 10
IDENTIFIERS_MAX = 20
ADDRESS_LINES_MAX = 5
POSTCODE_LEN_MAX = 16
LANGUAGE_LEN_MAX = 35
TIME_ZONE = "http://hl7.org/fhir/StructureDefinition/timezone"
AGE_YEARS_MAX = 125
SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
EPOCH = datetime.date(1970, 1, 1)

FHIR_ID = re.compile(r"[A-Za-z0-9.\-]{1,64}")
DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
INSTANT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])(?:\.([0-9]+))?"
    r"(?:Z|([+-])(?:(0[0-9]|1[0-3]):([0-5][0-9])|14:00))"
)
LANGUAGE = re.compile(  # RFC 5646 section 2.1, without the grandfathered tags
    r"(?:[A-Za-z]{2,3}(?:-[A-Za-z]{3}){0,3}|[A-Za-z]{4,8})(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?"
    r"(?:-(?:[A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*(?:-[A-WYZa-wyz0-9](?:-[A-Za-z0-9]{2,8})+)*(?:-[Xx](?:-[A-Za-z0-9]{1,8})+)?"
)
GRANDFATHERED = frozenset(  # RFC 5646 section 2.2.8: tags that the syntax above does not make
    "en-gb-oed i-ami i-bnn i-default i-enochian i-hak i-klingon i-lux i-mingo i-navajo i-pwn i-tao i-tay i-tsu sgn-be-fr"
    " sgn-be-nl sgn-ch-de".split()
)
COUNTRIES = frozenset(  # ISO 3166-1 alpha-2, the 249 assigned codes
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD"
    " CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF"
    " GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN"
    " KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA"
    " NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI"
    " SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI"
    " VN VU WF WS YE YT ZA ZM ZW".split()
)


REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # they disguise the text around them


class Malformed(Exception):
    """The line cannot be read as a record of its file."""


def member(record, key, kind, absent=None):
    """The member of the JSON type `kind`, or `absent` when it is not there or empty."""
    value = record.get(key)
    if value is None:
        return absent
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise Malformed
    return value if kind is bool or value else absent


def items(record, key, kind=dict):
    """The list `key`, whose members are all of the JSON type `kind`; empty when absent."""
    values = member(record, key, list, [])
    if not all(isinstance(value, kind) for value in values):
        raise Malformed
    return values


def parse_line(line, resource_type):
    """The JSON object of one line and its id."""

    def no_twins(pairs):
        if len({key for key, _ in pairs}) != len(pairs):
            raise Malformed
        return dict(pairs)

    def no_constant(_name):
        raise Malformed

    try:
        record = json.loads(line.decode("utf-8"), object_pairs_hook=no_twins, parse_constant=no_constant)
        json.dumps(record, ensure_ascii=False).encode("utf-8")  # half of a surrogate pair is no character
    except (ValueError, RecursionError):  # UnicodeDecodeError, UnicodeEncodeError and JSONDecodeError are ValueErrors
        raise Malformed from None
    if not isinstance(record, dict) or record.get("resourceType") != resource_type:
        raise Malformed
    source = member(record, "id", str, "")
    if not FHIR_ID.fullmatch(source):
        raise Malformed
    return record, source


# Times are microseconds since 1970-01-01T00:00Z: integers, so that nothing is rounded.


def day_us(day, offset_hours):
    """The instant at which `day` begins where the clock is `offset_hours` ahead of UTC."""
    return (day - EPOCH).days * 24 * HOUR_US - offset_hours * HOUR_US


FIRST_US = day_us(datetime.date.min, 0)
LAST_US = day_us(datetime.date.max, 0) + 24 * HOUR_US - 1


def parse_instant(text):
    """An instant with an offset, exact to the microsecond, or None."""
    found = INSTANT.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second, fraction, sign, hours, minutes = found.groups()
    fraction = (fraction or "").rstrip("0")
    if len(fraction) > 6:
        return None
    try:
        midnight = day_us(datetime.date(int(year), int(month), int(day)), 0)
    except ValueError:
        return None
    offset_min = 0
    if sign:
        offset_min = (int(hours) * 60 + int(minutes) if hours else 14 * 60) * (1 if sign == "+" else -1)
    seconds = int(hour) * 3_600 + (int(minute) - offset_min) * 60 + int(second)
    instant = midnight + seconds * SECOND_US + int(fraction.ljust(6, "0"))
    return instant if FIRST_US <= instant <= LAST_US else None


def parse_date(text):
    """The first and last day that a full or partial date can mean, or None."""
    found = DATE.fullmatch(text)
    if not found:
        return None
    year, month, day = (part and int(part) for part in found.groups())
    try:
        first = datetime.date(year, month or 1, day or 1)
        if day:
            return first, first
        after = datetime.date(year + (month is None or month == 12), 1 if month is None else month % 12 + 1, 1)
        return first, after - datetime.timedelta(days=1)
    except (ValueError, OverflowError):
        return None


def show(micros):
    """RFC 3339 in UTC, with a fraction only where there is one."""
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=micros)
    return moment.isoformat() + "Z"


def completed_years(born, today):
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


# Values: each answers the reason codes of its faults.


def clean(text):
    return unicodedata.normalize("NFC", " ".join(text.split()))


def worded_faults(name, text, len_max=NAME_LEN_MAX):
    """The faults of a text of one line; `text` is as written."""
    if any(unicodedata.category(char) == "Cc" or char in REORDERING for char in text.strip()):
        yield f"{name}_invalid"
    elif len(clean(text)) > len_max:
        yield f"{name}_too_long"


def name_faults(record):
    names = items(record, "name")
    for name in names:
        items(name, "given", str)
        for key in ("family", "text", "use"):
            member(name, key, str)
    usual = [name for name in names if name.get("use") not in ("maiden", "old", "nickname", "anonymous")]
    chosen = ([name for name in names if name.get("use") == "official"] or usual or names or [{}])[0]
    given = [clean(part) for part in items(chosen, "given", str) if part.strip()]
    family = clean(member(chosen, "family", str, ""))
    if not family:
        family, given = " ".join(given) or clean(member(chosen, "text", str, "")), []
    if not family:
        yield "family_name_missing"
    yield from worded_faults("family_name", family)
    if len(given) > GIVEN_NAMES_MAX:
        yield "given_name_too_many"
    else:
        for part in given:
            yield from worded_faults("given_name", part)


def is_phone(text, country):
    written = "".join(text.split())
    national = re.sub(r"[().\-/]", "", written)
    if country in (None, "US", "CA") and re.fullmatch(r"1?[0-9]{10}", national):
        return True
    found = re.fullmatch(r"\(*(?:\+|00)(.*)", written)
    digits = re.sub(r"[().\-/]", "", found[1].replace("(0)", "", 1)) if found else ""
    return bool(re.fullmatch(r"[1-9][0-9]{6,14}", digits))


ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff]+"


def is_email(text):
    local, at, domain = unicodedata.normalize("NFC", text.strip()).rpartition("@")
    labels = domain.split(".")
    quoted = re.fullmatch(r'"[!#-\[\]-~\u0080-\U0010ffff]+"', local)
    return (
        bool(at)
        and 1 <= len(local.encode()) <= 64
        and len(local.encode()) + 1 + len(domain.encode()) <= 254
        and len(labels) >= 2
        and all(re.fullmatch(ATOM, label) and len(label.encode()) <= 63 for label in labels)
        and not any(label.startswith("-") or label.endswith("-") for label in labels)
        and bool(quoted or all(re.fullmatch(ATOM, part) for part in local.split(".")))
    )


def is_language(code):
    private = re.fullmatch(r"[Xx](?:-[A-Za-z0-9]{1,8})+", code)
    return len(code) <= LANGUAGE_LEN_MAX and bool(LANGUAGE.fullmatch(code) or private or code.lower() in GRANDFATHERED)


def address_faults(address):
    lines = items(address, "line", str)
    faults = [fault for line in lines for fault in worded_faults("address", line)]
    faults += worded_faults("address", member(address, "city", str, ""))
    faults += worded_faults("address", member(address, "postalCode", str, "").upper(), POSTCODE_LEN_MAX)
    country = member(address, "country", str, "").strip().upper()
    # An address with a faulty part is not the one that was meant, so its lines are not counted.
    too_many = len(lines) > ADDRESS_LINES_MAX and not faults and country in COUNTRIES | {""}
    return faults + ["address_too_many"] * too_many


def is_identifier(system, value):
    is_uri = re.fullmatch(r"[A-Za-z][A-Za-z0-9+.\-]*:[!#-;=?-\[\]_a-z~]+", system)
    shows = not any(unicodedata.category(char) == "Cc" for char in value)
    return bool(is_uri) and len(system) <= 255 and shows and 1 <= len(value) <= 128


def person_faults(record):
    """Name, gender, contacts and language: the same for patients and practitioners."""
    yield from name_faults(record)
    if member(record, "gender", str, "unknown") not in ("male", "female", "other", "unknown"):
        yield "gender_invalid"
    addresses = items(record, "address")
    countries = [(member(address, "country", str) or "").strip().upper() or None for address in addresses]
    if any(country is not None and country not in COUNTRIES for country in countries):
        yield "country_invalid"
    for index, address in enumerate(addresses):
        faults = address_faults(address)
        yield from faults if index == 0 else []
    points = {"phone": [], "email": []}
    for contact in items(record, "telecom"):
        system, value = member(contact, "system", str), member(contact, "value", str)
        if value and system in ("phone", "sms", "email"):
            points["email" if system == "email" else "phone"].append(value)
    country = countries[0] if countries else None
    for name, is_right in (("phone", lambda value: is_phone(value, country)), ("email", is_email)):
        if len(points[name]) > CONTACT_POINTS_MAX:
            yield f"{name}_too_many"
        elif not all(map(is_right, points[name])):
            yield f"{name}_invalid"
    pairs = identifiers(record)
    if len(pairs) > IDENTIFIERS_MAX:
        yield "identifier_too_many"
    elif not all(is_identifier(*pair) for pair in pairs):
        yield "identifier_invalid"
    for communication in items(record, "communication"):
        member(communication, "preferred", bool)
        for coding in items(member(communication, "language", dict, {}), "coding"):
            code = member(coding, "code", str)
            if code and not is_language(code.strip()):
                yield "language_invalid"


def life(record, now):
    """The reasons against a patient's dates, the instant from which one was surely born, and the instant of death."""
    member(record, "deceasedBoolean", bool)
    birth_text, death_text = member(record, "birthDate", str), member(record, "deceasedDateTime", str)
    reasons, born_us, death_us = [], None, None
    birth = parse_date(birth_text.strip()) if birth_text else None
    if birth:
        born_us = day_us(birth[0], 14)
        if birth[0] > now.today:
            reasons.append("birth_date_in_future")
        if completed_years(birth[1], now.today) > AGE_YEARS_MAX:
            reasons.append("age_over_limit")
    elif birth_text:
        reasons.append("birth_date_invalid")
    if death_text:
        days = parse_date(death_text)
        death_us = day_us(days[1], -12) + 24 * HOUR_US if days else parse_instant(death_text)
        if death_us is None:
            reasons.append("death_invalid")
        else:
            if (day_us(days[0], 14) if days else death_us) > now.micros:
                reasons.append("death_in_future")
            if born_us is not None and death_us < born_us:
                reasons.append("death_before_birth")
    return reasons, born_us, death_us


def identifiers(record):
    return {pair for pair in map(identifier_pair, items(record, "identifier")) if pair}


def identifier_pair(identifier):
    """System and value as they are compared, or None when one is absent."""
    system, value = member(identifier, "system", str), member(identifier, "value", str)
    return normal_pair(system, value) if system and value else None


def normal_pair(system, value):
    return system.strip(), unicodedata.normalize("NFC", value.strip())


def specialities(record):
    """The codes of a role's specialities."""
    codings = [coding for concept in items(record, "specialty") for coding in items(concept, "coding")]
    return [code for code in (member(coding, "code", str) for coding in codings) if code]


def location_faults(record):
    name, description = member(record, "name", str, ""), member(record, "description", str, "")
    chosen = name if name.strip() else description
    reasons = list(worded_faults("name", chosen)) if chosen.strip() else ["name_missing"]
    zones = [
        member(extension, "valueCode", str)
        for extension in items(record, "extension")
        if member(extension, "url", str) == TIME_ZONE
    ]
    stated = next((zone for zone in zones if zone), None)
    if stated and stated not in zoneinfo.available_timezones():
        reasons.append("zone_unknown")
    return reasons


class Now:
    """The moment of the import, and the date where the day is furthest on."""

    def __init__(self, micros):
        self.micros = micros
        self.today = EPOCH + datetime.timedelta(days=(micros + 14 * HOUR_US) // (24 * HOUR_US))


class Prediction:
    """What is recorded and refused, filled file by file; `again` imports into what it left."""

    def __init__(self, folder, now, as_commands=False):
        self.folder, self.now, self.as_commands = pathlib.Path(folder), now, as_commands
        self.known = {kind: {} for kind in FILES}  # source id -> what later records need of it
        self.by_identifier = {}  # (type, system, value) -> source id
        self.taken = {}  # ("patient" or "practitioner", id) -> [(start, end, encounter id)]
        self.appointments = []
        self.files = {}
        self.passed = set()  # (type, system, value) that this run has found to be a record's

    def run(self):
        self.passed = set()
        self.files = {kind: {"recorded": [], "unchanged": [], "refused": []} for kind in FILES}
        for kind in FILES[:-1]:
            for line, source, record in self.read(kind):
                self.settle(kind, line, source, getattr(self, "judge_" + kind.lower()), record)
        encounters = []
        for line, source, record in self.read("Encounter"):
            visit = self.parse_encounter(record)
            start = visit["start"]
            encounters.append(((start is None, start or 0, source.encode()), line, source, visit))
        for _, line, source, visit in sorted(encounters, key=lambda entry: entry[0]):
            self.settle("Encounter", line, source, self.judge_encounter, visit)
        for report in self.files.values():
            report["refused"].sort(key=lambda refusal: refusal["line"])
        return self

    def read(self, kind):
        path, seen = self.folder / (kind + ".ndjson"), set()
        for number, line in enumerate(path.read_bytes().split(b"\n") if path.exists() else [], start=1):
            if not line.strip():
                continue
            try:
                record, source = parse_line(line, kind)
                self.check_types(kind, record)
            except Malformed:
                self.refuse(kind, number, None, ["malformed"])
                continue
            if source in seen:
                self.refuse(kind, number, source, ["duplicate_id"])
                continue
            seen.add(source)
            yield number, source, record

    def check_types(self, kind, record):
        """A record with a member of a wrong type is malformed as a whole, before its values are looked at."""
        if kind == "Encounter":
            self.parse_encounter(record)
            return
        identifiers(record)
        if kind in ("Patient", "Practitioner"):
            list(person_faults(record))
        if kind == "Patient":
            life(record, self.now)
        if kind == "PractitionerRole":
            self.role_parties(record)
            specialities(record)
        if kind == "Location":
            location_faults(record)

    def refuse(self, kind, line, source, reasons):
        self.files[kind]["refused"].append(
            {"source": source and f"{kind}/{source}", "file": kind + ".ndjson", "line": line, "reasons": reasons}
        )

    def settle(self, kind, line, source, judge, record):
        if source in self.known[kind]:
            self.files[kind]["unchanged"].append(f"{kind}/{source}")
            self.passed.update(key for key, owner in self.by_identifier.items() if (key[0], owner) == (kind, source))
            return
        reasons, keep = judge(source, record)
        reasons = set(reasons)
        if self.as_commands and reasons - COMMAND_REASONS - {"identifier_taken"}:
            reasons -= COMMAND_REASONS
            if not any((kind, *pair) in self.passed for pair in identifiers(record)):
                reasons -= {"identifier_taken"}
        if reasons:
            self.refuse(kind, line, source, sorted(reasons))
            return
        keep()
        self.files[kind]["recorded"].append(f"{kind}/{source}")

    def judge_stream(self, kind, source, record, reasons, kept=True):
        own = identifiers(record)
        if any((kind, *pair) in self.by_identifier for pair in own):
            reasons.append("identifier_taken")

        def keep():
            self.known[kind][source] = kept
            self.by_identifier.update({(kind, *pair): source for pair in own})
            self.passed.update((kind, *pair) for pair in own)

        return reasons, keep

    def judge_location(self, source, record):
        return self.judge_stream("Location", source, record, location_faults(record))

    def judge_practitioner(self, source, record):
        return self.judge_stream("Practitioner", source, record, list(person_faults(record)))

    def judge_patient(self, source, record):
        reasons, born_us, death_us = life(record, self.now)
        return self.judge_stream("Patient", source, record, reasons + list(person_faults(record)), (born_us, death_us))

    def role_parties(self, record):
        """A role names its practitioner and the places of work, of which it may have none."""
        practitioner = self.resolve("Practitioner", member(record, "practitioner", dict, {}))
        return practitioner, [self.resolve("Location", place) for place in items(record, "location")]

    def judge_practitionerrole(self, source, record):
        practitioner, places = self.role_parties(record)
        reasons = [] if practitioner else ["practitioner_unknown"]
        if not all(places):
            reasons.append("location_unknown")
        if not all(re.fullmatch(r"[!-~]{1,64}", code) for code in specialities(record)):
            reasons.append("speciality_invalid")
        return reasons, lambda: self.known["PractitionerRole"].update({source: True})

    def resolve(self, kind, reference):
        """The id of the recorded `kind` that a FHIR Reference means, or None."""
        text, pair = member(reference, "reference", str), identifier_pair(member(reference, "identifier", dict, {}))
        if text is None:
            return self.by_identifier.get((kind, *pair)) if pair else None
        search = f"{kind}?identifier="
        if text.startswith(search):
            system, _, value = text[len(search) :].partition("|")
            return self.by_identifier.get((kind, *normal_pair(system, value)))
        source = text.removeprefix(f"{kind}/")
        return source if source != text and source in self.known[kind] else None

    def parse_encounter(self, record):
        status = member(record, "status", str)
        if status is None:
            raise Malformed
        period = member(record, "period", dict, {})
        texts = [member(period, side, str) for side in ("start", "end")]
        start, end = (text and parse_instant(text) for text in texts)
        reasons = [] if status == "finished" else ["status_not_importable"]
        if None in texts:
            reasons.append("period_missing")
        if any(text and parse_instant(text) is None for text in texts):
            reasons.append("period_invalid")
        if start is not None and end is not None and end <= start:
            reasons.append("period_invalid")
        people = [self.resolve("Practitioner", member(entry, "individual", dict, {})) for entry in items(record, "participant")]
        places = [self.resolve("Location", member(entry, "location", dict, {})) for entry in items(record, "location")]
        parties = {
            "patient": self.resolve("Patient", member(record, "subject", dict, {})),
            "practitioner": people[0] if people else None,
            "location": places[0] if places else None,
        }
        reasons += [f"{kind}_unknown" for kind, source in parties.items() if source is None]
        valid = not {"period_missing", "period_invalid"} & set(reasons)
        return {"start": start if valid else None, "end": end if valid else None, "reasons": reasons, **parties}

    def judge_encounter(self, source, visit):
        reasons, start, end = list(visit["reasons"]), visit["start"], visit["end"]
        spans = {kind: self.taken.setdefault((kind, visit[kind]), []) for kind in ("patient", "practitioner") if visit[kind]}
        if start is not None:
            for kind, span in spans.items():
                if any(start < other_end and other_start < end for other_start, other_end, _ in span):
                    reasons.append(f"{kind}_busy")
            if end > self.now.micros:
                reasons.append("in_the_future")
            born_us, death_us = self.known["Patient"].get(visit["patient"], (None, None))
            if born_us is not None and start < born_us:
                reasons.append("before_birth")
            if death_us is not None and start >= death_us:
                reasons.append("visit_after_death")

        def keep():
            self.known["Encounter"][source] = True
            for span in spans.values():
                span.append((start, end, source))
            parties = {kind: f"{kind.capitalize()}/{visit[kind]}" for kind in ("patient", "practitioner", "location")}
            self.appointments.append({"source": f"Encounter/{source}", "start": show(start), "end": show(end), **parties})

        return reasons, keep

    def as_json(self):
        files = {kind + ".ndjson": self.files[kind] for kind in FILES}
        totals = {name: {outcome: len(found) for outcome, found in report.items()} for name, report in files.items()}
        return {"totals": totals, "files": files, "appointments": self.appointments}


def summary(found):
    lines = []
    for name, report in found["files"].items():
        lines.append(f"{name:24}" + " ".join(f"{len(report[key]):6} {key}" for key in ("recorded", "unchanged", "refused")))
        counts = {}
        for refusal in report["refused"]:
            key = ", ".join(refusal["reasons"])
            counts[key] = counts.get(key, 0) + 1
        lines += [f"    {count:6}  {key}" for key, count in sorted(counts.items())]
    refused = [refusal for report in found["files"].values() for refusal in report["refused"]]
    if refused:
        lines.append("Refused, one by one:")
    lines += [f"  {r['file']}:{r['line']}  {r['source'] or '-'}  {', '.join(r['reasons'])}" for r in refused]
    return "\n".join(lines)


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", metavar="DIR", help="the folder with the .ndjson files")
    parser.add_argument("--json", action="store_true", help="print every record instead of a summary")
    parser.add_argument("--again", action="store_true", help="predict the second import of the same files")
    parser.add_argument("--as-commands", action="store_true", help="only the reasons a client of the command API can learn")
    parser.add_argument("--today", type=datetime.date.fromisoformat, help="judge as at noon (UTC) of that date")
    options = parser.parse_args(arguments)
    if not any((pathlib.Path(options.folder) / (kind + ".ndjson")).is_file() for kind in FILES):
        parser.error(f"no {', '.join(kind + '.ndjson' for kind in FILES)} in {options.folder}")
    micros = day_us(options.today, 0) + 12 * HOUR_US if options.today else time.time_ns() // 1_000
    prediction = Prediction(options.folder, Now(micros), options.as_commands).run()
    if options.again:
        prediction.run()
    found = prediction.as_json()
    print(json.dumps(found, indent=1, ensure_ascii=False) if options.json else summary(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

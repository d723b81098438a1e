//! Which practice does a seed make? Invented people, places and times: the same seed and day give the same practice.

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};
use praxis_calendar::local::local_to_utc;
use praxis_calendar::zone::Zone;
use serde_json::{Value, json};

/// Appointments of one patient in the two half-years around today.
const APPOINTMENTS_PER_PATIENT: u64 = 5;

/// Days before and after today that have appointments; the horizon for bookings is 180.
const DAYS_EACH_WAY: u64 = 170;

/// Quarter-hours of a working day, from 08:00.
const SLOTS_PER_DAY: u64 = 36;

/// One in so many patients has a conversation with a practitioner.
pub const PATIENTS_PER_THREAD: u64 = 10;

const ZONE: &str = "Europe/Zurich";

const FAMILY: [&str; 40] = [
    "Aebischer",
    "Bachmann",
    "Berger",
    "Bianchi",
    "Brunner",
    "Caflisch",
    "Dubois",
    "Egli",
    "Favre",
    "Ferrari",
    "Frei",
    "Gasser",
    "Gerber",
    "Graf",
    "Huber",
    "Imhof",
    "Jost",
    "Kaufmann",
    "Keller",
    "Kälin",
    "Lüthi",
    "Maurer",
    "Meier",
    "Moreau",
    "Müller",
    "Nguyen",
    "Odermatt",
    "Petrović",
    "Quadri",
    "Rossi",
    "Roth",
    "Schmid",
    "Schneider",
    "Steiner",
    "Suter",
    "Tanner",
    "Vogel",
    "Weber",
    "Zehnder",
    "Zürcher",
];

const GIVEN: [&str; 40] = [
    "Ada", "Alain", "Alma", "Andri", "Anna", "Arjun", "Bea", "Carla", "Chiara", "Daniel", "Elif", "Emil",
    "Enea", "Fatima", "Flurina", "Gian", "Hana", "Ines", "Jan", "Jeanne", "Jonas", "Kai", "Lea", "Leon",
    "Lina", "Luca", "Mai", "Matteo", "Mila", "Nils", "Noor", "Olga", "Paul", "Rea", "Sami", "Sofia", "Tim",
    "Urs", "Yara", "Zoé",
];

const SPECIALITIES: [&str; 4] = ["394802001", "394814009", "408443003", "394537008"];

const REASONS: [&str; 6] = [
    "yearly check",
    "cough for a week",
    "blood pressure",
    "vaccination",
    "back pain",
    "to discuss results",
];

const MESSAGES: [&str; 4] = [
    "Could we look at my results together?",
    "They are in, and nothing needs haste. We can talk on your next visit.",
    "Thank you, that helps.",
    "Please bring your list of medicines along.",
];

/// When a planned visit is, and who meets whom, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Its number in the plan.
    pub number: u64,
    /// Which patient.
    pub patient: u64,
    /// Which practitioner, who works at the location of the same number modulo the count.
    pub practitioner: u64,
    /// From when.
    pub starts: DateTime<Utc>,
    /// Until when.
    pub ends: DateTime<Utc>,
}

/// A practice to make.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many patients.
    pub patients: u64,
    /// How many practitioners: enough for everybody's appointments.
    pub practitioners: u64,
    /// How many locations.
    pub locations: u64,
    seed: u64,
    now: DateTime<Utc>,
    zone: Zone,
    days: Vec<NaiveDate>,
}

impl Plan {
    /// The practice of a seed, around an instant.
    ///
    /// # Errors
    /// Only if the zone were not known.
    pub fn new(patients: u32, seed: u64, now: DateTime<Utc>) -> anyhow::Result<Self> {
        let patients = u64::from(patients);
        let zone = Zone::parse(ZONE)?;
        let days = workdays(now.date_naive());
        let slots_of_one = SLOTS_PER_DAY * u64::try_from(days.len())?;
        // Two thirds of the offered time is taken.
        let practitioners = (patients * APPOINTMENTS_PER_PATIENT * 3 / (2 * slots_of_one) + 1).max(3);
        Ok(Self {
            patients,
            practitioners,
            locations: 2.min(practitioners),
            seed,
            now,
            zone,
            days,
        })
    }

    /// The document that registers a location.
    pub fn location(&self, number: u64) -> Value {
        let name = ["Seefeld", "Bahnhofplatz"][usize::try_from(number % 2).unwrap_or(0)];
        json!({ "name": format!("Practice at {name}"), "zone": ZONE, "source": self.source("location", number) })
    }

    /// The document that registers a practitioner.
    pub fn practitioner(&self, number: u64) -> Value {
        let mut random = self.random("practitioner", number);
        json!({
            "family_name": pick(&mut random, &FAMILY),
            "given_names": [pick(&mut random, &GIVEN)],
            "specialities": [pick(&mut random, &SPECIALITIES)],
            "source": self.source("practitioner", number),
        })
    }

    /// The document that registers a patient.
    pub fn patient(&self, number: u64) -> Value {
        let mut random = self.random("patient", number);
        let (year, month, day) = (random.u32(1932..=2023), random.u32(1..=12), random.u32(1..=28));
        let family = pick(&mut random, &FAMILY);
        let given = pick(&mut random, &GIVEN);
        let phone = random.u32(1_000_000..=9_999_999);
        json!({
            "family_name": family,
            "given_names": [given],
            "birth_date": format!("{year:04}-{month:02}-{day:02}"),
            "gender": pick(&mut random, &["female", "male", "other", "unknown"]),
            "language": pick(&mut random, &["de-CH", "fr-CH", "it-CH", "en"]),
            "contact": { "phones": [format!("+4144{phone}")], "emails": [format!("patient{number}@example.org")] },
            "identifiers": [{ "system": "urn:example:insurance", "value": format!("{}-{number:08}", self.seed) }],
            "source": self.source("patient", number),
        })
    }

    /// Every visit in order of start. Nobody is in two places: at one time the patients of neighbouring numbers differ.
    pub fn visits(&self) -> impl Iterator<Item = Visit> + '_ {
        let wanted = self.patients * APPOINTMENTS_PER_PATIENT;
        let days = u64::try_from(self.days.len()).unwrap_or(1);
        let offered = days * SLOTS_PER_DAY * self.practitioners;
        let step = self.stride();
        (0..wanted).filter_map(move |number| {
            let place = number * offered / wanted;
            let (slot, practitioner) = (place / self.practitioners, place % self.practitioners);
            let day = self.days.get(usize::try_from(slot / SLOTS_PER_DAY).ok()?)?;
            let minutes = 8 * 60 + u32::try_from(slot % SLOTS_PER_DAY).ok()? * 15;
            let time = NaiveTime::from_hms_opt(minutes / 60, minutes % 60, 0)?;
            let starts = local_to_utc(self.zone, day.and_time(time))?;
            let patient = (number * step + self.seed) % self.patients;
            Some(Visit {
                number,
                patient,
                practitioner,
                starts,
                ends: starts + TimeDelta::minutes(15),
            })
        })
    }

    /// A stride through the patients that visits each before any twice.
    fn stride(&self) -> u64 {
        (1..=self.patients)
            .map(|factor| 7_919 * factor + 2)
            .find(|step| gcd(*step, self.patients) == 1)
            .unwrap_or(1)
    }

    /// Whether a visit is over, so that it is recorded instead of booked.
    pub fn is_past(&self, visit: &Visit) -> bool {
        visit.ends < self.now
    }

    /// Why a visit takes place.
    pub fn reason(&self, visit: &Visit) -> &'static str {
        pick(&mut self.random("visit", visit.number), &REASONS)
    }

    /// What is said in a conversation, the patient first, in turns.
    pub fn messages(&self, thread: u64) -> &'static [&'static str] {
        let count = self.random("thread", thread).usize(1..=MESSAGES.len());
        MESSAGES.get(..count).unwrap_or(&MESSAGES)
    }

    /// The idempotency key of one thing, the same whenever this practice is made.
    pub fn key(&self, kind: &str, number: u64) -> String {
        format!("demo:{}:{}:{kind}:{number}", self.seed, self.now.date_naive())
    }

    fn source(&self, kind: &str, number: u64) -> Value {
        json!({ "system": format!("urn:praxis:demo:{}", self.seed), "value": format!("{kind}/{number}") })
    }

    fn random(&self, kind: &str, number: u64) -> fastrand::Rng {
        let kind = kind.bytes().fold(0_u64, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(u64::from(byte))
        });
        fastrand::Rng::with_seed(
            self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ kind.rotate_left(32) ^ number,
        )
    }
}

fn pick<'a>(random: &mut fastrand::Rng, from: &[&'a str]) -> &'a str {
    random.choice(from.iter().copied()).unwrap_or_default()
}

fn workdays(today: NaiveDate) -> Vec<NaiveDate> {
    let first = today.checked_sub_days(Days::new(DAYS_EACH_WAY)).unwrap_or(today);
    (0..=2 * DAYS_EACH_WAY)
        .filter_map(|day| first.checked_add_days(Days::new(day)))
        .filter(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) && *day != today)
        .collect()
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Plan;

    fn plan(patients: u32, seed: u64) -> Plan {
        Plan::new(patients, seed, "2027-03-10T09:00:00Z".parse().unwrap()).unwrap()
    }

    #[test]
    fn nobody_is_in_two_places() {
        for patients in [1, 7, 200, 5_000] {
            let plan = plan(patients, 3);
            let mut seen = HashSet::new();
            for visit in plan.visits() {
                assert!(seen.insert(("patient", visit.patient, visit.starts)), "{visit:?}");
                assert!(
                    seen.insert(("practitioner", visit.practitioner, visit.starts)),
                    "{visit:?}"
                );
            }
            assert_eq!(plan.visits().count(), 5 * usize::try_from(patients).unwrap());
        }
    }

    #[test]
    fn a_seed_makes_one_practice() {
        let (one, same, other) = (plan(50, 1), plan(50, 1), plan(50, 2));
        assert_eq!(one.patient(7), same.patient(7));
        assert_ne!(one.patient(7), other.patient(7));
        assert!(one.visits().eq(same.visits()));
    }

    #[test]
    fn about_half_of_the_year_is_past() {
        let plan = plan(200, 1);
        let past = plan.visits().filter(|visit| plan.is_past(visit)).count();
        assert!((450..=550).contains(&past), "{past}");
    }
}

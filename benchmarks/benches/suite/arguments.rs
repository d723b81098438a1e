//! What is to be measured: letters of parts, and what to leave out of them.

use anyhow::{Context as _, Result, bail};

/// A part of the benchmarks; its letter is its name on the command line and in `docs/benchmarks.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Durable appends beside their baselines.
    Appends,
    /// What the database takes at most.
    Bound,
    /// The same commands over HTTP.
    HttpWrites,
    /// From the answer to a row that shows it.
    Delay,
    /// Building read models anew.
    Rebuild,
    /// Reads over HTTP.
    Reads,
    /// Appends, HTTP and reads on SQLite.
    Sqlite,
    /// What the processes of the other parts take.
    Memory,
}

impl Part {
    /// In the order they run.
    pub const ALL: [Self; 8] = [
        Self::Appends,
        Self::Bound,
        Self::HttpWrites,
        Self::Delay,
        Self::Rebuild,
        Self::Reads,
        Self::Sqlite,
        Self::Memory,
    ];

    /// Its name.
    pub const fn letter(self) -> char {
        match self {
            Self::Appends => 'a',
            Self::Bound => 'b',
            Self::HttpWrites => 'c',
            Self::Delay => 'd',
            Self::Rebuild => 'e',
            Self::Reads => 'f',
            Self::Sqlite => 'g',
            Self::Memory => 'h',
        }
    }
}

/// The command line and the environment.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// What is measured.
    pub parts: Vec<Part>,
    /// What is measured of each part; everything if empty.
    pub only: Vec<String>,
    /// Whether `docs/benchmarks.md` is brought up to date.
    pub record: bool,
    /// How many patients the data set of (e) and (f) has, with five appointments each.
    pub patients: u32,
}

/// Patients of the data set unless `PRAXIS_BENCH_PATIENTS` says otherwise.
const PATIENTS: u32 = 200_000;

impl Arguments {
    /// Reads `[--parts a,c] [--only SendMessage,256] [--record]`; none when cargo runs this as a test.
    pub fn read() -> Result<Option<Self>> {
        let given: Vec<String> = std::env::args().skip(1).collect();
        // Cargo also runs this under `cargo test --benches`; only `cargo bench` measures.
        if !given.iter().any(|argument| argument == "--bench") {
            return Ok(None);
        }
        let mut read = Self {
            parts: Part::ALL.to_vec(),
            only: Vec::new(),
            record: false,
            patients: std::env::var("PRAXIS_BENCH_PATIENTS")
                .ok()
                .filter(|text| !text.is_empty())
                .map_or(Ok(PATIENTS), |text| text.parse())
                .context("PRAXIS_BENCH_PATIENTS is a number")?,
        };
        let mut given = given.into_iter();
        while let Some(argument) = given.next() {
            match argument.as_str() {
                "--bench" => {}
                "--record" => read.record = true,
                "--parts" => read.parts = parts(&given.next().unwrap_or_default())?,
                "--only" => {
                    let only = given.next().unwrap_or_default();
                    read.only = only.split(',').map(str::to_owned).collect();
                }
                other => bail!("{other} is none of --parts a,c --only SendMessage,256 --record"),
            }
        }
        Ok(Some(read))
    }
}

fn parts(letters: &str) -> Result<Vec<Part>> {
    if letters.is_empty() {
        return Ok(Part::ALL.to_vec());
    }
    let mut asked = Vec::new();
    for letter in letters.split(',') {
        let part = Part::ALL
            .into_iter()
            .find(|part| letter == part.letter().to_string());
        asked.push(part.with_context(|| format!("there is no part {letter}: they are a to h"))?);
    }
    Ok(asked)
}

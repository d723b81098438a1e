//! What is a setting: its name, meaning, kind, default, and who reads it?

use std::marker::PhantomData;

/// The programs that read settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// `praxis serve`: everything in one process, on SQLite.
    Serve,
    /// `command-api`.
    CommandApi,
    /// `query-api`.
    QueryApi,
    /// `projector`.
    Projector,
    /// The other commands of `praxis`, run by an operator against MySQL and Kafka.
    Operator,
}

impl Program {
    /// Every program.
    pub const ALL: &'static [Self] = &[
        Self::Serve,
        Self::CommandApi,
        Self::QueryApi,
        Self::Projector,
        Self::Operator,
    ];
    /// The three programs of the large tier.
    pub const SERVICES: &'static [Self] = &[Self::CommandApi, Self::QueryApi, Self::Projector];
    /// The two APIs of the large tier.
    pub const APIS: &'static [Self] = &[Self::CommandApi, Self::QueryApi];

    /// What a person calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Serve => "praxis serve",
            Self::CommandApi => "command-api",
            Self::QueryApi => "query-api",
            Self::Projector => "projector",
            Self::Operator => "praxis",
        }
    }
}

/// What a setting's text is read as.
pub trait SettingValue: Sized {
    /// The kind of value, as the reference page names it.
    const KIND: &'static str;
    /// Whether the value is never shown, and may come from a file named by `…_FILE`.
    const SECRET: bool = false;

    /// The value of that text; else what is wrong with it, without quoting it.
    fn parse(text: &str) -> Result<Self, String>;
}

/// What a setting is when nobody says.
#[derive(Clone, Copy, Debug)]
pub enum Fallback {
    /// Unset.
    None,
    /// The same for every program.
    Same(&'static str),
    /// The first for `praxis serve` and the operator, the second for the services.
    Tiered(&'static str, &'static str),
    /// The first for all but the projector.
    ButProjector(&'static str, &'static str),
}

/// The description of a setting, whatever its type.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// The variable, `PRAXIS_…`.
    pub name: &'static str,
    /// What it is for: one sentence without a full stop.
    pub meaning: &'static str,
    /// The kind of value.
    pub kind: &'static str,
    /// Whether the value is never shown.
    pub secret: bool,
    /// What it is when nobody says.
    pub fallback: Fallback,
    /// Who reads it.
    pub read_by: &'static [Program],
    /// Who does not start without it.
    pub required_by: &'static [Program],
    /// Least and greatest number, for numbers.
    pub range: Option<(u64, u64)>,
    check: fn(&str) -> Result<(), String>,
}

impl Spec {
    /// The default of that program.
    pub fn default_of(&self, program: Program) -> Option<&'static str> {
        let of_services = Program::SERVICES.contains(&program);
        match self.fallback {
            Fallback::None => None,
            Fallback::Same(text) => Some(text),
            Fallback::Tiered(small, large) => Some(if of_services { large } else { small }),
            Fallback::ButProjector(text, projector) => Some(if program == Program::Projector {
                projector
            } else {
                text
            }),
        }
    }

    /// The variable that names a file with the value, for secrets.
    pub fn file_name(&self) -> Option<String> {
        self.secret.then(|| format!("{}_FILE", self.name))
    }

    /// What is wrong with that text as a value of this setting.
    pub fn check(&self, text: &str) -> Result<(), String> {
        (self.check)(text)?;
        match (self.range, text.parse::<u64>()) {
            (Some((least, greatest)), Ok(number)) if !(least..=greatest).contains(&number) => {
                Err(format!("must be between {least} and {greatest}"))
            }
            (Some(_) | None, _) => Ok(()),
        }
    }
}

/// A setting with the type of its value.
#[derive(Debug)]
pub struct Setting<T> {
    /// The description.
    pub spec: Spec,
    value: PhantomData<fn() -> T>,
}

impl<T: SettingValue> Setting<T> {
    /// An optional setting that every program reads.
    pub const fn new(name: &'static str, meaning: &'static str) -> Self {
        let spec = Spec {
            name,
            meaning,
            kind: T::KIND,
            secret: T::SECRET,
            fallback: Fallback::None,
            read_by: Program::ALL,
            required_by: &[],
            range: None,
            check: check::<T>,
        };
        Self {
            spec,
            value: PhantomData,
        }
    }

    /// The same with that default.
    #[must_use]
    pub const fn or(mut self, text: &'static str) -> Self {
        self.spec.fallback = Fallback::Same(text);
        self
    }

    /// The same with one default for `praxis serve` and another for the services.
    #[must_use]
    pub const fn or_tiered(mut self, small: &'static str, large: &'static str) -> Self {
        self.spec.fallback = Fallback::Tiered(small, large);
        self
    }

    /// The same with one default for the projector and another for the rest.
    #[must_use]
    pub const fn or_but_projector(mut self, text: &'static str, projector: &'static str) -> Self {
        self.spec.fallback = Fallback::ButProjector(text, projector);
        self
    }

    /// The same, read by these programs only.
    #[must_use]
    pub const fn read_by(mut self, programs: &'static [Program]) -> Self {
        self.spec.read_by = programs;
        self
    }

    /// The same, needed by these programs.
    #[must_use]
    pub const fn required_by(mut self, programs: &'static [Program]) -> Self {
        self.spec.required_by = programs;
        self
    }

    /// The same, for numbers within those bounds.
    #[must_use]
    pub const fn between(mut self, least: u64, greatest: u64) -> Self {
        self.spec.range = Some((least, greatest));
        self
    }
}

fn check<T: SettingValue>(text: &str) -> Result<(), String> {
    T::parse(text).map(|_| ())
}

//! What can be typed: every subcommand with its arguments and examples.

#![allow(clippy::doc_markdown, reason = "these comments are the help texts")]

pub mod log;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use uuid::Uuid;

/// A medical practice's patients, appointments and messages, as events in one log.
#[derive(Debug, Parser)]
#[command(name = "praxis", version = praxis_version::VERSION, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve a whole practice from one process, on SQLite files.
    #[command(
        after_help = "Examples:\n  praxis serve\n  praxis serve --data /srv/practice --listen 0.0.0.0:8080\n  praxis serve --demo"
    )]
    Serve(Serve),
    /// Bring the schema of a data directory, or of the MySQL databases, up to this version.
    #[command(
        after_help = "Examples:\n  praxis migrate --data praxis-data\n  PRAXIS_EVENTS_URL=mysql://… PRAXIS_VIEWS_URL=mysql://… praxis migrate"
    )]
    Migrate(Migrate),
    /// Bring records in from another system.
    #[command(subcommand)]
    Import(Import),
    /// Fill a practice with invented patients, practitioners and a year of appointments.
    #[command(
        after_help = "Examples:\n  praxis demo --patients 200\n  praxis demo --patients 200000 --server http://localhost:8080 --token \"$TOKEN\""
    )]
    Demo(Demo),
    /// Look after the read models: generations, positions, parked streams.
    #[command(subcommand)]
    Views(Views),
    /// Look after the accounts of a deployment on its MySQL server.
    #[command(subcommand)]
    Accounts(Accounts),
    /// Make the secrets of a deployment, and rotate the key that wraps the others.
    #[command(subcommand)]
    Keys(Keys),
    /// Look whether the log is what it was.
    #[command(subcommand)]
    Audit(log::Audit),
    /// Copy the log of a data directory, also while it is served; the keys are never in the copy.
    #[command(after_help = "Example:\n  praxis backup --data /srv/praxis/practice --to /backup")]
    Backup(log::Backup),
    /// After the log was restored to an earlier state: verify it and begin its new life, so that services go on.
    ///
    /// Stop every service first. Looks whether the log is sound and says what is lost, as far as that is known; with
    /// --yes it raises the log's epoch, gives up the relay's lease, passes over record numbers, and gives up read models
    /// of the former life. May be repeated.
    #[command(
        after_help = "Examples:\n  praxis restore --data /srv/praxis/practice --dry-run\n  PRAXIS_EVENTS_URL=mysql://… PRAXIS_VIEWS_URL=mysql://… praxis restore --expect-from command-api.log --yes"
    )]
    Restore(log::Restore),
    /// Mint an access token for development.
    #[command(
        after_help = "Example:\n  curl -H \"Authorization: Bearer $(praxis token --role STAFF)\" http://localhost:8080/patients"
    )]
    Token(Token),
    /// Write the OpenAPI document of both APIs.
    Openapi,
    /// Look at the settings.
    #[command(subcommand)]
    Config(Config),
    /// Ask a running process whether it is ready; exit code 0 if so.
    Healthcheck(Healthcheck),
    /// Write a completion script for a shell.
    #[command(after_help = "Example:\n  praxis completions bash > /etc/bash_completion.d/praxis")]
    Completions {
        /// For which shell.
        shell: Shell,
    },
}

/// Where the data is.
#[derive(Clone, Debug, Args)]
pub struct Data {
    /// Directory of the SQLite files [default: praxis-data, or PRAXIS_DATA].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Where the data is.
    #[command(flatten)]
    pub data: Data,
    /// Address of the API [default: 127.0.0.1:8080, or PRAXIS_LISTEN].
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Address of /metrics, /health and /ready [default: 127.0.0.1:9090, or PRAXIS_ADMIN_LISTEN].
    #[arg(long, value_name = "ADDRESS")]
    pub admin_listen: Option<String>,
    /// Begin with a demonstration practice if the log is empty, and print accounts and a first request to try.
    #[arg(long)]
    pub demo: bool,
}

/// `migrate`.
#[derive(Debug, Args)]
pub struct Migrate {
    /// Where the data is.
    #[command(flatten)]
    pub data: Data,
}

/// A server instead of a data directory.
#[derive(Clone, Debug, Args)]
pub struct Target {
    /// Where the data is.
    #[command(flatten)]
    pub data: Data,
    /// A running server, instead of a data directory.
    #[arg(long, value_name = "URL", conflicts_with = "data", requires = "token")]
    pub server: Option<String>,
    /// An access token of an ADMIN for that server.
    #[arg(long, value_name = "TOKEN", env = "PRAXIS_DEV_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
}

/// `import`.
#[derive(Debug, Subcommand)]
pub enum Import {
    /// FHIR R4 resources, one a line: Patient, Practitioner, Location and Encounter in DIR/TYPE.ndjson.
    #[command(
        after_help = "Examples:\n  praxis import fhir export/\n  praxis import fhir export/ --server http://localhost:8080 --token \"$TOKEN\" --json"
    )]
    Fhir(ImportFhir),
}

/// `import fhir`.
#[derive(Debug, Args)]
pub struct ImportFhir {
    /// The directory of the .ndjson files.
    pub directory: PathBuf,
    /// IANA zone of locations that state none.
    #[arg(long, value_name = "ZONE", default_value = "America/New_York")]
    pub zone: String,
    /// Where to import to.
    #[command(flatten)]
    pub target: Target,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

/// `demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// How many patients.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub patients: u32,
    /// Another seed makes another practice.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Where to make it.
    #[command(flatten)]
    pub target: Target,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

/// `views`.
#[derive(Debug, Subcommand)]
pub enum Views {
    /// Generations, their positions, lag and parked streams.
    #[command(after_help = WHERE_VIEWS_ARE)]
    Status(ViewsOptions),
    /// Build the read models anew beside the present ones, which are read until the new ones have come as far.
    ///
    /// A rebuild that was begun and not waited for goes on; this finds it again.
    #[command(after_help = WHERE_VIEWS_ARE)]
    Rebuild(ViewsRebuild),
    /// Events that could not be read, in order.
    #[command(after_help = WHERE_VIEWS_ARE)]
    Parked(ViewsOptions),
    /// Read parked events again.
    #[command(after_help = WHERE_VIEWS_ARE)]
    Retry(ViewsOptions),
}

/// After each `views` command: what it is about unless told otherwise.
const WHERE_VIEWS_ARE: &str = "Where the read models are:
  --server URL, a running praxis serve; else --data DIR, or the server on it if it is in use;
  else MySQL, if --views-url and --events-url or PRAXIS_VIEWS_URL and PRAXIS_EVENTS_URL are set;
  else the directory praxis-data, or PRAXIS_DATA.

Examples:
  praxis views status
  praxis views rebuild --json
  PRAXIS_EVENTS_URL=mysql://… PRAXIS_VIEWS_URL=mysql://… praxis views rebuild
  praxis views parked --server http://localhost:8080 --token \"$TOKEN\"";

/// What every `views` command takes.
#[derive(Clone, Debug, Args)]
pub struct ViewsOptions {
    /// Where the data is.
    #[command(flatten)]
    pub data: Data,
    /// MySQL schema of the event store; better by PRAXIS_EVENTS_URL, as others see the arguments of a process.
    #[arg(long, value_name = "URL", conflicts_with = "data")]
    pub events_url: Option<String>,
    /// MySQL base schema of the read models; better by PRAXIS_VIEWS_URL, as others see the arguments of a process.
    #[arg(long, value_name = "URL", conflicts_with = "data")]
    pub views_url: Option<String>,
    /// A running praxis serve, instead of a data directory.
    #[arg(long, value_name = "URL", conflicts_with_all = ["data", "events_url", "views_url"], requires = "token")]
    pub server: Option<String>,
    /// An access token of an ADMIN for that server.
    #[arg(long, value_name = "TOKEN", env = "PRAXIS_DEV_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

/// `views rebuild`.
#[derive(Debug, Args)]
pub struct ViewsRebuild {
    /// What every `views` command takes.
    #[command(flatten)]
    pub options: ViewsOptions,
    /// Switch even if streams are parked that were not before.
    #[arg(long)]
    pub force: bool,
    /// On MySQL: fill them from here at once, beside the projectors. Without it that is done where none does.
    #[arg(long)]
    pub here: bool,
}

/// A role, as tokens name it.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "UPPER")]
pub enum RoleName {
    /// Configuration, accounts, reports.
    Admin,
    /// A practitioner.
    Doctor,
    /// The front desk.
    Staff,
    /// A patient.
    Patient,
    /// Read-only replay.
    Auditor,
}

/// `token`.
#[derive(Debug, Args)]
pub struct Token {
    /// Where the keys of the data directory are.
    #[command(flatten)]
    pub data: Data,
    /// The role.
    #[arg(long, value_enum, ignore_case = true, default_value = "STAFF")]
    pub role: RoleName,
    /// The account [default: one that belongs to the role].
    #[arg(long)]
    pub account: Option<Uuid>,
    /// The patient the account belongs to; a PATIENT needs one.
    #[arg(long)]
    pub patient: Option<Uuid>,
    /// The practitioner the account belongs to; a DOCTOR needs one.
    #[arg(long)]
    pub practitioner: Option<Uuid>,
    /// For how many minutes.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=1440))]
    pub minutes: u32,
}

/// `accounts`.
#[derive(Debug, Subcommand)]
pub enum Accounts {
    /// Make the accounts that a directory's addresses name, with their passwords and exactly the rights they need.
    ///
    /// A second run changes nothing. Where a password is another than before, both are good, so that programs go on.
    #[command(after_help = "Example:\n  praxis accounts apply --from /run/secrets/praxis && praxis migrate")]
    Apply {
        /// The directory of admin-url and the services' addresses, as praxis keys init makes it.
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
        /// End the passwords before the present ones, which every program has been given by now.
        #[arg(long)]
        discard_old_passwords: bool,
    },
}

/// `keys`.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Write what is missing of a deployment's secrets, a file each; what is there stays as it is.
    #[command(
        after_help = "Examples:\n  praxis keys init secrets\n  praxis keys init /run/secrets/praxis --mysql mysql:3306"
    )]
    Init(KeysInit),
    /// Rotate, first step: append a new key-encryption key, which every program then has to be given.
    #[command(after_help = "Example:\n  praxis keys add-kek secrets/kek")]
    AddKek {
        /// The file of the keys.
        file: PathBuf,
    },
    /// Rotate, second step: put a key-encryption key first, so that it wraps from now on; the others stay.
    #[command(
        after_help = "Example:\n  praxis keys promote-kek secrets/kek 0198b9a2-6f5e-7c11-9d3e-2f4a6b8c0d1e"
    )]
    PromoteKek {
        /// The file of the keys.
        file: PathBuf,
        /// The id that add-kek told.
        id: Uuid,
    },
}

/// `keys init`.
#[derive(Debug, Args)]
pub struct KeysInit {
    /// The directory of the files.
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// A MySQL server: addresses of its accounts, with new passwords, and one for its root.
    #[arg(long, value_name = "HOST:PORT", value_parser = crate::commands::keys::server)]
    pub mysql: Option<String>,
    /// Let the files' group read them too: containers that run as other users of one group.
    #[arg(long)]
    pub group_readable: bool,
    /// Also keep a copy of what each program needs in DIR/command-api, query-api, projector, migrate and mysql.
    #[arg(long)]
    pub split: bool,
}

/// `config`.
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Name every setting, where its value comes from, and what is wrong with it.
    Check {
        /// For which program.
        #[arg(long, value_enum, default_value = "serve")]
        program: ProgramName,
        /// Print it as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write the reference page of all settings (docs/configuration.md).
    Reference,
}

/// A program, as `config check` names it.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ProgramName {
    /// `praxis serve`.
    Serve,
    /// `command-api`.
    CommandApi,
    /// `query-api`.
    QueryApi,
    /// `projector`.
    Projector,
    /// `praxis`, as the operator's tool.
    Operator,
}

/// `healthcheck`.
#[derive(Debug, Args)]
pub struct Healthcheck {
    /// Address of its admin port [default: 127.0.0.1:9090, or PRAXIS_ADMIN_LISTEN].
    #[arg(long, value_name = "ADDRESS")]
    pub admin: Option<String>,
}

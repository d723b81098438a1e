//! What does the `main` of every service do around its own start: arguments, settings, telemetry, stopping?

use std::future::Future;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use crate::config::read::Config;
use crate::config::setting::Program;
use crate::config::{settings, show};
use crate::shutdown;
use crate::tasks::Tasks;
use crate::telemetry::{Options, Telemetry};

/// Longest a health check waits for an answer.
const HEALTHCHECK_MAX: Duration = Duration::from_secs(4);

/// What a program says of itself without a setting or a server.
#[derive(Clone, Copy, Debug)]
pub struct Saying {
    /// The argument that asks for it.
    pub argument: &'static str,
    /// What it is, for the help.
    pub meaning: &'static str,
    /// It.
    pub text: fn() -> String,
}

/// Runs a service: `start` opens what it needs and spawns its tasks; this waits until it is asked to stop, and ends.
/// `healthcheck`, `config check`, `--version` and its own `sayings` are answered without starting anything.
pub fn main<F, W>(program: Program, version: &'static str, sayings: &[Saying], start: F) -> ExitCode
where
    F: FnOnce(Config, Telemetry, Tasks) -> W,
    W: Future<Output = anyhow::Result<()>>,
{
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => serve(program, version, start),
        ["--version" | "-V"] => say(&format!("{} {version}", program.name())),
        ["--help" | "-h"] => say(&help(program, sayings)),
        ["config", "check"] => {
            let config = Config::from_environment(program, &[]);
            say(show::text(&config).trim_end());
            if config.faults().is_empty() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        ["healthcheck"] => healthcheck(program),
        [asked] if let Some(saying) = sayings.iter().find(|saying| saying.argument == *asked) => {
            say(&(saying.text)())
        }
        _ => {
            complain(&format!(
                "{}: unknown arguments\n{}",
                program.name(),
                help(program, sayings)
            ));
            ExitCode::from(2)
        }
    }
}

fn help(program: Program, sayings: &[Saying]) -> String {
    let name = program.name();
    let own = sayings.iter().fold(String::new(), |own, saying| {
        own + &format!("{name} {:<15} {}\n", saying.argument, saying.meaning)
    });
    format!(
        "{name}                 serve; settings come from the environment\n\
         {name} config check    name every setting, its source and its faults\n\
         {name} healthcheck     exit 0 if the running {name} is ready\n\
         {own}{name} --version"
    )
}

fn serve<F, W>(program: Program, version: &'static str, start: F) -> ExitCode
where
    F: FnOnce(Config, Telemetry, Tasks) -> W,
    W: Future<Output = anyhow::Result<()>>,
{
    let config = match Config::from_environment(program, &[]).checked() {
        Ok(config) => config,
        Err(faults) => {
            complain(&format!("{}: {faults}", program.name()));
            return ExitCode::from(2);
        }
    };
    let ended = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(run(program, version, config, start)));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{}: {error:#}", program.name()));
            ExitCode::FAILURE
        }
    }
}

async fn run<F, W>(program: Program, version: &'static str, config: Config, start: F) -> anyhow::Result<()>
where
    F: FnOnce(Config, Telemetry, Tasks) -> W,
    W: Future<Output = anyhow::Result<()>>,
{
    let telemetry = Telemetry::start(&Options {
        program: program.name(),
        version,
        filter: config.require(&settings::LOG)?,
        format: config.require(&settings::LOG_FORMAT)?,
        collector: config.get(&settings::OTLP_ENDPOINT),
    })?;
    let grace = config.require(&settings::SHUTDOWN_GRACE)?;
    let tasks = Tasks::new();
    tasks.spawn("telemetry", telemetry.clone().keep_up(tasks.stop().clone()));
    let drain = config.get(&settings::DRAIN).unwrap_or_default();
    let (leaving, stop) = (tasks.leaving().clone(), tasks.stop().clone());
    tasks.spawn("signals", async move {
        Ok(shutdown::on_signal(leaving, stop, drain).await?)
    });
    let started = start(config, telemetry.clone(), tasks.clone()).await;
    if started.is_err() {
        tasks.stop().cancel();
    }
    let ended = shutdown::wait(tasks, grace).await;
    tokio::task::spawn_blocking(move || telemetry.flush()).await?;
    started?;
    Ok(ended?)
}

/// Asks the admin port of this very program whether it is ready; needs no shell and no client in an image.
fn healthcheck(program: Program) -> ExitCode {
    let config = Config::from_environment(program, &[]);
    let Some(mut address) = config.get::<SocketAddr>(&settings::ADMIN_LISTEN) else {
        complain("the admin address cannot be read");
        return ExitCode::from(2);
    };
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    if is_ready(address) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Whether `/ready` at that address answers 200 in time.
pub fn is_ready(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, HEALTHCHECK_MAX)?;
        stream.set_read_timeout(Some(HEALTHCHECK_MAX))?;
        stream.write_all(b"GET /ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer)?;
        Ok(&answer == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}

fn say(text: &str) -> ExitCode {
    // A reader that went away is no fault.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
    ExitCode::SUCCESS
}

fn complain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::is_ready;

    fn answering(answer: &'static str) -> std::net::SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 16];
            stream.read_exact(&mut asked).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        });
        address
    }

    #[test]
    fn ready_is_200_and_nothing_else() {
        assert!(is_ready(answering("HTTP/1.1 200 OK\r\n\r\n")));
        assert!(!is_ready(answering("HTTP/1.1 503 Service Unavailable\r\n\r\n")));
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(!is_ready(closed));
    }
}

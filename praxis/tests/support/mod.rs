//! How does a test run the program, and what does a server of its own show?

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

/// How often a page is asked for again while the server does not read yet.
pub const READ_ATTEMPTS_MAX: u32 = 300;

/// How soon it is asked for again.
pub const READ_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// The program, without the settings of whoever runs the tests.
pub fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_praxis"));
    program.env_clear();
    program
}

/// What it says to these arguments.
pub fn praxis(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

/// What it wrote, having succeeded.
pub fn written(output: &Output) -> String {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A server on a data directory; ends with the test.
pub struct Server {
    child: Child,
    /// Where it serves.
    pub url: String,
}

impl Server {
    /// Starts one and waits until it says where it serves.
    pub fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    /// The same with more settings.
    pub fn start_with(data: &Path, settings: &[(&str, &str)]) -> Self {
        let mut child = program()
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--admin-listen",
                "127.0.0.1:0",
                "--data",
            ])
            .arg(data)
            .env("PRAXIS_LOG_FORMAT", "json")
            .envs(settings.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let serving = lines
            .by_ref()
            .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
        let url = serving
            .filter(|line| line["message"] == "serving")
            .find_map(|line| Some(line["url"].as_str()?.to_owned()))
            .expect("the server says where it serves");
        // Nobody reading would block the server once the pipe is full.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A token of that role.
pub fn token(data: &Path, role: &str) -> String {
    let minted = praxis(&["token", "--role", role, "--data", data.to_str().unwrap()]);
    written(&minted).trim().to_owned()
}

/// Reads of a server that are as new as a given write.
pub struct Reads<'a> {
    server: &'a Server,
    token: String,
    position: String,
}

impl<'a> Reads<'a> {
    /// Adds a site, so that what is read after it has everything from before it.
    pub async fn after_now(server: &'a Server, data: &Path) -> Self {
        let answered = reqwest::Client::new()
            .post(format!("{}/locations", server.url))
            .bearer_auth(token(data, "ADMIN"))
            .json(&json!({ "name": "Afterwards", "zone": "UTC" }))
            .send()
            .await
            .unwrap();
        assert_eq!(answered.status(), 201);
        let position = answered.headers()["praxis-position"].to_str().unwrap().to_owned();
        Self {
            server,
            token: token(data, "STAFF"),
            position,
        }
    }

    /// All items of a list, page by page.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let (mut items, mut next) = (Vec::new(), Some(path.to_owned()));
        while let Some(page) = next {
            let answered = self.page(&page).await;
            let link = answered
                .headers()
                .get("link")
                .map(|link| link.to_str().unwrap().to_owned());
            next = link.map(|link| link.split(['<', '>']).nth(1).unwrap().to_owned());
            let mut document: Value = answered.json().await.unwrap();
            items.append(document["items"].as_array_mut().unwrap());
        }
        items
    }

    /// One page, once the server reads: a new practice has no read models for its first moment.
    async fn page(&self, page: &str) -> reqwest::Response {
        for _ in 0..READ_ATTEMPTS_MAX {
            let request = reqwest::Client::new().get(format!("{}{page}", self.server.url));
            let request = request
                .bearer_auth(&self.token)
                .header("praxis-min-position", &self.position);
            let answered = request.send().await.unwrap();
            if answered.status() != 503 {
                assert_eq!(answered.status(), 200, "{page}");
                return answered;
            }
            tokio::time::sleep(READ_AGAIN_AFTER).await;
        }
        panic!("{page} cannot be read");
    }

    /// Start and end of every patient's every visit, sorted.
    pub async fn visits(&self) -> Vec<(String, String)> {
        let mut visits = Vec::new();
        for patient in self.all("/patients").await {
            let path = format!("/patients/{}/appointments", patient["id"].as_str().unwrap());
            for visit in self.all(&path).await {
                assert_eq!(visit["status"], "fulfilled");
                visits.push(period(&visit, "starts", "ends"));
            }
        }
        visits.sort();
        visits
    }
}

/// Start and end of a visit, by the names they have there.
pub fn period(visit: &Value, starts: &str, ends: &str) -> (String, String) {
    let text = |name: &str| visit[name].as_str().unwrap().to_owned();
    (text(starts), text(ends))
}

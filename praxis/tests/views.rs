//! Can an operator look after the read models of a practice in one process, while it serves and while it does not?
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is a test's report; clippy exempts test functions only"
)]

#[allow(dead_code, reason = "each test program uses its part")]
mod support;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use self::support::{Server, praxis, token, written};

/// How long readers go on after a rebuild: the server looks for a newer generation every second.
const READ_ON_FOR: Duration = Duration::from_secs(3);

/// What a `views` command on a data directory says.
fn views(command: &str, data: &Path) -> Value {
    let told = praxis(&["views", command, "--json", "--data", data.to_str().unwrap()]);
    serde_json::from_str(&written(&told)).unwrap()
}

/// A directory for data, and its path within; the keys of the data lie beside it.
fn directory() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    (directory, data)
}

fn import(to: &[&str]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fhir-small");
    let arguments = [&["import", "fhir", folder.to_str().unwrap()], to].concat();
    written(&praxis(&arguments));
}

/// States of the generations that `views status` shows, by number.
fn states(status: &Value) -> Vec<(u64, &str)> {
    let generations = status["generations"].as_array().unwrap();
    generations
        .iter()
        .map(|known| {
            (
                known["generation"].as_u64().unwrap(),
                known["state"].as_str().unwrap(),
            )
        })
        .collect()
}

fn files(data: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(data).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("views"))
        .collect();
    names.sort();
    names
}

/// A caller of one server.
struct Caller {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Caller {
    fn new(server: &Server, data: &Path, role: &str) -> Self {
        Self {
            http: reqwest::Client::new(),
            url: server.url.clone(),
            token: token(data, role),
        }
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let request = self.http.get(format!("{}{path}", self.url));
        answer(request.bearer_auth(&self.token)).await
    }

    async fn post(&self, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self
            .http
            .post(format!("{}{path}", self.url))
            .bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        answer(request).await
    }
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap())
}

#[tokio::test]
async fn a_new_practice_is_read_at_once() {
    let (_directory, data) = directory();
    let server = Server::start(&data);
    let staff = Caller::new(&server, &data, "STAFF");
    let (status, document) = staff.get("/patients").await;
    assert_eq!((status, &document["items"]), (200, &json!([])));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_go_on_while_a_server_rebuilds() {
    let (_directory, data) = directory();
    let server = Server::start(&data);
    let admin = token(&data, "ADMIN");
    import(&["--server", &server.url, "--token", &admin]);
    let staff = Caller::new(&server, &data, "STAFF");
    let read = |path: &'static str| staff.get(path);
    while read("/patients").await.1["items"]
        .as_array()
        .is_none_or(|items| items.len() < 7)
    {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (_, before) = read("/patients").await;

    let ended = AtomicBool::new(false);
    let reading = async {
        let mut times = 0;
        while !ended.load(Ordering::Relaxed) {
            let (status, document) = read("/patients").await;
            assert_eq!((status, &document["items"]), (200, &before["items"]));
            times += 1;
        }
        times
    };
    let rebuilding = async {
        let data = data.clone();
        // The directory is in use: the command speaks to the server on it.
        let rebuilt = tokio::task::spawn_blocking(move || views("rebuild", &data))
            .await
            .unwrap();
        tokio::time::sleep(READ_ON_FOR).await;
        ended.store(true, Ordering::Relaxed);
        rebuilt
    };
    let (times, rebuilt) = tokio::join!(reading, rebuilding);
    assert!(times > 3, "it was read meanwhile");
    assert_eq!(
        (&rebuilt["generation"], &rebuilt["retired"]),
        (&json!(2), &json!(1))
    );
    let status = views("status", &data);
    assert_eq!(states(&status), [(1, "retired"), (2, "ready")]);
    assert_eq!(status["generations"][1]["lag"], json!(0), "{status}");
    assert_eq!(views("parked", &data), json!({ "parked": [] }));
    assert_eq!(views("retry", &data), json!({ "streams": 0, "events": 0 }));

    assert!(data.join("views-1.db").exists(), "readers may not have noticed");
    drop(server);
    let _next = Server::start(&data);
    let left = files(&data);
    assert!(
        left.iter().all(|name| !name.starts_with("views-1.")),
        "nobody can read it now: {left:?}"
    );
    assert_eq!(states(&views("status", &data)), [(2, "ready")]);
}

#[test]
fn a_directory_that_nobody_serves_is_rebuilt_and_left_tidy() {
    let (_directory, data) = directory();
    import(&["--data", data.to_str().unwrap()]);
    let before = views("status", &data);
    assert_eq!(states(&before), [(1, "ready")]);
    assert_eq!(
        files(&data),
        ["views-1.db", "views.db"],
        "no write-ahead log is left"
    );
    let rebuilt = views("rebuild", &data);
    assert_eq!(rebuilt["position"], before["head"]);
    assert_eq!(states(&views("status", &data)), [(2, "ready")]);
    assert_eq!(files(&data), ["views-2.db", "views.db"]);
}

#[tokio::test]
async fn only_an_admin_looks_after_read_models() {
    let (_directory, data) = directory();
    let server = Server::start(&data);
    for role in ["STAFF", "AUDITOR"] {
        let caller = Caller::new(&server, &data, role);
        for path in ["/views", "/views/parked?generation=1"] {
            assert_eq!(caller.get(path).await.0, 403, "{role} {path}");
        }
        for path in ["/views/rebuild", "/views/retry"] {
            assert_eq!(caller.post(path, None).await.0, 403, "{role} {path}");
        }
    }
    let admin = Caller::new(&server, &data, "ADMIN");
    let (status, document) = admin.get("/views").await;
    assert_eq!(
        (status, states(&document)),
        (200, vec![(1, "ready")]),
        "nothing was begun"
    );
}

#[tokio::test]
async fn faults_of_what_is_ordered_are_named_and_nothing_is_begun() {
    let (_directory, data) = directory();
    let server = Server::start(&data);
    let admin = Caller::new(&server, &data, "ADMIN");
    let refused = async |body: Value| {
        let (status, document) = admin.post("/views/rebuild", Some(body)).await;
        let pointer = document["faults"][0]["pointer"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        (status, document["code"].as_str().unwrap().to_owned(), pointer)
    };
    let named = |status, code: &str, pointer: &str| (status, code.to_owned(), pointer.to_owned());
    assert_eq!(
        refused(json!({ "forced": true })).await,
        named(422, "invalid-input", "/forced")
    );
    assert_eq!(
        refused(json!({ "accept_parked_of": "2" })).await,
        named(422, "invalid-input", "/accept_parked_of")
    );
    assert_eq!(
        refused(json!({ "accept_parked_of": 2 })).await,
        named(404, "not-found", "")
    );
    for path in [
        "/views/parked",
        "/views/parked?generation=one",
        "/views/parked?generation=1&after=-1",
    ] {
        let (status, document) = admin.get(path).await;
        assert_eq!(
            (status, &document["code"]),
            (400, &json!("invalid-parameter")),
            "{path}"
        );
    }
    assert_eq!(admin.get("/views/parked?generation=9").await.0, 404);
    let (_, document) = admin.get("/views").await;
    assert_eq!(states(&document), [(1, "ready")]);
}

#[tokio::test]
async fn a_rebuild_is_begun_over_http_once() {
    let (_directory, data) = directory();
    let server = Server::start(&data);
    let admin = Caller::new(&server, &data, "ADMIN");
    let (status, begun) = admin.post("/views/rebuild", None).await;
    assert_eq!(
        (status, &begun["generation"], &begun["instead_of"]),
        (202, &json!(2), &json!(1))
    );
    let mut states_now = Vec::new();
    for _ in 0..300 {
        let (_, document) = admin.get("/views").await;
        states_now = states(&document)
            .iter()
            .map(|(_, state)| (*state).to_owned())
            .collect();
        if states_now == ["retired", "ready"] {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it does not take over: {states_now:?}");
}

#[test]
fn what_cannot_be_asked_says_what_to_do() {
    let (_directory, data) = directory();
    let data = data.to_str().unwrap();
    for (arguments, says) in [
        (vec!["--server", "http://127.0.0.1:1"], "--token"),
        (
            vec!["--server", "http://127.0.0.1:1", "--data", data],
            "cannot be used with",
        ),
        (
            vec!["--views-url", "mysql://u@127.0.0.1:1/v"],
            "say --events-url or PRAXIS_EVENTS_URL",
        ),
        (
            vec![
                "--views-url",
                "nowhere",
                "--events-url",
                "mysql://u@127.0.0.1:1/e",
            ],
            "PRAXIS_VIEWS_URL",
        ),
    ] {
        let told = praxis(&[&["views", "status"], &arguments[..]].concat());
        assert!(!told.status.success(), "{arguments:?}");
        let complaint = String::from_utf8_lossy(&told.stderr).into_owned();
        assert!(complaint.contains(says), "{arguments:?}: {complaint}");
    }
    let here = praxis(&["views", "rebuild", "--here", "--data", data]);
    let complaint = String::from_utf8_lossy(&here.stderr).into_owned();
    assert!(complaint.contains("leave --here out"), "{complaint}");
}

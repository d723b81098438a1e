//! What does `praxis keys` write, whom does it let read it, and does a practice go on over a rotation?

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is a test's report; clippy exempts test functions only"
)]

#[allow(dead_code, reason = "each test program uses its part")]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};
use support::{READ_AGAIN_AFTER, READ_ATTEMPTS_MAX, Server, praxis, token, written};

/// How often it is looked whether a projector that lacks a key waits.
const TRIES_SEEN: u32 = 10;

const DATABASE: [&str; 8] = [
    "admin-url",
    "migrate-events-url",
    "migrate-views-url",
    "command-api-events-url",
    "query-api-events-url",
    "query-api-views-url",
    "projector-events-url",
    "projector-views-url",
];

fn init(directory: &Path, options: &[&str]) -> Output {
    let directory = directory.to_str().unwrap();
    praxis(&[&["keys", "init", directory], options].concat())
}

/// Every file below a directory with its text.
fn files(directory: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            let below = files(&path).into_iter();
            found.extend(below.map(|(file, text)| (format!("{name}/{file}"), text)));
        } else {
            found.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
    found
}

fn refusal(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn the_set_is_whole_and_a_second_run_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("secrets");
    let said = written(&init(&directory, &["--mysql", "mysql:3306", "--split"]));
    let made = files(&directory);

    let root: Vec<&str> = made
        .keys()
        .map(String::as_str)
        .filter(|name| !name.contains('/'))
        .collect();
    let mut expected = [
        &DATABASE[..],
        &[
            "mysql-root-password",
            "kek",
            "claims-key",
            "kafka-username",
            "kafka-password",
            "private-key",
            "public-keys",
        ],
    ]
    .concat();
    expected.sort_unstable();
    assert_eq!(root, expected);
    for (name, text) in &made {
        assert!(text.is_empty() || !said.contains(text.trim()), "{name} is said");
        let mode = fs::metadata(directory.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert_eq!(
        fs::metadata(&directory).unwrap().permissions().mode() & 0o777,
        0o700
    );

    let said = written(&init(&directory, &["--mysql", "other:3306", "--split"]));
    assert!(
        said.contains("nothing was missing") && said.contains("0 copies"),
        "{said}"
    );
    assert_eq!(files(&directory), made);
}

#[test]
fn accounts_have_a_password_each_in_all_their_addresses_also_when_one_is_made_later() {
    let home = tempfile::tempdir().unwrap();
    written(&init(home.path(), &["--mysql", "mysql:3306"]));
    let made = files(home.path());
    assert_eq!(
        made["admin-url"],
        format!(
            "mysql://root:{}@mysql:3306/mysql?ssl-mode=REQUIRED",
            made["mysql-root-password"]
        )
    );
    let passwords: BTreeSet<&str> = DATABASE
        .iter()
        .map(|name| made[*name].split(['@', ':']).nth(2).unwrap())
        .collect();
    assert_eq!(passwords.len(), 5, "root, migrate and three services");
    assert!(passwords.iter().all(|password| password.len() == 36));

    fs::remove_file(home.path().join("query-api-views-url")).unwrap();
    let said = written(&init(home.path(), &["--mysql", "mysql:3306"]));
    assert!(said.ends_with("made query-api-views-url\n"), "{said}");
    assert_eq!(files(home.path()), made);
}

#[test]
fn a_program_is_given_what_it_needs_and_no_more() {
    let home = tempfile::tempdir().unwrap();
    written(&init(
        home.path(),
        &["--mysql", "mysql:3306", "--split", "--group-readable"],
    ));
    let made = files(home.path());
    for (program, keys) in [
        ("query-api", 4),
        ("projector", 3),
        ("command-api", 5),
        ("migrate", 8),
        ("mysql", 1),
    ] {
        let given: Vec<_> = made
            .iter()
            .filter_map(|(name, text)| Some((name.strip_prefix(program)?.strip_prefix('/')?, text)))
            .collect();
        assert_eq!(given.len(), keys, "{program}");
        assert!(
            given.iter().all(|(name, text)| made[*name] == **text),
            "{program}"
        );
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let directory = home.path().join(program);
        assert_eq!(
            (mode(&directory), mode(&directory.join(given[0].0))),
            (0o750, 0o640)
        );
    }

    let kek = home.path().join("kek");
    written(&praxis(&["keys", "add-kek", kek.to_str().unwrap()]));
    assert_eq!(fs::metadata(&kek).unwrap().permissions().mode() & 0o777, 0o640);
    written(&init(home.path(), &["--split"]));
    let after = files(home.path());
    for program in ["query-api", "projector", "command-api"] {
        assert_eq!(after[&format!("{program}/kek")], after["kek"]);
    }
    assert_ne!(after["kek"], made["kek"]);
}

#[test]
fn keys_that_do_not_belong_together_or_cannot_be_read_are_refused_and_kept() {
    let home = tempfile::tempdir().unwrap();
    written(&init(home.path(), &[]));
    let good = files(home.path());

    let (private, public) = (home.path().join("private-key"), home.path().join("public-keys"));
    fs::remove_file(&public).unwrap();
    written(&init(home.path(), &[]));
    assert_eq!(
        files(home.path()),
        good,
        "the public half follows from the private one"
    );

    fs::remove_file(&private).unwrap();
    assert!(refusal(&init(home.path(), &[])).contains("has public-keys but no private-key"));
    assert!(!private.exists());

    let other = tempfile::tempdir().unwrap();
    written(&init(other.path(), &[]));
    fs::copy(other.path().join("private-key"), &private).unwrap();
    assert!(refusal(&init(home.path(), &[])).contains("nobody would trust its tokens"));

    fs::write(home.path().join("kek"), "not-a-ring-4711").unwrap();
    let said = refusal(&init(home.path(), &[]));
    assert!(
        said.contains("kek key 1 is not of the form") && !said.contains("4711"),
        "{said}"
    );
    assert_eq!(
        fs::read_to_string(home.path().join("kek")).unwrap(),
        "not-a-ring-4711"
    );
}

#[test]
fn a_key_is_added_last_and_promoted_first_by_its_id() {
    let home = tempfile::tempdir().unwrap();
    written(&init(home.path(), &[]));
    let file = home.path().join("kek");
    let (path, before) = (file.to_str().unwrap(), fs::read_to_string(&file).unwrap());

    let said = written(&praxis(&["keys", "add-kek", path]));
    let id = said.split(' ').next().unwrap();
    let added = fs::read_to_string(&file).unwrap();
    let (old, new) = added.split_once(',').unwrap();
    assert!(
        old == before && new.starts_with(&format!("{id}:")),
        "the old one stays current"
    );

    let promoted = format!("{new},{old}");
    for _ in 0..2 {
        written(&praxis(&["keys", "promote-kek", path, id]));
        assert_eq!(fs::read_to_string(&file).unwrap(), promoted);
    }
    let stranger = "0198b9a2-6f5e-7c11-9d3e-2f4a6b8c0d1e";
    assert!(refusal(&praxis(&["keys", "promote-kek", path, stranger])).contains("holds no key"));
    assert!(refusal(&praxis(&["keys", "add-kek", &format!("{path}-not")])).contains("there is no"));
    assert_eq!(fs::read_to_string(&file).unwrap(), promoted);
}

async fn register(server: &Server, token: &str, family: &str) -> String {
    let patient = json!({ "family_name": family, "birth_date": "1990-04-01", "gender": "female" });
    let request = reqwest::Client::new().post(format!("{}/patients", server.url));
    let answered = request.bearer_auth(token).json(&patient).send().await.unwrap();
    let (status, text) = (answered.status(), answered.text().await.unwrap());
    assert_eq!(status, 201, "{text}");
    let document: Value = serde_json::from_str(&text).unwrap();
    document["id"].as_str().unwrap().to_owned()
}

async fn get(server: &Server, token: &str, path: &str) -> (u16, Value) {
    let asked = reqwest::Client::new().get(format!("{}{path}", server.url));
    let answered = asked.bearer_auth(token).send().await.unwrap();
    (
        answered.status().as_u16(),
        answered.json().await.unwrap_or_default(),
    )
}

/// What a path answers once it is `enough`.
async fn until(server: &Server, token: &str, path: &str, enough: impl Fn(u16, &Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..READ_ATTEMPTS_MAX {
        let (status, document) = get(server, token, path).await;
        if enough(status, &document) {
            return document;
        }
        last = document;
        tokio::time::sleep(READ_AGAIN_AFTER).await;
    }
    panic!("{path} answers {last}");
}

#[tokio::test]
async fn what_was_sealed_before_a_rotation_opens_after_it_and_who_lacks_the_new_key_waits() {
    let home = tempfile::tempdir().unwrap();
    // The keys of a data directory are looked for beside it.
    let (data, keys) = (home.path().join("data"), home.path().join("data.keys"));
    written(&init(&keys, &[]));
    let (kek, kek_before) = (keys.join("kek"), home.path().join("kek-before"));
    fs::copy(&kek, &kek_before).unwrap();
    let server = Server::start(&data);
    let (desk, admin) = (token(&data, "STAFF"), token(&data, "ADMIN"));
    let before = register(&server, &desk, "Before").await;
    drop(server);

    let said = written(&praxis(&["keys", "add-kek", kek.to_str().unwrap()]));
    let id = said.split(' ').next().unwrap();
    written(&praxis(&["keys", "promote-kek", kek.to_str().unwrap(), id]));
    let server = Server::start(&data);
    let after = register(&server, &desk, "After").await;
    for (id, family) in [(&before, "Before"), (&after, "After")] {
        // A history is read from the log, with the patient's key.
        let (status, history) = get(&server, &desk, &format!("/patients/{id}/history")).await;
        assert!(status == 200 && history.to_string().contains(family), "{history}");
    }
    drop(server);

    // Read models built anew by who has not been given the new key: they wait for it, and nothing is parked.
    for entry in fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with("views") {
            fs::remove_file(path).unwrap();
        }
    }
    let server = Server::start_with(&data, &[("PRAXIS_KEK_FILE", kek_before.to_str().unwrap())]);
    let (status, ready) = get(&server, &desk, "/ready").await;
    assert_eq!(status, 503, "{ready}");
    assert!(
        ready["checks"]
            .to_string()
            .contains(r#"{"name":"keys","ready":false}"#),
        "{ready}"
    );
    for _ in 0..TRIES_SEEN {
        let (_, stopped) = get(&server, &admin, "/views").await;
        let rows = &stopped["generations"][0];
        assert!(rows["position"] == 0 && rows["parked_streams"] == 0, "{stopped}");
        tokio::time::sleep(READ_AGAIN_AFTER).await;
    }
    drop(server);

    let server = Server::start(&data);
    let path = format!("/patients/{after}");
    let patient = until(&server, &desk, &path, |status, _| status == 200).await;
    assert!(patient.to_string().contains("After"), "{patient}");
}

#[test]
fn accounts_need_every_address_and_one_schema_of_each_kind() {
    let home = tempfile::tempdir().unwrap();
    let apply = || praxis(&["accounts", "apply", "--from", home.path().to_str().unwrap()]);
    assert!(refusal(&apply()).contains("there is no"));
    // Nobody listens there: all that is read before was good.
    written(&init(home.path(), &["--mysql", "127.0.0.1:1"]));
    assert!(refusal(&apply()).contains("cannot bring the accounts"));
    let file = home.path().join("projector-events-url");
    let url = fs::read_to_string(&file).unwrap();
    fs::write(&file, url.replace("/praxis?", "/other?")).unwrap();
    let said = refusal(&apply());
    assert!(
        said.contains("projector-events-url names another schema"),
        "{said}"
    );
    fs::write(&file, url.replace("projector:", "projektor:")).unwrap();
    let said = refusal(&apply());
    assert!(
        said.contains("projector: its addresses differ in user or password"),
        "{said}"
    );
}

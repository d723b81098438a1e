//! Does the testkit start, watch and end programs as it says?
#![allow(clippy::expect_used, reason = "a panic is how a test and its helpers report")]

use std::path::Path;
use std::time::Duration;

use praxis_testkit::ports::free_port;
use praxis_testkit::processes::{Process, workspace_binary};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

const SOON: Duration = Duration::from_secs(10);

fn shell(script: &str, environment: &[(&str, &str)]) -> Process {
    Process::spawn(Path::new("/bin/sh"), &["-c", script], environment).expect("sh starts")
}

async fn wait_for_output(process: &Process, expected: &str) {
    tokio::time::timeout(SOON, async {
        while !process.output().expect("readable").contains(expected) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("the output appears");
}

/// The state letter of a process as Linux tells it: R, S, T (stopped), Z.
fn state(pid: u32) -> String {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process exists");
    let (_, after_name) = stat.rsplit_once(')').expect("the name is in parentheses");
    after_name.trim_start().chars().take(1).collect()
}

#[tokio::test]
async fn process_sees_only_the_given_environment() {
    let mut process = shell("env; echo to-stderr >&2", &[("PRAXIS_X", "1")]);
    let status = process.wait(SOON).await.expect("ends");
    let output = process.output().expect("readable");
    assert!(status.success());
    assert!(output.contains("PRAXIS_X=1") && output.contains("to-stderr"));
    assert!(
        !output.contains("CARGO_PKG_NAME"),
        "cargo sets this for tests: {output}"
    );
}

#[tokio::test]
async fn termination_lets_the_process_finish() {
    let mut process = shell(
        "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.05; done",
        &[],
    );
    wait_for_output(&process, "ready").await;
    let status = process.terminate(SOON).await.expect("ends");
    assert_eq!(status.code(), Some(7));
    assert!(process.output().expect("readable").contains("bye"));
}

#[tokio::test]
async fn process_that_ignores_termination_is_reported_and_can_be_killed() {
    let mut process = shell("trap '' TERM; echo ready; while :; do sleep 0.05; done", &[]);
    wait_for_output(&process, "ready").await;
    let error = process
        .terminate(Duration::from_millis(200))
        .await
        .expect_err("still runs");
    assert!(error.to_string().contains("still runs"));
    process.kill_9().expect("is killed");
    assert!(process.ended().expect("is known").is_some());
}

#[tokio::test]
async fn paused_process_stands_still_until_resumed() {
    let mut process = shell("exec sleep 60", &[]);
    process.pause().expect("is paused");
    tokio::time::timeout(SOON, async {
        while state(process.pid()) != "T" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("stops");
    process.resume().expect("goes on");
    tokio::time::timeout(SOON, async {
        while state(process.pid()) == "T" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("goes on");
    assert!(process.ended().expect("is known").is_none());
}

#[tokio::test]
async fn dropping_kills() {
    let process = shell("exec sleep 60", &[]);
    let proc_dir = format!("/proc/{}", process.pid());
    assert!(Path::new(&proc_dir).exists());
    drop(process);
    assert!(!Path::new(&proc_dir).exists());
}

#[tokio::test]
async fn serving_means_status_200() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("listens");
    let address = listener.local_addr().expect("has an address").to_string();
    let mut answering = JoinSet::new();
    answering.spawn(async move {
        for status in ["503 Service Unavailable", "200 OK"] {
            let (mut stream, _) = listener.accept().await.expect("accepts");
            let mut request = [0; 256];
            let len = stream.read(&mut request).await.expect("reads");
            assert!(request[..len].starts_with(b"GET /ready HTTP/1.1\r\n"));
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.expect("answers");
        }
    });
    let mut process = shell("exec sleep 60", &[]);
    process
        .wait_until_serving(&address, "/ready", SOON)
        .await
        .expect("serves");
    // Both answers were used: the 503 did not count.
    answering
        .join_next()
        .await
        .expect("ran")
        .expect("met its expectations");
}

#[tokio::test]
async fn process_that_dies_before_serving_is_reported_with_its_output() {
    let address = format!("127.0.0.1:{}", free_port());
    let mut process = shell("echo the key file is missing; exit 3", &[]);
    let error = process
        .wait_until_serving(&address, "/ready", SOON)
        .await
        .expect_err("died");
    let message = error.to_string();
    assert!(
        message.contains("exit status: 3") && message.contains("the key file is missing"),
        "{message}"
    );
}

#[test]
#[should_panic(expected = "no-such-program is not built")]
fn unbuilt_program_is_named() {
    workspace_binary("no-such-program");
}

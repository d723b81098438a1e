//! Is every container as tightly closed as the engine was told, and as the kernel sees it from inside?

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::docker::{Container, containers, docker, running};
use crate::scene::Scene;

/// Its image has a shell. Nothing of it runs: the shell looks at another container's processes from outside.
const IMAGE_WITH_A_SHELL: &str = "mysql";

/// With this name the engine begins a health check inside, before it has closed the process and made it another program:
/// gone in a moment, so whoever meets it looks again.
const ENGINES_OWN: &str = " Name: runc:[";
const LOOKS_MAX: usize = 5;

/// What a shell beside the processes of a container prints of them: a block for each process but itself, then what came of
/// writing to the root of the first. Only what the shell itself can do: another program would be another process. One that
/// ended meanwhile, as health checks do, is no fault.
const LOOK: &str = r#"
for status in /proc/[0-9]*/status; do
  pid=${status#/proc/}; pid=${pid%/status}
  [ "$pid" = "$$" ] && continue
  while read -r key value rest; do
    case $key in Name: | Uid: | NoNewPrivs: | Seccomp: | CapEff: | CapPrm: | CapBnd: | CapInh: | CapAmb:) echo "$pid $key $value" ;; esac
  done <"$status" || [ ! -e "$status" ] || exit 1
done
for folder in / /etc /usr/bin /var /root; do
  [ -d "/proc/1/root$folder" ] || continue
  why=$( (: >"/proc/1/root$folder/written-from-outside") 2>&1) && why=written
  case $why in
    written) echo "0 wrote: $folder" ;;
    *"Read-only file system"*) echo "0 refused: $folder" ;;
    *) echo "0 untried: $folder" ;;
  esac
done
"#;

pub async fn run(scene: &Scene) -> anyhow::Result<()> {
    let shell = running(IMAGE_WITH_A_SHELL).await?;
    let image = shell[0].inspected["Image"]
        .as_str()
        .context("a container has an image")?;
    for container in containers().await? {
        let told = told_to_be_closed(&container);
        scene
            .report
            .check(&format!("{} is told to be closed", container.name), told);
        if container.is_running() {
            let found = found_closed(&container, image).await;
            scene
                .report
                .check(&format!("{} is closed inside", container.name), found);
        }
    }
    Ok(())
}

/// What the engine was told, of containers that have ended too.
fn told_to_be_closed(container: &Container) -> anyhow::Result<String> {
    let host = &container.inspected["HostConfig"];
    let of = |name: &str| -> Vec<&str> {
        host[name]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    };
    ensure!(host["ReadonlyRootfs"] == true, "its root is writable");
    ensure!(of("CapDrop") == ["ALL"], "it drops only {:?}", of("CapDrop"));
    ensure!(of("CapAdd").is_empty(), "it adds {:?}", of("CapAdd"));
    ensure!(host["Privileged"] == false, "it is privileged");
    let closed = of("SecurityOpt")
        .iter()
        .any(|option| matches!(*option, "no-new-privileges:true" | "no-new-privileges"));
    ensure!(closed, "it may gain privileges: {:?}", of("SecurityOpt"));
    ensure!(
        !of("SecurityOpt")
            .iter()
            .any(|option| option.contains("unconfined")),
        "it is unconfined: {:?}",
        of("SecurityOpt")
    );
    for space in ["PidMode", "IpcMode", "NetworkMode", "UTSMode", "UsernsMode"] {
        ensure!(host[space] != "host", "it shares the machine's {space}");
    }
    let mounts = container.inspected["Mounts"].as_array().into_iter().flatten();
    for mount in mounts {
        let source = mount["Source"].as_str().unwrap_or_default();
        ensure!(
            mount["Type"] != "bind" || mount["RW"] == false,
            "it writes to the machine's {source}"
        );
        // Who may only read a socket may still say anything through it.
        let is_socket = Path::new(source).extension().is_some_and(|kind| kind == "sock");
        ensure!(!is_socket, "it speaks to the machine's {source}");
    }
    let user = container.inspected["Config"]["User"].as_str().unwrap_or_default();
    let id = user.split(':').next().unwrap_or_default();
    ensure!(!matches!(id, "" | "0" | "root"), "it runs as {user:?}");
    let memory = host["Memory"].as_u64().unwrap_or_default();
    ensure!(memory > 0, "its memory has no limit");
    ensure!(
        host["PidsLimit"].as_i64().unwrap_or_default() > 0,
        "its processes have no limit"
    );
    Ok(format!("user {user}, memory {} MiB", memory >> 20))
}

/// What [`LOOK`] prints of a container.
async fn look(container: &Container, image: &str) -> anyhow::Result<String> {
    let beside = format!("container:{}", container.id);
    docker(&[
        "run",
        "--rm",
        "--pid",
        &beside,
        "--network",
        "none",
        "--user",
        "0:0",
        "--cap-add",
        "SYS_PTRACE",
        "--entrypoint",
        "bash",
        image,
        "-c",
        LOOK,
    ])
    .await
}

/// What the kernel says of its processes, and what came of writing to its root as root with every right to.
async fn found_closed(container: &Container, image: &str) -> anyhow::Result<String> {
    let mut told = look(container, image).await?;
    for _ in 1..LOOKS_MAX {
        if !told.contains(ENGINES_OWN) {
            break;
        }
        told = look(container, image).await?;
    }
    let mut processes: BTreeMap<u32, BTreeMap<&str, &str>> = BTreeMap::new();
    let (mut refused, mut wrote, mut untried) = (Vec::new(), Vec::new(), Vec::new());
    for line in told.lines() {
        let mut words = line.split_whitespace();
        let (pid, key, value) = (words.next(), words.next(), words.next().unwrap_or_default());
        let pid: u32 = pid.unwrap_or_default().parse()?;
        match key.context("a line has a key")? {
            "refused:" => refused.push(value),
            "wrote:" => wrote.push(value),
            // For another reason, which may not hold for who lives there.
            "untried:" => untried.push(value),
            key => {
                processes.entry(pid).or_default().insert(key, value);
            }
        }
    }
    ensure!(
        processes.contains_key(&1),
        "its first process was not seen: {told}"
    );
    for (pid, status) in &processes {
        let of = |key: &str| status.get(key).copied().unwrap_or_default();
        for set in ["CapEff:", "CapPrm:", "CapBnd:", "CapInh:", "CapAmb:"] {
            ensure!(
                u64::from_str_radix(of(set), 16) == Ok(0),
                "process {pid} has {set} {}",
                of(set)
            );
        }
        ensure!(of("NoNewPrivs:") == "1", "process {pid} may gain privileges");
        ensure!(
            of("Uid:").parse::<u32>().is_ok_and(|uid| uid != 0),
            "process {pid} is user {}",
            of("Uid:")
        );
        ensure!(of("Seccomp:") == "2", "process {pid} may make any system call");
    }
    ensure!(wrote.is_empty(), "its root was written to: {wrote:?}");
    ensure!(
        !refused.is_empty() && untried.is_empty(),
        "it could not be tried to write to {untried:?}: {told}"
    );
    Ok(format!(
        "{} processes without a capability, user {}, writing to {refused:?} is refused",
        processes.len(),
        processes[&1].get("Uid:").copied().unwrap_or_default()
    ))
}

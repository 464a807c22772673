//! Servers of which several processes run, one of which is restarted while users are at work.

use std::net::TcpStream;
use std::path::Path;

use partywall::trial::finding::FindingKind;
use partywall::trial::history::{History, What};
use partywall::trial::verdict::{Reason, ReasonCode};

use crate::support::reports::{files, only_level, report};
use crate::support::{Scratch, ran};

const OWN: &str = "command = [\"partywall\", \"serve\", \"--port\", \"{{ port }}\"]";

/// The ready scenario of a chat, with that in its `[target]`.
fn chat(scratch: &Scratch, target: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/chat-websocket.toml");
    let text = std::fs::read_to_string(path).expect("a ready scenario");
    let program = env!("CARGO_BIN_EXE_partywall");
    let shell = format!(
        "command = [\"sh\", \"-c\", 'echo {{{{ port }}}} >> {}; exec {program} serve --port {{{{ port }}}}']\n{target}",
        scratch.path().join("ports").display()
    );
    let text = text.replacen(OWN, &shell, 1);
    // Each process counts its runs from 1.
    let text = text.replace("run_seconds = 3", "run_seconds = 10");
    text.replace("run = \"/run_id\"", "run = \"/run_id\"\nunique_runs = false")
}

fn ports(scratch: &Scratch) -> Vec<u16> {
    let text = std::fs::read_to_string(scratch.path().join("ports")).expect("it was started");
    text.lines().map(|line| line.trim().parse().expect("a port")).collect()
}

#[test]
fn a_process_is_restarted_while_users_are_at_work() {
    let scratch = Scratch::new("restart");
    let text = chat(&scratch, "instances = 2\nrestart_during_round = true");
    let file = scratch.file("chat.toml", text).display().to_string();
    let arguments =
        ["run", &file, "--users", "12", "--rounds", "3", "--runs", "4", "--no-fail-fast"];
    let ran = ran(&mut scratch.partywall(&arguments));
    let folder = scratch.run_folder("run");
    let record = report(&folder);
    let level = only_level(&record);
    // A run's id may come again after the restart; nothing of one user comes to another.
    let crossed = level.findings.iter().filter(|found| found.kind == FindingKind::Crossing);
    assert_eq!(crossed.count(), 0, "{}", ran.stdout);
    assert_eq!(level.trials, 3, "{}", ran.stdout);
    // Two were started, and one of them again on its port.
    let ports = ports(&scratch);
    assert_eq!(ports.len(), 3, "{ports:?}");
    assert!(ports[0] != ports[1] && ports[2] == ports[0], "{ports:?}");
    for port in &ports {
        assert!(TcpStream::connect(("127.0.0.1", *port)).is_err(), "{port} lives on");
    }
    assert!(folder.join("server.log").is_file() && folder.join("server.2.log").is_file());
    // In the third round connections were lost, and their users came back and went on.
    let histories = files(&folder.join("histories"), ".jsonl");
    let lost: Vec<usize> = histories
        .iter()
        .map(|path| {
            let text = std::fs::read_to_string(path).expect("a history");
            let history = History::from_file(&text).expect("it is whole");
            let cut = |what: &What| matches!(what, What::Broken { .. } | What::Ended { .. });
            let mut gone = std::collections::BTreeSet::new();
            let mut back = std::collections::BTreeSet::new();
            for seen in &history.observations {
                match &seen.what {
                    what if cut(what) => _ = gone.insert(seen.by.clone()),
                    What::Connected { .. } if gone.contains(&seen.by) => {
                        _ = back.insert(seen.by.clone())
                    }
                    _ => {}
                }
            }
            back.len()
        })
        .collect();
    assert!(lost[0] == 0 && lost[1] == 0 && lost[2] >= 3, "{lost:?}");
    // A server that is asked to end may finish what is under way first.
    assert!(level.runs_unknown < level.runs_started / 3, "{}", ran.stdout);
    // What the restart cut off, the plan did.
    let incomplete = |reason: &Reason| reason.code == ReasonCode::RunsIncomplete;
    assert!(!level.reasons.iter().any(incomplete), "{:?}", level.reasons);
}

/// Each round's process counts its runs from 1, and after a restart it begins anew: that is no leak, though
/// run ids are unique otherwise.
#[test]
fn a_server_that_begins_its_ids_anew_after_a_restart_is_clean() {
    let scratch = Scratch::new("restart-ids");
    let text = chat(&scratch, "restart_during_round = true\nfresh_process = true");
    let text = text.replace("\nunique_runs = false", "");
    let file = scratch.file("chat.toml", text).display().to_string();
    let arguments =
        ["run", &file, "--users", "12", "--rounds", "3", "--runs", "4", "--no-fail-fast"];
    let ran = ran(&mut scratch.partywall(&arguments));
    let folder = scratch.run_folder("run");
    assert_eq!(ports(&scratch).len(), 4, "one of three was restarted: {}", ran.stdout);
    let histories = files(&folder.join("histories"), ".jsonl");
    let text = std::fs::read_to_string(&histories[2]).expect("a history");
    // An id was given before the restart and after it.
    let (before, after) = text.split_once("restarted").expect("it is told");
    let given = |part: &str| -> std::collections::BTreeSet<String> {
        let ids = part.split("run_id").skip(1).filter_map(|id| id.split("run-").nth(1));
        ids.map(|id| id.chars().take_while(char::is_ascii_digit).collect()).collect()
    };
    assert!(given(before).intersection(&given(after)).next().is_some(), "no id came again");
    assert_eq!(only_level(&report(&folder)).findings, [], "{}", ran.stdout);
}

#[test]
fn each_round_has_processes_of_its_own_where_that_is_asked() {
    let scratch = Scratch::new("fresh");
    let text = chat(&scratch, "fresh_process = true\nready = \"/\"");
    let file = scratch.file("chat.toml", text).display().to_string();
    ran(&mut scratch.partywall(&["run", &file, "--users", "6", "--rounds", "3"])).exits(0);
    assert_eq!(ports(&scratch).len(), 3);
}

#[test]
fn what_only_a_started_server_can_have_is_told() {
    let scratch = Scratch::new("fleet-told");
    let text = chat(&scratch, "instances = 0");
    let file = scratch.file("chat.toml", &text).display().to_string();
    let check =
        |file: &str| ran(&mut crate::support::partywall(&["check-scenario", file])).exits(2);
    check(&file).complains(&["line 13", "`instances` is from 1 to"]);
    let running = text.replace("instances = 0", "instances = 2");
    let begin = running.find("command = [").expect("there");
    let end = running[begin..].find('\n').expect("a line") + begin;
    let running = format!("{}url = \"http://127.0.0.1:1\"{}", &running[..begin], &running[end..]);
    let file = scratch.file("chat.toml", running).display().to_string();
    check(&file).complains(&["line 13", "give `command`"]);
}

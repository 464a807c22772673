//! Scenario files: the reference back end, described as one would describe any other server.

use std::net::TcpStream;
use std::path::Path;

use partywall::trial::verdict::{Outcome, ReasonCode, Verdict};

use crate::support::reports::{codes, only_level, report};
use crate::support::{Scratch, Server, partywall, ran};

const CHAT: &str = "scenarios/chat-websocket.toml";

fn chat() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(CHAT);
    std::fs::read_to_string(path).expect("a ready scenario")
}

#[test]
fn a_described_server_leaks_before_the_migration_and_its_history_says_so_again() {
    let scratch = Scratch::new("scenario-none");
    let file = scratch.file("chat.toml", chat().replace("run_seconds = 3", "run_seconds = 1"));
    let server = Server::start("none");
    let (file, url) = (file.display().to_string(), server.url());
    let arguments = ["run", &file, "--target", &url, "--users", "12", "--rounds", "1"];
    let told = ran(&mut scratch.partywall(&arguments)).exits(1).stderr;
    // While the round goes on, not when it is over.
    assert!(
        told.contains(" sees the prompt of ") || told.contains(" sees the settings of "),
        "{told}"
    );
    let folder = scratch.run_folder("run");
    let record = report(&folder);
    let level = only_level(&record);
    assert_eq!(record.verdict, Outcome::Leaked);
    assert!(level.findings.iter().any(|finding| finding.oracle.code() == "O1"));
    assert!(level.findings.iter().any(|finding| finding.oracle.code() == "O2"));
    let history = level.findings[0].history.as_ref().expect("a history");
    let history = folder.join(history).display().to_string();
    ran(&mut partywall(&["check", &history])).exits(1);
    let repro = level.findings[0].repro.as_ref().expect("a repro");
    let repro = folder.join(repro).display().to_string();
    let again = ran(&mut partywall(&["replay", &repro, "--times", "2"])).exits(1).stdout;
    assert!(again.contains("REPRODUCED: same"), "{again}");
}

#[test]
fn a_described_server_is_clean_after_the_migration_with_all_controls_caught() {
    let scratch = Scratch::new("scenario-all");
    let file = scratch.file("chat.toml", chat());
    let server = Server::start("all");
    let (file, url) = (file.display().to_string(), server.url());
    let arguments = ["run", &file, "--target", &url, "--users", "12", "--rounds", "3"];
    ran(&mut scratch.partywall(&arguments)).exits(0);
    let record = report(&scratch.run_folder("run"));
    let level = only_level(&record);
    assert_eq!(level.verdict, Verdict::Clean);
    assert!(level.controls.judge.planted > 50 && level.controls.judge.all_caught());
    assert!(level.controls.path.all_caught() && level.trials_overlapping >= 2);
    assert_eq!(level.runs_completed, level.runs_started);
    assert!(level.phase_coverage.hit > 0);
}

#[test]
fn cut_connections_are_unknown_and_never_findings() {
    let scratch = Scratch::new("scenario-cut");
    let cut = chat().replace("bystander = true", "bystander = true\ndisconnect_percent = 40");
    let file = scratch.file("chat.toml", cut).display().to_string();
    let server = Server::start("all");
    let url = server.url();
    let arguments = ["run", &file, "--target", &url, "--users", "12", "--rounds", "3"];
    ran(&mut scratch.partywall(&arguments)).exits(0);
    let record = report(&scratch.run_folder("run"));
    let level = only_level(&record);
    assert!(level.findings.is_empty() && level.runs_unknown > 0, "{:?}", level.runs_unknown);
}

#[test]
fn a_secret_is_sent_and_never_written_down() {
    const SECRET: &str = "open-sesame-4711";
    let scratch = Scratch::new("scenario-secret");
    let text = chat().replace("\"{{ prompt }}\"", "\"{{ prompt }} {{ env.SESAME }}\"");
    let file = scratch.file("chat.toml", text).display().to_string();
    let server = Server::start("all");
    let url = server.url();
    let arguments = ["run", &file, "--target", &url, "--users", "6", "--rounds", "1"];
    ran(&mut scratch.partywall(&arguments)).exits(2).complains(&["SESAME", "not set"]);
    ran(scratch.partywall(&arguments).env("SESAME", SECRET)).exits(0);
    let mut hidden = 0;
    let mut folders = vec![scratch.run_folder("run")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).expect("a file");
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains(SECRET), "{}", path.display());
            // The server sends it back with the prompt, so it was there to be hidden.
            hidden += text.matches("***").count();
        }
    }
    assert!(hidden > 0);
}

#[test]
fn a_started_server_ends_with_its_children() {
    let scratch = Scratch::new("scenario-command");
    let port = scratch.path().join("port");
    let program = env!("CARGO_BIN_EXE_partywall");
    let shell = format!(
        "echo {{{{ port }}}} > {}; {program} serve --port {{{{ port }}}} & wait",
        port.display()
    );
    let command = format!("command = [\"sh\", \"-c\", '{shell}']");
    let own = "command = [\"partywall\", \"serve\", \"--port\", \"{{ port }}\"]";
    let text = chat().replace(own, &command);
    assert_ne!(text, chat());
    let file = scratch.file("chat.toml", text).display().to_string();
    let run = ["run", &file, "--users", "6", "--rounds", "1"];
    ran(&mut scratch.partywall(&run)).exits(0);
    let port = std::fs::read_to_string(port).expect("it was started");
    let port: u16 = port.trim().parse().expect("a port");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "its child lives on");
    assert!(scratch.run_folder("run").join("server.log").is_file());
}

#[test]
fn a_server_that_does_not_start_is_told_with_its_last_words() {
    let scratch = Scratch::new("scenario-dead");
    let own = "command = [\"partywall\", \"serve\", \"--port\", \"{{ port }}\"]";
    let dead = "command = [\"sh\", \"-c\", \"echo no such model {{ port }}; exit 3\"]";
    let file = scratch.file("chat.toml", chat().replace(own, dead)).display().to_string();
    ran(&mut scratch.partywall(&["run", &file])).exits(5).complains(&["no such model", "ended"]);
    // What CI reads is there too.
    let record = report(&scratch.run_folder("run"));
    assert_eq!(record.verdict, Outcome::Inconclusive);
    assert!(codes(&record).contains(&ReasonCode::TargetUnreachable), "{:?}", record.reasons);
    let warn = ["run", &file, "--inconclusive", "warn"];
    ran(&mut scratch.partywall(&warn)).exits(5);
}

#[test]
fn a_command_stands_for_the_target_of_a_scenario() {
    let scratch = Scratch::new("scenario-command");
    let text = chat();
    let (before, rest) = text.split_once("[target]").expect("it has a target");
    let (_, after) = rest.split_once("\n\n").expect("the target ends");
    let file = scratch.file("chat.toml", format!("{before}{after}")).display().to_string();
    let run = ["run", &file, "--users", "6", "--rounds", "1"];
    ran(&mut scratch.partywall(&run)).exits(2).complains(&["[target]"]);
    let program = env!("CARGO_BIN_EXE_partywall");
    let list = serde_json::to_string(&[program, "serve", "--port", "{{ port }}"]).expect("JSON");
    for command in [format!("{program} serve --port {{{{ port }}}}"), list] {
        ran(scratch.partywall(&run).args(["--command", &command])).exits(0);
    }
    for (wrong, why) in [("partywall serve", "port"), ("[port", "JSON")] {
        ran(scratch.partywall(&run).args(["--command", wrong])).exits(2).complains(&[why]);
    }
    // The record says where the scenario is.
    let record = report(&scratch.run_folder("run"));
    let source = record.levels[0].source.as_ref().expect("a file");
    assert!(source.file.ends_with("chat.toml"), "{}", source.file);
    let text = std::fs::read_to_string(&file).expect("it is there");
    assert_eq!(text.lines().nth(source.line as usize - 1), Some("[start]"));
}

#[test]
fn a_starter_is_written_once_and_passes_its_check() {
    let scratch = Scratch::new("scenario-init");
    let list = ran(&mut partywall(&["init", "--list"])).exits(0).stdout;
    let mut listed = Vec::new();
    for line in list.lines() {
        let (template, title) = line.split_once(' ').expect("a name and a title");
        assert!(!title.trim().is_empty(), "{line}");
        listed.push(template.to_owned());
        let file = scratch.path().join(format!("{template}.toml")).display().to_string();
        ran(&mut partywall(&["init", template, &file])).exits(0);
        ran(&mut partywall(&["check-scenario", &file])).exits(0);
        ran(&mut partywall(&["init", template, &file])).exits(2).complains(&["not overwritten"]);
    }
    ran(&mut partywall(&["init", "soap"])).exits(2).complains(&["sse-chat"]);
    listed.sort();
    let entries = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios"));
    let files = entries.expect("the folder").map(|entry| entry.expect("an entry").path());
    let names = files.filter(|path| path.extension().is_some_and(|ending| ending == "toml"));
    let stem = |path: std::path::PathBuf| path.file_stem().map(|name| name.display().to_string());
    let mut ready: Vec<String> = names.filter_map(stem).collect();
    ready.sort();
    assert_eq!(listed, ready, "each ready scenario is a starter");
    let elsewhere = chat().replace(
        "command = [\"partywall\", \"serve\", \"--port\", \"{{ port }}\"]",
        "url = \"http://192.0.2.1:80\"",
    );
    let file = scratch.file("far.toml", elsewhere).display().to_string();
    ran(&mut scratch.partywall(&["run", &file]))
        .exits(2)
        .complains(&["not on this machine", "--allow-host"]);
}

#[test]
fn a_scenario_of_the_reference_back_end_is_driven_by_name_file_and_side() {
    let scratch = Scratch::new("scenario-reference");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/reference-golden-path.toml");
    let text = std::fs::read_to_string(path).expect("a ready scenario");
    let states = "\n[[state]]\nname = \"half\"\nlegacy = [\"startup\", \"websocket_route\"]\n";
    let file = scratch.file("own.toml", text + states).display().to_string();
    ran(&mut partywall(&["check-scenario", &file])).exits(0);
    let quick = ["--users", "12", "--rounds", "1"];
    let run = |more: &[&str]| ran(&mut scratch.partywall(&[&["run"], more, &quick].concat()));
    run(&["reference-golden-path"]).exits(1);
    run(&[&file, "--state", "after"]).exits(0);
    let record = report(&scratch.run_folder("run"));
    assert_eq!(record.backend.as_deref(), Some("reference back end, migrated all"));
    run(&[&file, "--state", "half"]);
    let half = report(&scratch.run_folder("run")).backend.unwrap_or_default();
    assert!(
        half.starts_with("reference back end, migrated ") && !half.contains("startup"),
        "{half}"
    );
    run(&[&file, "--state", "whole"]).exits(2).complains(&["--state", "before, after, half"]);
}

#[test]
fn what_a_level_cannot_do_for_a_target_is_an_error_where_it_is_asked_for() {
    let scratch = Scratch::new("scenario-levels");
    let file = scratch.file("chat.toml", chat()).display().to_string();
    let explored = ran(&mut scratch.partywall(&["explore", &file]));
    explored.exits(2).complains(&["on the wire only", "partywall run"]);
    let both = ran(&mut scratch.partywall(&["migration", &file, "mechanism-mix"]));
    both.exits(2).complains(&["on the wire only"]);
    let other = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/json-rpc.toml");
    let other = other.display().to_string();
    let sides = ran(&mut scratch.partywall(&["signoff", "reference-golden-path", &other]));
    sides.exits(2).complains(&["no table `[before]`"]);
}

//! Servers that do not start, start once only, or are slow to start when somebody asks for the end:
//! whatever was seen before is in the report.

use std::path::Path;

use partywall::trial::record::{LevelName, Record};
use partywall::trial::verdict::{Outcome, ReasonCode, Verdict};

use crate::support::reports::{codes, only_level, report};
use crate::support::{Scratch, ran, started, until};

/// The ready scenario of a chat with few users, its commands put in their places: of the target, of
/// before and of after.
fn chat(commands: [&str; 3]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/chat-websocket.toml");
    let text = std::fs::read_to_string(path).expect("a ready scenario");
    let mut commands = commands.into_iter();
    let line = |line: &str| match line.starts_with("command = ") {
        true => format!("command = [\"sh\", \"-c\", '{}']\n", commands.next().expect("a command")),
        false => format!("{line}\n"),
    };
    let text: String = text.lines().map(line).collect();
    text.replace("users = 50", "users = 8").replace("rounds = 4", "rounds = 1")
}

fn serve(migrated: &str) -> String {
    let program = env!("CARGO_BIN_EXE_partywall");
    format!("exec {program} serve --migrated {migrated} --port {{{{ port }}}}")
}

/// Signs off with that server as after, which is not always there.
#[track_caller]
fn signed_off(scratch: &Scratch, after: &str) -> Record {
    let legacy = serve("none");
    let file = scratch.file("chat.toml", chat([&legacy, &legacy, after])).display().to_string();
    let ran = ran(&mut scratch.partywall(&["signoff", &file]));
    assert_eq!(ran.code, Some(5), "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.starts_with("INCONCLUSIVE"), "{}", ran.stdout);
    let record = report(&scratch.run_folder("signoff"));
    assert_eq!(record.verdict, Outcome::Inconclusive);
    assert!(codes(&record).contains(&ReasonCode::TargetUnreachable), "{:?}", record.reasons);
    // What was found before is told, with its repros.
    let before = record.before.as_ref().expect("before was driven");
    assert_eq!(before.verdict, Verdict::Leaked);
    let found = before.levels.iter().flat_map(|level| &level.findings);
    assert!(found.clone().count() > 0 && found.clone().all(|found| found.repro.is_some()));
    record
}

#[test]
fn a_sign_off_whose_after_does_not_start_tells_what_before_showed() {
    let scratch = Scratch::new("no-after");
    let record = signed_off(&scratch, "echo no such table on {{ port }} >&2; exit 7");
    let after = record.after.expect("it has its place");
    let [level] = after.levels.as_slice() else { panic!("{} levels", after.levels.len()) };
    assert_eq!((level.level, level.trials), (LevelName::Wire, 0));
    let told = &level.reasons[0].text;
    assert!(told.contains("no such table") && told.contains("after-server.log"), "{told}");
}

#[test]
fn a_sign_off_whose_after_starts_once_only_tells_both_sides() {
    let scratch = Scratch::new("one-after");
    let mark = scratch.path().join("started").display().to_string();
    let once = format!("test -e {mark} && exit 7; touch {mark}; {}", serve("all"));
    let record = signed_off(&scratch, &once);
    let after = record.after.as_ref().expect("after was driven");
    assert_eq!(after.levels[0].trials, 1);
    let told: Vec<_> = record.reasons.iter().map(|reason| reason.text.as_str()).collect();
    assert!(
        told[0].contains("could not all be replayed on after")
            && told[0].contains("after-replay-server.log"),
        "{told:?}"
    );
    assert!(told.iter().any(|text| text.contains("findings of before were not replayed")));
}

/// A leaky server that is there once, and then never comes to be ready.
fn once_ready(scratch: &Scratch) -> String {
    let [mark, again] = ["started", "again"].map(|name| scratch.path().join(name));
    let (mark, again) = (mark.display(), again.display());
    format!(
        "if test -e {mark}; then touch {again}; exec sleep 600; fi; touch {mark}; {}",
        serve("none")
    )
}

#[test]
fn who_is_interrupted_while_a_server_starts_anew_gets_the_report() {
    let scratch = Scratch::new("slow-again");
    let own = once_ready(&scratch);
    let text = chat([&own, &own, &own]).replacen("[before]", "fresh_process = true\n[before]", 1);
    let file = scratch.file("chat.toml", text).display().to_string();
    let going = started(&mut scratch.partywall(&["run", &file]));
    until("the second start", || scratch.path().join("again").exists().then_some(()));
    going.signal("INT");
    going.ends().exits(130);
    let record = report(&scratch.run_folder("run"));
    assert_eq!(record.verdict, Outcome::Leaked);
    // Nothing is wrong with the server: it was not waited for.
    let codes = codes(&record);
    assert!(codes.contains(&ReasonCode::Interrupted), "{codes:?}");
    assert!(!codes.contains(&ReasonCode::TargetUnreachable), "{codes:?}");
    assert!(only_level(&record).findings.iter().all(|found| found.repro.is_some()));
}

#[test]
fn who_is_interrupted_before_the_server_is_there_gets_a_report() {
    let scratch = Scratch::new("slow-first");
    let own = once_ready(&scratch);
    std::fs::write(scratch.path().join("started"), "").expect("it can be written");
    let file = scratch.file("chat.toml", chat([&own, &own, &own])).display().to_string();
    for command in ["run", "signoff"] {
        let again = scratch.path().join("again");
        let _ = std::fs::remove_file(&again);
        let going = started(&mut scratch.partywall(&[command, &file]));
        until("the start", || again.exists().then_some(()));
        going.signal("INT");
        going.ends().exits(130);
        let record = report(&scratch.run_folder(command));
        assert_eq!(record.verdict, Outcome::Inconclusive);
        assert!(codes(&record).contains(&ReasonCode::Interrupted), "{:?}", record.reasons);
    }
}

#[test]
fn repros_that_cannot_be_saved_do_not_keep_the_report() {
    let scratch = Scratch::new("no-regressions");
    let folder = scratch.path().join("taken");
    let arguments = ["--regressions", &folder.display().to_string(), "--save-regressions"];
    let explore = ["explore", "--migrated", "none", "--trials", "20", "--max-findings", "1"];
    // Nothing can be read there, and no folder be made.
    std::os::unix::fs::symlink(scratch.path().join("no/where"), &folder).expect("a link");
    let ran = ran(&mut scratch.partywall(&[&explore[..], &arguments[..]].concat()));
    assert_eq!(ran.code, Some(1), "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("make the folder"), "{}", ran.stderr);
    assert_eq!(report(&scratch.run_folder("explore")).verdict, Outcome::Leaked);
}

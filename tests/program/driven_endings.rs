//! External servers that leak where no answer is whole, do not answer, or go away.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Barrier, Condvar, Mutex};
use std::time::{Duration, Instant};

use partywall::trial::record::Record;
use partywall::trial::verdict::{Outcome, ReasonCode};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::support::hostile::{Asked, serve};
use crate::support::reports::{codes, only_level, report};
use crate::support::{LIMIT, Scratch, Server, ran, started, until};

/// Three users who ask once each, at about the same time.
const ASK: &str = r#"
version = 1
name = "ask"
title = "Questions"
[target]
url = "URL"
[identity]
headers = { x-user = "{{ user }}" }
[start]
by = "http"
path = "/ask"
answer = "ANSWER"
json = { question = "{{ prompt }}" }
[events]
ends = ["done"]
[workload]
users = 3
runs_per_user = 1
rounds = 1
[limits]
run_seconds = 1
"#;

/// Where those who ask wait for each other, and each gets what another one asked.
#[derive(Clone, Default)]
struct Mixer(Arc<(Mutex<Vec<String>>, Condvar)>);

impl Mixer {
    /// What somebody else asked, as soon as somebody else has asked.
    fn foreign(&self, own: &str) -> String {
        let (asked, more) = &*self.0;
        let mut asked = asked.lock().expect("nobody panics");
        asked.push(own.to_owned());
        more.notify_all();
        let begun = Instant::now();
        loop {
            if let Some(other) = asked.iter().find(|other| *other != own) {
                return other.clone();
            }
            assert!(begun.elapsed() < LIMIT, "nobody else asks");
            asked = more.wait_timeout(asked, LIMIT).expect("nobody panics").0;
        }
    }
}

#[track_caller]
fn driven(scenario: &str) -> Record {
    let scratch = Scratch::new("endings");
    // What is said of events is for a stream.
    let scenario = match scenario.contains("answer = \"stream\"") {
        true => scenario.to_owned(),
        false => scenario.replace("[events]\nends = [\"done\"]\n", ""),
    };
    let file = scratch.file("ask.toml", scenario).display().to_string();
    let ran = ran(&mut scratch.partywall(&["run", &file]));
    assert!(ran.took < Duration::from_secs(60), "{:?}", ran.took);
    let record = report(&scratch.run_folder("run"));
    assert_eq!(Some(record.exit_code as i32), ran.code);
    record
}

/// The leak that is in what that server does with a connection is found.
#[track_caller]
fn leaks(answer: &str, handle: impl Fn(Asked, &str) + Clone + Send + 'static) {
    let mixer = Mixer::default();
    let url = serve(move |asked| {
        let foreign = mixer.foreign(&asked.body);
        handle(asked, &foreign);
    });
    let record = driven(&ASK.replace("URL", &url).replace("ANSWER", answer));
    assert_eq!(record.verdict, Outcome::Leaked, "{:?}", record.reasons);
    let found = &only_level(&record).findings;
    assert!(found.iter().any(|found| found.oracle.code() == "O1"), "{found:?}");
}

/// Keeps the connection until the other side has gone.
fn hold(mut stream: TcpStream) {
    let _ = stream.read_to_end(&mut Vec::new());
}

#[test]
fn a_stream_without_an_end_is_scanned_as_far_as_it_came() {
    leaks("stream", |mut asked, foreign| {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
        // The event itself is never finished.
        let _ = asked.stream.write_all(format!("{head}data: {foreign}").as_bytes());
        hold(asked.stream);
    });
}

/// Events that never end are held until they do: that is limited for all users together, and what
/// came of them is scanned.
#[test]
fn a_flood_without_an_end_of_an_event_is_stopped_and_scanned() {
    let mixer = Mixer::default();
    let url = serve(move |mut asked| {
        let foreign = mixer.foreign(&asked.body);
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
        let _ = asked.stream.write_all(format!("{head}data: {foreign} ").as_bytes());
        // Less than one answer may have, and more than all together may.
        let piece = [b'x'; 64 << 10];
        let _ = (0..160).try_for_each(|_| asked.stream.write_all(&piece));
        hold(asked.stream);
    });
    let ask = ASK.replace("URL", &url).replace("ANSWER", "stream");
    // Nobody waits so long for the rest.
    let record = driven(&ask.replace("run_seconds = 1", "run_seconds = 100"));
    let told = &only_level(&record).reasons;
    let flood = told.iter().find(|reason| reason.code == ReasonCode::UnexpectedProtocol);
    assert!(flood.is_some_and(|flood| flood.text.contains("far more than was asked")), "{told:?}");
    assert_eq!(record.verdict, Outcome::Leaked, "{told:?}");
}

#[test]
fn a_body_that_breaks_off_is_scanned() {
    leaks("json", |mut asked, foreign| {
        let head =
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9000\r\n\r\n";
        let _ = asked.stream.write_all(format!("{head}{{\"answer\":{foreign}").as_bytes());
        let _ = asked.stream.shutdown(Shutdown::Write);
        hold(asked.stream);
    });
}

#[test]
fn a_body_that_never_ends_is_scanned() {
    leaks("json", |mut asked, foreign| {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
        let _ = asked.stream.write_all(format!("{head}{{\"answer\":{foreign}").as_bytes());
        hold(asked.stream);
    });
}

#[test]
fn headers_are_scanned() {
    leaks("json", |asked, foreign| {
        let status = format!("200 OK\r\nx-debug: {foreign}");
        asked.answer(&status, "application/json", "{}");
    });
}

#[test]
fn error_texts_are_scanned() {
    leaks("json", |asked, foreign| {
        let text = format!("Traceback: while answering {foreign}");
        asked.answer("500 Internal Server Error", "text/plain", text);
    });
}

const TALK: &str = r#"
version = 1
name = "talk"
title = "Talks"
[target]
url = "URL"
[start]
by = "message"
json = { question = "{{ prompt }}", user = "{{ user }}" }
[events]
connection = "websocket"
path = "/ws"
type = "/type"
match = "order"
ends = ["done"]
[workload]
users = 3
runs_per_user = 1
rounds = 1
bystander = false
[limits]
run_seconds = 1
"#;

#[test]
fn close_reasons_are_scanned() {
    let mixer = Mixer::default();
    let url = serve(move |asked| {
        let Ok(mut line) = asked.open() else { return };
        let Some(own) = line.hear() else { return };
        let foreign = mixer.foreign(&own);
        // A close reason has at most 123 bytes; the canary stands behind the words.
        let reason: String = foreign.split(' ').next_back().expect("a word").to_owned();
        let close = CloseFrame { code: CloseCode::Error, reason: reason.into() };
        line.send(Message::Close(Some(close)));
        while line.hear().is_some() {}
    });
    let record = driven(&TALK.replace("URL", &url));
    assert_eq!(record.verdict, Outcome::Leaked, "{:?}", record.reasons);
}

/// Nobody saw what one call of twelve would have brought, nor to whom.
#[test]
fn a_single_call_without_an_answer_is_told_and_never_clean() {
    for held in [None, Some(5)] {
        let asked_before = Arc::new(Mutex::new(0));
        let url = serve(move |asked| {
            let mut number = asked_before.lock().expect("nobody panics");
            *number += 1;
            let is_held = Some(*number) == held;
            drop(number);
            match is_held {
                true => hold(asked.stream),
                false => {
                    let body = asked.body.clone();
                    asked.answer("200 OK", "application/json", format!("{{\"answer\":{body}}}"));
                }
            }
        });
        let ask = ASK.replace("users = 3", "users = 12").replace("URL", &url);
        let record = driven(&ask.replace("ANSWER", "json"));
        let level = only_level(&record);
        let unknown = u64::from(held.is_some());
        assert_eq!((level.runs_started, level.runs_unknown), (12, unknown));
        let code = ReasonCode::RunsIncomplete;
        let told = level.reasons.iter().find(|reason| reason.code == code);
        assert_eq!(told.is_some(), held.is_some(), "{:?}", level.reasons);
        let text =
            "11 of 12 runs completed, 1 have an unknown outcome (0 of them cut off by the plan)";
        assert!(told.is_none_or(|told| told.text.starts_with(text)), "{told:?}");
        assert_eq!(level.findings, []);
        assert!(held.is_none() || record.verdict == Outcome::Inconclusive, "{:?}", record.verdict);
    }
}

#[test]
fn who_is_not_answered_in_time_has_an_unknown_end_and_is_never_clean() {
    let silent = serve(|asked| hold(asked.stream));
    let half = serve(|mut asked| {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
        let _ = asked.stream.write_all(format!("{head}data: {{}}\n\n").as_bytes());
        hold(asked.stream);
    });
    for (url, answer) in [(silent, "json"), (half, "stream")] {
        let record = driven(&ASK.replace("URL", &url).replace("ANSWER", answer));
        let level = only_level(&record);
        assert_eq!((level.runs_started, level.runs_unknown), (3, 3));
        assert!([Outcome::Inconclusive].contains(&record.verdict), "{:?}", record.verdict);
        assert_ne!(record.exit_code as u8, 0);
    }
    let url = serve(|asked| {
        let Ok(mut line) = asked.open() else { return };
        while line.hear().is_some() {}
    });
    let record = driven(&TALK.replace("URL", &url));
    assert_eq!(only_level(&record).runs_unknown, 3);
    assert_eq!(record.verdict, Outcome::Inconclusive);
}

#[test]
fn lost_answers_end_the_rounds_and_not_the_day() {
    let asked_before = Arc::new(Mutex::new(0));
    let url = serve(move |asked| {
        let mut number = asked_before.lock().expect("nobody panics");
        *number += 1;
        let is_lost = *number % 3 == 1;
        drop(number);
        match is_lost {
            true => hold(asked.stream),
            false => {
                let answer = asked.body.clone();
                asked.answer("200 OK", "application/json", answer);
            }
        }
    });
    let ask = ASK.replace("URL", &url).replace("ANSWER", "json");
    let all = driven(&ask.replace("rounds = 1", "rounds = 2"));
    assert_eq!(only_level(&all).trials, 2);
    assert!(!codes(&all).contains(&ReasonCode::BudgetCut), "{:?}", all.reasons);
    // Each round waits for a second at least: all of them for a quarter of an hour.
    let record = driven(&ask.replace("rounds = 1", "rounds = 900"));
    assert_eq!(record.verdict, Outcome::Inconclusive);
    assert!((2..=6).contains(&only_level(&record).trials), "{}", only_level(&record).trials);
    for code in [ReasonCode::BudgetCut, ReasonCode::RunsIncomplete] {
        assert!(codes(&record).contains(&code), "{:?}", record.reasons);
    }
}

#[test]
fn who_closes_every_connection_or_crashes_ends_with_a_report() {
    let closes = serve(drop);
    let record = driven(&ASK.replace("URL", &closes).replace("ANSWER", "json"));
    assert_eq!(record.exit_code as u8, 5, "{:?}", record.reasons);
    // The process ends at the first run that is asked of it.
    let scratch = Scratch::new("crash");
    let program = env!("CARGO_BIN_EXE_partywall");
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/chat-websocket.toml");
    let chat = std::fs::read_to_string(path).expect("a ready scenario");
    let own = "command = [\"partywall\", \"serve\", \"--port\", \"{{ port }}\"]";
    let crashing = format!(
        "command = [\"sh\", \"-c\", '{program} serve --port {{{{ port }}}} & server=$!; \
         until ls {}/runs/run/latest/histories/*.jsonl; do sleep 0.01; done; kill -9 $server']",
        scratch.path().display()
    );
    let chat = chat.replace(own, &crashing).replace("run_seconds = 3", "run_seconds = 1");
    let file = scratch.file("chat.toml", chat).display().to_string();
    let arguments = ["run", &file, "--users", "6", "--runs", "200", "--rounds", "1"];
    let ran = ran(&mut scratch.partywall(&arguments));
    assert!(matches!(ran.code, Some(4 | 5)), "{:?}\n{}", ran.code, ran.stderr);
    let record = report(&scratch.run_folder("run"));
    assert_eq!(record.verdict, Outcome::Inconclusive);
}

#[test]
fn an_interrupted_run_ends_the_server_that_it_started() {
    let scratch = Scratch::new("interrupt-own");
    let program = env!("CARGO_BIN_EXE_partywall");
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/chat-websocket.toml");
    let chat = std::fs::read_to_string(path).expect("a ready scenario");
    let own = "command = [\"partywall\", \"serve\", \"--port\", \"{{ port }}\"]";
    let port = scratch.path().join("port");
    let shell = format!(
        "command = [\"sh\", \"-c\", 'echo {{{{ port }}}} > {}; {program} serve --port {{{{ port }}}} & wait']",
        port.display()
    );
    let file = scratch.file("chat.toml", chat.replace(own, &shell)).display().to_string();
    let arguments = ["run", &file, "--users", "6", "--rounds", "100000", "--no-fail-fast"];
    let going = started(&mut scratch.partywall(&arguments));
    let second = scratch.run_folder("run").join("histories");
    until("the second round", || {
        let found = crate::support::reports::files(&second, "0002.jsonl");
        (!found.is_empty()).then_some(())
    });
    going.signal("INT");
    going.ends().exits(130);
    let record = report(&scratch.run_folder("run"));
    assert!(codes(&record).contains(&ReasonCode::Interrupted), "{:?}", record.reasons);
    assert!(only_level(&record).trials > 0);
    let port = std::fs::read_to_string(port).expect("it was started");
    let port: u16 = port.trim().parse().expect("a port");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "its server lives on");
}

/// The program in a shell under which no file may be longer than that many KiB.
#[cfg(target_os = "linux")]
fn with_full_disk(scratch: &Scratch, arguments: &[&str], kib: u32) -> std::process::Command {
    let of = scratch.partywall(arguments);
    let mut shell = std::process::Command::new("bash");
    crate::support::clean_environment(&mut shell);
    // Else the signal ends the program before it is told.
    shell.arg("-c").arg(format!("trap '' XFSZ; ulimit -f {kib}; exec \"$@\"")).arg("bash");
    shell.arg(of.get_program()).args(of.get_args());
    shell
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_with_a_report_of_what_was_seen() {
    for migrated in ["none", "all"] {
        let scratch = Scratch::new("full-disk");
        let server = Server::start(migrated);
        let path = "scenarios/chat-websocket.toml";
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let chat = std::fs::read_to_string(path).expect("a ready scenario");
        let chat = chat.replace("run_seconds = 3", "run_seconds = 1");
        let file = scratch.file("chat.toml", chat).display().to_string();
        let url = server.url();
        let arguments = ["run", &file, "--target", &url, "--users", "12", "--rounds", "3"];
        // The history of a round takes more than that, and so does a report with findings.
        let ran = ran(&mut with_full_disk(&scratch, &arguments, 30));
        // A leak stands; else what could not be written is what the program ends with.
        let (shown, codes) =
            if migrated == "none" { ("LEAKED", [1, 1]) } else { ("INCONCLUSIVE", [2, 5]) };
        assert!(codes.contains(&ran.code.expect("no signal")), "{:?}\n{}", ran.code, ran.stderr);
        let words = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [shown, "cannot write", "File too large", "--report-dir"] {
            assert!(words.contains(part), "no `{part}` in:\n{}", ran.stdout);
        }
    }
}

/// Events that carry no number: which must come is told by the scenario.
const STREAM: &str = r#"
version = 1
name = "stream"
title = "Streams without numbers"
[target]
url = "URL"
[start]
by = "http"
path = "/ask"
answer = "stream"
json = { question = "{{ prompt }}", user = "{{ user }}" }
[events]
type = "/type"
types = ["started", "piece"]
ends = ["done"]
expected = "started( piece)+ done"
[workload]
users = 3
runs_per_user = 1
rounds = 12
sequential = false
"#;

#[test]
fn a_run_that_lacks_an_expected_event_is_found_and_repeats_are_not() {
    for (pieces, lacks) in [([3, 1, 2], false), ([1, 0, 1], true)] {
        // Users go on together, so that their runs overlap. A client that gets no turn in between
        // may yet read one stream whole before the next: so there are many rounds, and one of them
        // is enough.
        let together = Arc::new(Barrier::new(3));
        let turns = Arc::new(Mutex::new(pieces.to_vec()));
        let url = serve(move |Asked { mut stream, body, .. }| {
            let pieces = turns.lock().expect("nobody panics").pop().unwrap_or(1);
            let event = |kind: &str| format!("data: {{\"type\":\"{kind}\",\"about\":{body}}}\n\n");
            let mut tell = |text: String| _ = stream.write_all(text.as_bytes());
            tell("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n".into());
            tell(event("started"));
            together.wait();
            (0..pieces).for_each(|_| tell(event("piece")));
            together.wait();
            tell(event("done"));
        });
        let record = driven(&STREAM.replace("URL", &url));
        let level = only_level(&record);
        let codes: Vec<_> = level.findings.iter().map(|found| found.oracle.code()).collect();
        assert_eq!(codes, if lacks { vec!["O3"] } else { vec![] }, "{:?}", level.findings);
        assert!(level.controls.judge.all_caught(), "{:?}", level.controls.judge);
    }
}

//! Servers that open event connections and then misbehave.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use partywall::scenario::built_in;
use partywall::trial::plan::Step;
use partywall::trial::verdict::{Outcome, ReasonCode};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::hostile_http::driven;
use crate::support::client::token;
use crate::support::hostile::{Line, serve};
use crate::support::reports::{codes, only_level, report};
use crate::support::{Scratch, started, until};

/// Opens event connections and hands them on; everything else is not found.
fn sockets(talk: impl Fn(Line) + Clone + Send + 'static) -> String {
    serve(move |asked| match asked.open() {
        Ok(line) => talk(line),
        Err(asked) => asked.answer("404 Not Found", "application/json", "{}"),
    })
}

/// Says this to every chat message.
fn answering(texts: impl Fn(&Value) -> Vec<Message> + Clone + Send + 'static) -> String {
    sockets(move |mut line| {
        line.greet();
        while let Some(heard) = line.hear() {
            let heard: Value = serde_json::from_str(&heard).expect("the program sends JSON");
            for text in texts(&heard) {
                line.send(text);
            }
        }
    })
}

/// The peak of the program's memory while it drives the server, in MiB.
#[cfg(target_os = "linux")]
fn peak_memory(url: &str) -> u64 {
    let scratch = Scratch::new("flood");
    let arguments = ["run", "--target", url, "--users", "4", "--time-limit", "20"];
    let mut going = started(&mut scratch.partywall(&arguments));
    let mut peak = 0;
    until("the end of the flood", || {
        peak = peak.max(going.peak_kib().unwrap_or(0));
        going.has_ended().then_some(())
    });
    let ran = going.ends();
    assert!(matches!(ran.code, Some(1 | 4 | 5)), "{:?}\n{}", ran.code, ran.stderr);
    let record = report(&scratch.run_folder("run"));
    assert_ne!(record.verdict, Outcome::Clean);
    assert!(codes(&record).contains(&ReasonCode::UnexpectedProtocol), "{:?}", record.reasons);
    assert!(ran.took < Duration::from_secs(60), "{:?}", ran.took);
    peak >> 10
}

#[test]
#[cfg(target_os = "linux")]
fn a_flood_of_messages_is_stopped_before_memory_is_full() {
    let url = sockets(|mut line| while line.say(r#"{"type":"agent_thinking","run_id":"x"}"#) {});
    let peak = peak_memory(&url);
    assert!(peak < 700, "{peak} MiB");
}

#[test]
#[cfg(target_os = "linux")]
fn a_flood_of_large_messages_is_stopped_before_memory_is_full() {
    let large = format!(r#"{{"type":"agent_thinking","text":"{}"}}"#, "a\\n".repeat(3 << 20));
    let url = sockets(move |mut line| while line.say(&large) {});
    let peak = peak_memory(&url);
    assert!(peak < 1_000, "{peak} MiB");
}

#[test]
fn a_flood_of_pings_keeps_nobody_from_ending() {
    let url = sockets(|mut line| while line.send(Message::Ping(vec![7; 100].into())) {});
    let (record, _) = driven(&url, &["--time-limit", "3"]);
    assert!(record.seconds < 8.0, "{} s", record.seconds);
}

#[test]
fn a_message_over_the_limit_ends_the_connection_only() {
    let url = answering(|_| vec![Message::text("a".repeat(17 << 20))]);
    driven(&url, &["--rounds", "1"]);
}

#[test]
fn hostile_text_is_shown_and_not_obeyed() {
    let texts = [
        "\x1b[2J\x1b]0;owned\x07\u{9b}31m".to_owned(),
        "<script>alert(1)</script> ::error::owned ##[error]owned @everybody".to_owned(),
        "\u{202e}\u{200b}\r\n# heading\n| a | b |".to_owned(),
        "9".repeat(100_000),
    ];
    let url = answering(move |chat| {
        let mut messages = vec![
            Message::binary(vec![0xff, 0xfe, 0x00, 0x80]),
            Message::text("[".repeat(100_000)),
            Message::text(r#"{"a":"#.repeat(50_000)),
            Message::text(r#"{"type":null,"run_id":[],"sequence":-1e999,"user_id":{}}"#),
            Message::text(r#"{"type":"agent_started","sequence":18446744073709551616}"#),
        ];
        for text in &texts {
            messages.push(Message::text(text.clone()));
            messages.push(Message::text(
                json!({"type": text, "run_id": text, "user_id": text, "agent_name": text,
                       "sequence": 1, "connection_id": text, "text": chat["message"]})
                .to_string(),
            ));
            messages.push(Message::text(
                json!({"type": "run_accepted", "request_id": chat["request_id"], "run_id": text,
                       "user_id": text})
                .to_string(),
            ));
        }
        messages
    });
    let (record, shown) = driven(&url, &["--rounds", "1", "--time-limit", "3"]);
    let control = |c: char| c.is_control() && c != '\n';
    assert!(!shown.contains(control), "{shown:?}");
    assert!(!shown.contains('\u{202e}') && !shown.contains('\u{200b}'));
    assert!(!shown.lines().any(|line| line.trim_start().starts_with("::")), "{shown}");
    assert_ne!(record.verdict, Outcome::Clean);
}

#[test]
fn the_token_of_somebody_else_is_no_pass() {
    let url = answering(|chat| {
        let text = format!("Bearer {} {}", token("user-1"), token("user-10"));
        let answer = json!({"type": "agent_completed", "agent_name": "supervisor", "text": text,
                            "run_id": "r", "sequence": 1, "request_id": chat["request_id"]});
        vec![Message::text(answer.to_string())]
    });
    driven(&url, &["--time-limit", "2"]);
}

#[test]
fn events_of_runs_that_nobody_started_are_no_pass() {
    let url = answering(|_| {
        let event = |number: u32| {
            json!({"type": "agent_started", "agent_name": "supervisor", "run_id": "unknown",
                   "thread_id": "thread-9", "user_id": "nobody", "sequence": number})
        };
        (1..50).map(|number| Message::text(event(number).to_string())).collect()
    });
    let (record, _) = driven(&url, &["--time-limit", "2"]);
    assert_eq!(only_level(&record).runs_completed, 0);
}

#[test]
fn who_greets_and_says_nothing_more_is_given_up_in_bounded_time() {
    let url = serve(|asked| match asked.open() {
        Ok(mut line) => {
            line.greet();
            while line.hear().is_some() {}
        }
        // The request stays unanswered until the client goes.
        Err(mut asked) => {
            let _ = std::io::copy(&mut asked.stream, &mut std::io::sink());
        }
    });
    // No time limit here: the users themselves lose patience.
    let (record, _) = driven(&url, &["--seed", &seed_without_reads()]);
    assert_eq!(only_level(&record).trials, 1);
    assert!(record.seconds < 25.0, "{} s", record.seconds);
}

#[test]
fn who_accepts_every_run_and_never_answers_about_one_is_given_up_in_bounded_time() {
    static RUNS: AtomicU32 = AtomicU32::new(1);
    let url = serve(|asked| match asked.open() {
        Ok(mut line) => {
            line.greet();
            while let Some(heard) = line.hear() {
                let chat: Value = serde_json::from_str(&heard).expect("the program sends JSON");
                let run = RUNS.fetch_add(1, Ordering::Relaxed);
                let accepted = json!({"type": "run_accepted", "run_id": format!("r-{run}"),
                                      "request_id": chat["request_id"]});
                line.say(&accepted.to_string());
            }
        }
        Err(mut asked) => {
            let _ = std::io::copy(&mut asked.stream, &mut std::io::sink());
        }
    });
    let (record, _) = driven(&url, &["--seed", &seed_without_reads()]);
    assert!(record.seconds < 25.0, "{} s", record.seconds);
}

/// A seed under which nobody waits for more than the end of a run.
fn seed_without_reads() -> String {
    let workload = built_in("reference-golden-path").expect("it is there").wire.with_users(4);
    let waits =
        |step: &Step| matches!(step, Step::ReadRun { .. } | Step::ReadThread { .. } | Step::Ping);
    let quick =
        |seed: &u64| !workload.plan(*seed, 0).users.iter().flat_map(|user| &user.steps).any(waits);
    (1..).find(quick).expect("one of them").to_string()
}

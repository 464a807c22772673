//! External servers whose runs are answered all at once: in flight together they overlap, unless the
//! server works on one at a time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use partywall::trial::record::Record;
use partywall::trial::verdict::{Outcome, ReasonCode};

use crate::support::hostile::{Asked, serve};
use crate::support::reports::{codes, only_level, report};
use crate::support::{Alone, Scratch, ran};

const HTTP: &str = r#"
[start]
by = "http"
path = "/ask"
json = { question = "{{ prompt }}" }
"#;

/// A reply to each message, in one event or in three that come in one burst.
const WEBSOCKET: &str = r#"
[start]
by = "message"
json = { id = "{{ request_id }}", question = "{{ prompt }}" }
[events]
connection = "websocket"
path = "/events"
type = "/type"
request = "/id"
types = ["started", "token", "done"]
ends = ["done"]
"#;

const FRAME: &str = r#"
version = 1
name = "queues"
title = "Runs that are answered all at once"
[target]
url = "URL"
[identity]
headers = { x-user = "{{ user }}" }
[workload]
users = 8
runs_per_user = 2
rounds = 3
"#;

/// What the server does for each run before it answers.
#[derive(Clone)]
struct Work {
    takes: Duration,
    /// Held while it works, where it works on one run at a time.
    lock: Option<Arc<Mutex<()>>>,
}

impl Work {
    fn of(milliseconds: u64, one_at_a_time: bool) -> Self {
        let lock = one_at_a_time.then(Arc::default);
        Self { takes: Duration::from_millis(milliseconds), lock }
    }

    fn do_it(&self) {
        let _held = self.lock.as_ref().map(|lock| lock.lock().expect("nobody panics"));
        std::thread::sleep(self.takes);
    }
}

fn answer(work: &Work, asked: Asked, events: &[&str]) {
    // Else the system holds back what follows the first event, and nothing comes in one burst.
    asked.stream.set_nodelay(true).expect("an option");
    let mut line = match asked.open() {
        Ok(line) => line,
        Err(asked) => {
            work.do_it();
            let body = asked.body.clone();
            return asked.answer("200 OK", "application/json", body);
        }
    };
    while let Some(text) = line.hear() {
        work.do_it();
        let said: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        for kind in events {
            let question = said["question"].clone();
            let event = serde_json::json!({"type": kind, "id": said["id"], "text": question});
            line.say(&event.to_string());
        }
    }
}

#[track_caller]
fn driven(how: &str, work: &Work, events: &'static [&'static str]) -> Record {
    let work = work.clone();
    let url = serve(move |asked| answer(&work, asked, events));
    let scratch = Scratch::new("queues");
    let file = scratch.file("queues.toml", FRAME.replace("URL", &url) + how);
    let ran = ran(&mut scratch.partywall(&["run", &file.display().to_string()]));
    let record = report(&scratch.run_folder("run"));
    assert_eq!(Some(record.exit_code as i32), ran.code);
    record
}

const ONE: &[&str] = &["done"];
const BURST: &[&str] = &["started", "token", "done"];

#[test]
fn runs_in_flight_together_overlap_where_the_server_works_on_several() {
    let _alone = Alone::new();
    let several = Work::of(20, false);
    for (how, events) in [(HTTP, ONE), (WEBSOCKET, ONE), (WEBSOCKET, BURST)] {
        let record = driven(how, &several, events);
        assert_eq!(record.verdict, Outcome::Clean, "{events:?}: {:?}", record.reasons);
        let level = only_level(&record);
        assert_eq!(level.trials_overlapping, level.trials, "{events:?}");
        assert!(level.time_together > 0);
    }
}

#[test]
fn a_lock_around_everything_is_told_and_never_clean() {
    let _alone = Alone::new();
    let one = Work::of(20, true);
    for (how, events) in [(HTTP, ONE), (WEBSOCKET, ONE), (WEBSOCKET, BURST)] {
        let record = driven(how, &one, events);
        assert_eq!(record.verdict, Outcome::Inconclusive, "{events:?}: {:?}", record.reasons);
        let codes = codes(&record);
        assert!(codes.contains(&ReasonCode::ServesOneAtATime), "{events:?}: {codes:?}");
    }
}

/// Nothing but the way there and back can be measured then: that is stated, and no verdict rests on it.
#[test]
fn where_runs_are_too_short_to_tell_the_report_says_so() {
    let _alone = Alone::new();
    let record = driven(HTTP, &Work::of(0, true), ONE);
    let codes = codes(&record);
    assert!(!codes.contains(&ReasonCode::ServesOneAtATime), "{codes:?}");
    assert!(!only_level(&record).claims.is_empty());
}

//! Names of users that a server also says as words of its own. Without `python3`, in which the server is
//! written, the test says so and passes.

use std::process::Command;

use partywall::trial::record::Record;
use partywall::trial::verdict::{Outcome, ReasonCode};

use crate::support::reports::{codes, only_level, report};
use crate::support::{Scratch, ran};

/// Greets whoever asks, or whoever came last, and tells everybody to ask their teacher.
const SERVER: &str = r#"
import http.server, json, sys, time
greets_last = sys.argv[2] == "last"
last = [""]
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        last[0] = user = self.headers["x-user"]
        time.sleep(0.02)
        greeted = last[0] if greets_last else user
        body = f"Hello {greeted}. If {asked['question']} is hard, ask your teacher.".encode()
        self.send_response(200)
        self.send_header("content-type", "text/plain")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"#;

const SCENARIO: &str = r#"
version = 1
name = "names"
title = "A page that greets its user"
[target]
command = ["python3", "SERVER", "{{ port }}", "GREETS"]
[identity]
headers = { x-user = "{{ user }}" }
users_file = "USERS"
[start]
by = "http"
path = "/ask"
json = { question = "{{ prompt }}" }
[workload]
runs_per_user = 2
rounds = 2
"#;

/// The server started anew and driven; none without `python3`.
fn driven(greets: &str) -> Option<Record> {
    let there = Command::new("python3").arg("--version").output();
    if !there.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: there is no python3 to start the server with");
        return None;
    }
    let scratch = Scratch::new("names");
    let server = scratch.file("server.py", SERVER).display().to_string();
    let users = scratch.file("users.tsv", "alice\nteacher\nrobert\nsusanne\n");
    let scenario = SCENARIO.replace("SERVER", &server).replace("GREETS", greets);
    let scenario = scenario.replace("USERS", &users.display().to_string());
    let file = scratch.file("names.toml", scenario).display().to_string();
    let ran = ran(&mut scratch.partywall(&["run", &file]));
    let record = report(&scratch.run_folder("run"));
    assert_eq!(Some(record.exit_code as i32), ran.code, "{}", ran.stderr);
    Some(record)
}

#[test]
fn a_word_that_the_server_says_to_a_user_who_is_alone_is_no_leak() {
    let Some(record) = driven("own") else { return };
    assert_eq!(record.verdict, Outcome::Clean, "{:?}", record.reasons);
    assert!(codes(&record).contains(&ReasonCode::NamesNotSearched), "{:?}", record.reasons);
}

#[test]
fn other_names_are_searched_beside_it() {
    let Some(record) = driven("last") else { return };
    assert_eq!(record.verdict, Outcome::Leaked, "{:?}", record.reasons);
    assert!(codes(&record).contains(&ReasonCode::NamesNotSearched), "{:?}", record.reasons);
    let found = &only_level(&record).findings;
    assert!(!found.is_empty() && found.iter().all(|found| found.victim.as_str() != "teacher"));
}

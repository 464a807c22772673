//! Places and types of a scenario that the server's messages do not have: a check that finds nothing
//! there has checked nothing, so the verdict is never clean.

use std::path::Path;

use partywall::scenario::Scenario;
use partywall::trial::record::Record;
use partywall::trial::verdict::{Outcome, ReasonCode};

use crate::support::reports::{codes, report};
use crate::support::{Scratch, Server, ran};

/// The reference back end, described as one would describe any other server, with a line replaced.
fn chat(line: &str, by: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/chat-websocket.toml");
    let text = std::fs::read_to_string(path).expect("a ready scenario");
    assert!(text.contains(line), "{line}");
    text.replace(line, by).replace("run_seconds = 3", "run_seconds = 1")
}

#[track_caller]
fn driven(server: &Server, line: &str, by: &str, exits: i32) -> Record {
    let scratch = Scratch::new("places");
    let file = scratch.file("chat.toml", chat(line, by)).display().to_string();
    let arguments = ["run", &file, "--target", &server.url(), "--users", "6", "--rounds", "1"];
    ran(&mut scratch.partywall(&arguments)).exits(exits);
    report(&scratch.run_folder("run"))
}

#[test]
fn what_never_matches_makes_a_sound_server_inconclusive() {
    let server = Server::start("all");
    let right = driven(&server, "user = \"/user_id\"", "user = \"/user_id\"", 0);
    assert_eq!(codes(&right), [ReasonCode::Shown]);
    for (line, by) in [
        ("user = \"/user_id\"", "user = \"/who\""),
        ("user = \"/user_id\"", "user = \"/run_id\""),
        ("greeting = \"connection_established\"", "greeting = \"welcome\""),
        // No run ends, and it is the scenario that is wrong: doubt, not "nothing exercised".
        (
            "ends = [\"agent_error\", { type = \"agent_completed\", agent",
            "ends = [{ type = \"agent_complete\", agent",
        ),
    ] {
        let record = driven(&server, line, by, 5);
        assert_eq!(record.verdict, Outcome::Inconclusive, "{by}");
        assert!(codes(&record).contains(&ReasonCode::PlaceUnmatched), "{by}: {:?}", record.reasons);
    }
}

#[test]
fn a_key_that_reads_nothing_without_another_is_an_error() {
    let base = chat("run = \"/run_id\"\n", "").replace("sequence = \"/sequence\"\n", "");
    let base = base.replace("accepted = \"run_accepted\"\n", "");
    let none = base.replace("request = \"/request_id\"\n", "");
    for (text, line) in [
        (&none, "match = \"request\""),
        (&base, "match = \"run\""),
        (&base, "unique_runs = false"),
        (&base, "first = 0"),
    ] {
        let text = text.replace("connection = ", &format!("{line}\nconnection = "));
        let error = Scenario::parse(&text).expect_err(line);
        let at = text.lines().position(|own| own == line).map(|at| at + 1);
        assert_eq!(error.line, at, "{line}: {error}");
    }
}

#[test]
fn types_of_messages_need_their_place() {
    let line_of = |text: &str, key: &str| {
        text.lines().position(|line| line.starts_with(key)).map(|at| at + 1)
    };
    let text = chat("type = \"/type\"\n", "");
    let error = Scenario::parse(&text).expect_err("nothing has a type");
    assert_eq!(error.line, line_of(&text, "accepted ="), "{error}");
    assert!(Scenario::parse(&chat("type = \"/type\"\n", "type = \"/type\"\n")).is_ok());
    // A plain text is its own type.
    let plain = "version = 1\nname = \"plain\"\ntitle = \"t\"\n[target]\nurl = \"http://127.0.0.1:1\"\n\
                 [identity]\nheaders = { x-user = \"{{ user }}\" }\n\
                 [start]\nby = \"message\"\ntext = \"{{ prompt }}\"\n\
                 [events]\nconnection = \"websocket\"\npath = \"/\"\nmatch = \"order\"\nends = [\"END\"]\n";
    Scenario::parse(plain).unwrap_or_else(|error| panic!("{error}"));
    let error = Scenario::parse(&plain.replace("text =", "json ="));
    assert_eq!(error.expect_err("nothing has a type").line, line_of(plain, "ends ="));
}

#[test]
fn what_is_said_of_events_needs_some() {
    let answered = "version = 1\nname = \"answered\"\ntitle = \"t\"\n[target]\nurl = \"http://127.0.0.1:1\"\n\
                    [identity]\nheaders = { x-user = \"{{ user }}\" }\n\
                    [start]\nby = \"http\"\npath = \"/\"\njson = { message = \"{{ prompt }}\" }\n\
                    [events]\nrequest = \"/id\"\n";
    Scenario::parse(answered).unwrap_or_else(|error| panic!("{error}"));
    let last = answered.lines().count() + 1;
    for (line, in_a_stream) in [
        ("types = [\"token\"]", true),
        ("ends = [\"done\"]", true),
        ("ends = [{ present = \"/done\" }]", true),
        ("accepted = \"accepted\"", true),
        ("sequence = \"/seq\"", true),
        ("greeting = \"welcome\"", false),
    ] {
        let text = format!("{answered}{line}\n");
        let error = Scenario::parse(&text).expect_err(line);
        assert_eq!(error.line, Some(last), "{line}: {error}");
        let streamed = text.replace("path = \"/\"", "path = \"/\"\nanswer = \"stream\"");
        assert_eq!(Scenario::parse(&streamed).is_ok(), in_a_stream, "{line}");
    }
}

#[test]
fn a_leak_stays_one_where_a_place_never_matches() {
    let server = Server::start("none");
    let record = driven(&server, "thread = \"/thread_id\"", "thread = \"/conversation\"", 1);
    assert_eq!(record.verdict, Outcome::Leaked);
    assert!(codes(&record).contains(&ReasonCode::PlaceUnmatched), "{:?}", record.reasons);
}

#[test]
fn unique_ids_are_said_to_leave_collisions_untried() {
    let server = Server::start("all");
    let record = driven(&server, "by = \"message\"", "by = \"message\"\nids = \"unique\"", 0);
    assert_eq!(codes(&record), [ReasonCode::Shown, ReasonCode::CollisionsNotTried]);
}

#[test]
fn events_that_name_no_run_need_a_match() {
    let none = chat("run = \"/run_id\"\n", "").replace("request = \"/request_id\"\n", "");
    let none = none.replace("accepted = \"run_accepted\"\n", "");
    let error = Scenario::parse(&none).expect_err("nothing binds an event to its run");
    let line = none.lines().position(|line| line.starts_with("connection =")).map(|at| at + 1);
    assert_eq!(error.line, line, "{error}");
    assert!(error.problem.contains("`match = \"order\"`"), "{error}");
    for enough in ["match = \"order\"", "match = \"stream\"", "request = \"/request_id\""] {
        let text = none.replace("connection = ", &format!("{enough}\nconnection = "));
        Scenario::parse(&text).unwrap_or_else(|error| panic!("{enough}: {error}"));
    }
}

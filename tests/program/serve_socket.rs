//! The reference back end as a server, over WebSocket.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::Server;
use crate::support::client::{Events, chat, is_end};

fn text<'v>(message: &'v Value, field: &str) -> &'v str {
    message[field].as_str().unwrap_or_else(|| panic!("no {field} in {message}"))
}

#[test]
fn the_golden_path_comes_in_order_and_numbered() {
    let server = Server::start("all");
    let mut events = Events::of(server.port, "alice");
    events.send(&chat("t-1", "r-1", &[], &[1, 2]));
    let messages = events.whole_run();
    let (accepted, run) = messages.split_first().expect("an acceptance");
    assert_eq!(text(accepted, "type"), "run_accepted");
    assert_eq!(text(accepted, "request_id"), "r-1");
    let mut expected = vec![("agent_started", "supervisor")];
    for agent in ["triage", "data", "optimization", "actions", "reporting"] {
        let steps = [
            "agent_started",
            "agent_thinking",
            "tool_executing",
            "tool_completed",
            "agent_completed",
        ];
        expected.extend(steps.map(|step| (step, agent)));
    }
    expected.push(("agent_completed", "supervisor"));
    let came: Vec<_> = run.iter().map(|m| (text(m, "type"), text(m, "agent_name"))).collect();
    assert_eq!(came, expected);
    for (number, event) in (1..).zip(run) {
        assert_eq!(event["sequence"], json!(number));
        assert_eq!(text(event, "user_id"), "alice");
        assert_eq!(text(event, "thread_id"), "t-1");
        assert_eq!(event["run_id"], accepted["run_id"]);
    }
}

#[test]
fn what_is_no_message_is_answered_and_the_connection_goes_on() {
    let server = Server::start("all");
    let mut events = Events::of(server.port, "alice");
    let mut bad: Vec<Message> =
        ["", "{", "null", "[]", "\"ping\"", r#"{"type":"unknown"}"#, r#"{"type":"chat"}"#]
            .map(Message::text)
            .to_vec();
    bad.push(Message::binary(vec![0xff, 0x00]));
    bad.push(Message::text("[".repeat(100_000)));
    let mut stated = chat("t-1", "r-1", &["triage"], &[]);
    stated["user_id"] = json!("bob");
    bad.push(Message::text(stated.to_string()));
    for message in bad {
        events.send_raw(message.clone());
        let answer = events.next();
        assert_eq!(text(&answer, "type"), "error", "{message}");
        assert!(!text(&answer, "error").is_empty());
        events.send(&json!({"type": "ping"}));
        assert_eq!(text(&events.next(), "type"), "pong");
    }
    events.send(&chat("t-1", "r-2", &["triage"], &[]));
    assert_eq!(events.whole_run().len(), 8);
}

#[test]
fn an_oversized_message_ends_its_connection_and_no_other() {
    let server = Server::start("all");
    let mut other = Events::of(server.port, "bob");
    let mut events = Events::of(server.port, "alice");
    let large = Message::text("a".repeat((1 << 20) + 1));
    // The server may cut the connection while the message is still on its way.
    events.try_send(large);
    while events.until_text().is_some() {}
    other.send(&json!({"type": "ping"}));
    assert_eq!(text(&other.next(), "type"), "pong");
    let mut again = Events::of(server.port, "alice");
    again.send(&json!({"type": "ping"}));
    assert_eq!(text(&again.next(), "type"), "pong");
}

#[test]
fn no_more_than_five_runs_of_a_user_go_on_at_once() {
    let server = Server::start("all");
    let mut events = Events::of(server.port, "alice");
    for request in ["1", "2", "3", "4", "5", "6", "7"] {
        events.send(&chat("t-1", request, &["triage", "data"], &[20]));
    }
    let (mut under_way, mut most, mut ended) = (0, 0, 0);
    while ended < 7 {
        let event = events.next();
        if is_end(&event) {
            assert_eq!(text(&event, "type"), "agent_completed");
            under_way -= 1;
            ended += 1;
        } else if text(&event, "type") == "agent_started" && event["agent_name"] == "supervisor" {
            under_way += 1;
            most = most.max(under_way);
        }
    }
    assert_eq!(most, 5);
}

#[test]
fn a_user_has_events_on_every_connection_and_nobody_else_has_any() {
    let server = Server::start("all");
    let mut first = Events::of(server.port, "alice");
    let mut second = Events::of(server.port, "alice");
    let mut other = Events::of(server.port, "alice2");
    first.send(&chat("t-1", "1", &["triage"], &[]));
    let run = first.whole_run();
    assert_eq!(second.whole_run(), run[1..]);
    // Whatever had come before the answer to a ping would stand before it.
    other.send(&json!({"type": "ping"}));
    assert_eq!(text(&other.next(), "type"), "pong");
}

//! The reference back end as a server, over HTTP.

use serde_json::{Value, json};

use crate::support::Server;
use crate::support::client::{Events, chat, http, http_as, token};

#[test]
fn the_first_line_is_json_with_the_port() {
    let server = Server::start("startup,websocket_route");
    let line = &server.first_line;
    assert_eq!(line["port"], server.port);
    assert_eq!(line["url"], server.url());
    assert_eq!(line["migrated"], "startup,websocket_route");
    let (status, health) = http(server.port, "GET", "/health", None, "");
    assert_eq!((status, health.as_str()), (200, r#"{"status":"ok"}"#));
}

#[test]
fn without_a_genuine_token_nothing_is_served() {
    let server = Server::start("all");
    let mut forged = token("user-1");
    forged.replace_range(4..6, "76");
    let cut = &token("user-1")[..20];
    for wrong in [None, Some(""), Some("x"), Some(forged.as_str()), Some(cut)] {
        for (method, path) in
            [("POST", "/api/chat"), ("GET", "/api/runs/run-1"), ("GET", "/nowhere")]
        {
            let (status, body) = http(server.port, method, path, wrong, "{}");
            assert_eq!(status, 401, "{method} {path} with {wrong:?}");
            assert!(body.contains("token"), "{body}");
        }
        assert_eq!(Events::open(server.port, wrong).err(), Some(401), "/ws with {wrong:?}");
    }
}

#[test]
fn a_chat_is_answered_when_its_run_has_ended() {
    let server = Server::start("all");
    let mut listening = Events::of(server.port, "alice");
    let body = chat("t-1", "r-1", &["triage"], &[]);
    let (status, answer) = http_as(server.port, "alice", "POST", "/api/chat", &body);
    assert_eq!(status, 200);
    assert_eq!(answer["status"], "completed");
    assert_eq!(answer["user_id"], "alice");
    assert_eq!(answer["thread_id"], "t-1");
    assert_eq!(answer["request_id"], "r-1");
    let text = answer["answer"].as_str().expect("an answer");
    assert!(text.contains("what costs most"), "{text}");
    // The events of the run come to the user's connections.
    let events = listening.whole_run();
    assert_eq!(events.len(), 7);
    assert!(events.iter().all(|event| event["run_id"] == answer["run_id"]));
    // Run and thread can be read by their owner.
    let run = format!("/api/runs/{}", answer["run_id"].as_str().expect("an id"));
    let (status, state) = http_as(server.port, "alice", "GET", &run, &Value::Null);
    assert_eq!((status, &state["status"]), (200, &json!("completed")));
    let path = "/api/threads/t-1/messages";
    let (status, thread) = http_as(server.port, "alice", "GET", path, &Value::Null);
    assert_eq!((status, thread["messages"].as_array().map(Vec::len)), (200, Some(2)));
}

#[test]
fn what_belongs_to_somebody_else_is_forbidden() {
    let server = Server::start("all");
    let body = chat("private", "r-1", &["triage"], &[]);
    let (_, answer) = http_as(server.port, "alice", "POST", "/api/chat", &body);
    let run = format!("/api/runs/{}", answer["run_id"].as_str().expect("an id"));
    let get = |user: &str, path: &str| http_as(server.port, user, "GET", path, &Value::Null).0;
    // A name that begins with the owner's, or is one with a separator, is another.
    for other in ["bob", "alice2", "alic", "alice_private", "alice:private"] {
        assert_eq!(get(other, &run), 403, "{other}");
        assert_eq!(get(other, "/api/threads/private/messages"), 403, "{other}");
    }
    let mut stated = body;
    stated["user_id"] = json!("alice");
    assert_eq!(http_as(server.port, "bob", "POST", "/api/chat", &stated).0, 403);
    assert_eq!(http_as(server.port, "alice", "POST", "/api/chat", &stated).0, 200);
    // Bob may have a thread of the same name, of his own.
    stated["user_id"] = json!("bob");
    assert_eq!(http_as(server.port, "bob", "POST", "/api/chat", &stated).0, 200);
    assert_eq!(get("bob", "/api/threads/private/messages"), 200);
}

#[test]
fn a_run_is_stopped_and_approved_by_its_own_user_only() {
    let server = Server::start("all");
    let mut events = Events::of(server.port, "alice");
    let post = |user: &str, path: &str| http_as(server.port, user, "POST", path, &Value::Null).0;
    let mut body = chat("t-1", "r-1", &["triage"], &[]);
    body["approval"] = json!(true);
    for (action, end) in [("stop", "agent_error"), ("approve", "agent_completed")] {
        events.send(&body);
        let run = events.next()["run_id"].as_str().expect("an id").to_owned();
        let path = format!("/api/runs/{run}/{action}");
        assert_eq!(post("bob", &path), 403);
        assert_eq!(post("alice", &path), 200);
        let last = events.whole_run().pop().expect("an end");
        assert_eq!((&last["type"], &last["run_id"]), (&json!(end), &json!(run)), "{action}");
        // What has ended cannot be stopped.
        assert_eq!(post("alice", &format!("/api/runs/{run}/stop")), 409);
    }
    assert_eq!(post("alice", "/api/runs/none/stop"), 404);
}

#[test]
fn what_is_not_there_or_not_understood_is_said_so() {
    let server = Server::start("all");
    let status = |method: &str, path: &str, body: &str| {
        http(server.port, method, path, Some(&token("alice")), body).0
    };
    assert_eq!(status("GET", "/", ""), 404);
    assert_eq!(status("GET", "/api/runs/none", ""), 404);
    assert_eq!(status("GET", "/api/threads/none/messages", ""), 404);
    assert_eq!(status("GET", "/api/runs/a/b", ""), 404);
    assert_eq!(status("GET", "/api/chat", ""), 405);
    assert_eq!(status("DELETE", "/api/runs/none", ""), 405);
    assert_eq!(status("POST", "/api/threads/none/messages", ""), 405);
    for malformed in ["", "{", "[]", "null", "{}", r#"{"message":1,"thread_id":"t"}"#] {
        assert_eq!(status("POST", "/api/chat", malformed), 400, "{malformed}");
    }
    let deep = "[".repeat(10_000);
    assert_eq!(status("POST", "/api/chat", &deep), 400);
    let large = format!(r#"{{"message":"{}","thread_id":"t"}}"#, "a".repeat(2 << 20));
    assert_eq!(status("POST", "/api/chat", &large), 413);
    assert_eq!(status("GET", "/health", ""), 200);
}

#[test]
fn an_unknown_agent_fails_its_run_and_nothing_else() {
    let server = Server::start("all");
    let body = chat("t-1", "r-1", &["triage", "nobody"], &[]);
    let (status, answer) = http_as(server.port, "alice", "POST", "/api/chat", &body);
    assert_eq!((status, &answer["status"]), (200, &json!("failed")));
    let body = chat("t-1", "r-2", &["triage"], &[]);
    let (_, answer) = http_as(server.port, "alice", "POST", "/api/chat", &body);
    assert_eq!(answer["status"], "completed");
}

#[test]
fn every_state_of_the_migration_serves() {
    let sites = [
        "startup",
        "request_dependency",
        "websocket_route",
        "supervisor_agent",
        "execution_engine_factory",
        "user_execution_engine",
    ];
    for migrated in [&sites[..], &["none", "all"]].concat() {
        let server = Server::start(migrated);
        assert_eq!(server.first_line["migrated"], migrated);
        let body = chat("t-1", "r-1", &[], &[]);
        let (status, answer) = http_as(server.port, "alice", "POST", "/api/chat", &body);
        assert_eq!((status, &answer["status"]), (200, &json!("completed")), "{migrated}");
        let mut events = Events::of(server.port, "alice");
        events.send(&body);
        // One user alone gets their own events, migrated or not.
        let run = events.whole_run();
        assert_eq!((run.len(), &run[0]["type"]), (28, &json!("run_accepted")), "{migrated}");
        assert_eq!(server.end_by("INT"), Some(0), "{migrated}");
    }
}

//! How a server begins and ends.

use std::io::Write;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::support::client::{Events, chat, tcp, token};
use crate::support::{Server, partywall, ran};

#[test]
fn a_port_in_use_is_said_with_the_remedy() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = taken.local_addr().expect("it is bound").port().to_string();
    let ran = ran(&mut partywall(&["serve", "--port", &port])).exits(2);
    assert_eq!(ran.stdout, "");
    ran.complains(&[&port, "in use", "--port"]);
}

#[test]
fn an_interrupt_ends_it_with_0_whatever_clients_do() {
    for signal in ["INT", "TERM"] {
        let server = Server::start("all");
        // One that never asks anything, one that asks half, one in a long run, one that listens.
        let _silent = tcp(server.port);
        let mut half = tcp(server.port);
        half.write_all(b"POST /api/chat HTTP/1.1\r\nContent-Le").expect("it is taken");
        let mut running = Events::of(server.port, "alice");
        running.send(&chat("t-1", "1", &["triage"], &[60_000]));
        assert_eq!(running.next()["type"], "run_accepted");
        let body = chat("t-1", "2", &["triage"], &[60_000]).to_string();
        let mut asking = tcp(server.port);
        let head = format!(
            "POST /api/chat HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            token("bob"),
            body.len()
        );
        asking.write_all(head.as_bytes()).expect("it is taken");
        let mut listening = Events::of(server.port, "carol");
        let begun = Instant::now();
        assert_eq!(server.end_by(signal), Some(0));
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        assert_eq!(listening.until_text(), None);
    }
}

#[test]
fn an_idle_server_ends_at_once() {
    let server = Server::start("all");
    let begun = Instant::now();
    assert_eq!(server.end_by("INT"), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

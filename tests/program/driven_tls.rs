//! External servers over TLS: who is trusted, and what is told where nobody is.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use partywall::trial::record::Record;
use partywall::trial::verdict::{Outcome, ReasonCode};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tokio_tungstenite::tungstenite::Message;

use crate::support::reports::{codes, only_level, report};
use crate::support::{Ran, Scratch, ran};

type Tls = StreamOwned<ServerConnection, TcpStream>;

/// An authority of this test, in PEM, and what a server needs that it has signed.
fn authority() -> (String, Arc<ServerConfig>) {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let issuer = CertifiedIssuer::self_signed(params, key).expect("it is signed");
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(names).expect("names");
    let certificate = params.signed_by(&key, &issuer).expect("it is signed");
    let secret = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has them")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], secret)
        .expect("they belong together");
    (issuer.pem(), Arc::new(config))
}

/// Serves each connection on a thread of its own, as long as the tests run. Gives the port.
fn serve(config: Arc<ServerConfig>, handle: impl Fn(Tls) + Clone + Send + 'static) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (config, handle) = (Arc::clone(&config), handle.clone());
            std::thread::spawn(move || {
                let connection = ServerConnection::new(config).expect("a configuration");
                handle(StreamOwned::new(connection, stream));
            });
        }
    });
    port
}

/// Gives back each body that is posted.
fn echo(mut stream: Tls) {
    let mut length = 0;
    {
        let mut lines = BufReader::new(&mut stream);
        let mut line = String::new();
        while lines.read_line(&mut line).is_ok_and(|read| read > 2) {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a number");
            }
            line.clear();
        }
        let mut body = vec![0; length];
        if lines.read_exact(&mut body).is_err() {
            return;
        }
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
        let reply = format!("{head}content-length: {length}\r\n\r\n");
        let reply = [reply.as_bytes(), &body].concat();
        drop(lines);
        let _ = stream.write_all(&reply);
    }
    stream.conn.send_close_notify();
    let _ = stream.flush();
}

/// Answers each message on an event connection with one event.
fn talk(stream: Tls) {
    let Ok(mut socket) = tokio_tungstenite::tungstenite::accept(stream) else { return };
    while let Ok(message) = socket.read() {
        if let Message::Text(text) = message {
            let event = format!(r#"{{"type":"done","about":{text}}}"#);
            let _ = socket.send(Message::text(event));
        }
    }
}

const ASK: &str = r#"
version = 1
name = "ask"
title = "Questions over TLS"
[target]
url = "https://HOST:PORT"
CA
[start]
by = "http"
path = "/ask"
json = { question = "{{ prompt }}", user = "{{ user }}" }
[workload]
users = 4
rounds = 1
"#;

const TALK: &str = r#"
version = 1
name = "talk"
title = "Talks over TLS"
[target]
url = "https://HOST:PORT"
CA
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
users = 4
rounds = 1
[limits]
run_seconds = 3
"#;

fn run(text: &str, port: u16, ca: Option<&str>) -> (Record, Ran) {
    let scratch = Scratch::new("tls");
    let line = ca.map(|pem| format!("ca = \"{}\"", scratch.file("ca.pem", pem).display()));
    let text = text.replace("PORT", &port.to_string()).replace("CA", &line.unwrap_or_default());
    let file = scratch.file("tls.toml", text).display().to_string();
    let ran = ran(&mut scratch.partywall(&["run", &file]));
    let record = report(&scratch.run_folder("run"));
    assert_eq!(Some(record.exit_code as i32), ran.code, "{}", ran.stderr);
    (record, ran)
}

#[test]
fn requests_and_event_connections_go_over_tls() {
    let (pem, config) = authority();
    let asked = serve(Arc::clone(&config), echo);
    let told = serve(config, talk);
    for (text, port, host) in
        [(ASK, asked, "127.0.0.1"), (ASK, asked, "localhost"), (TALK, told, "localhost")]
    {
        let (record, ran) = run(&text.replace("HOST", host), port, Some(&pem));
        let level = only_level(&record);
        assert!(level.runs_started > 0, "{}", ran.stdout);
        assert_eq!(level.runs_completed, level.runs_started, "{host} {}", ran.stdout);
        assert!(level.findings.is_empty(), "{}", ran.stdout);
    }
}

#[test]
fn a_certificate_of_another_authority_is_refused_and_told_with_the_remedy() {
    let (_, config) = authority();
    let (other, _) = authority();
    let asked = serve(Arc::clone(&config), echo);
    let told = serve(config, talk);
    for (text, port) in [(ASK, asked), (TALK, told)] {
        // Neither another authority nor those of the system have signed it.
        let text = text.replace("HOST", "127.0.0.1");
        let (record, ran) = run(&text, port, Some(&other));
        assert_eq!((record.verdict, record.exit_code as u8), (Outcome::Inconclusive, 5));
        assert!(codes(&record).contains(&ReasonCode::TargetUnreachable), "{:?}", record.reasons);
        let words = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("certificate is not trusted"), "{words}");
        assert!(words.contains("name its authority by `ca` in `[target]`"), "{words}");
    }
}

#[test]
fn a_file_that_is_no_authority_is_a_usage_error() {
    let scratch = Scratch::new("no-ca");
    for (bytes, complaint) in [
        ("", "no certificate"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "not a certificate"),
    ] {
        let pem = scratch.file("ca.pem", bytes).display().to_string();
        let text = ASK.replace("HOST", "127.0.0.1").replace("PORT", "1");
        let file = scratch.file("tls.toml", text.replace("CA", &format!("ca = \"{pem}\"")));
        let file = file.display().to_string();
        ran(&mut scratch.partywall(&["run", &file])).exits(2).complains(&[complaint, "PEM"]);
    }
}

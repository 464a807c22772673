//! Servers that speak HTTP at best, or nothing at all.

use std::io::{Read, Write};
use std::time::Duration;

use partywall::trial::record::Record;
use partywall::trial::verdict::{Outcome, ReasonCode};

use crate::support::hostile::{serve, serve_raw};
use crate::support::reports::{codes, report};
use crate::support::{Scratch, ran};

/// Drives the server. Whatever it does, there is an end, a documented exit code and a report, and
/// never a pass.
pub(crate) fn driven(url: &str, more: &[&str]) -> (Record, String) {
    let scratch = Scratch::new("hostile");
    let arguments = [&["run", "--target", url, "--users", "4"], more].concat();
    let ran = ran(&mut scratch.partywall(&arguments));
    assert!(matches!(ran.code, Some(1 | 4 | 5)), "{:?}\n{}", ran.code, ran.stderr);
    assert!(ran.took < Duration::from_secs(60), "{:?}", ran.took);
    let record = report(&scratch.run_folder("run"));
    assert_ne!(record.verdict, Outcome::Clean);
    assert_eq!(Some(record.exit_code as i32), ran.code);
    (record, ran.stdout + &ran.stderr)
}

#[test]
fn a_web_site_is_not_the_protocol() {
    let page = "<!doctype html><title>It works</title><p>It works!";
    let url = serve(move |asked| asked.answer("200 OK", "text/html", page));
    let (record, shown) = driven(&url, &[]);
    assert_eq!(record.exit_code as u8, 4);
    assert_eq!(codes(&record).first(), Some(&ReasonCode::Refused), "{:?}", record.reasons);
    assert!(shown.contains("It works!"), "{shown}");
    assert!(shown.contains("What to do"), "{shown}");
}

#[test]
fn who_sends_elsewhere_is_not_followed() {
    let url = serve(|asked| {
        asked.answer("302 Found\r\nLocation: http://192.0.2.1/", "text/html", "elsewhere");
    });
    let (record, shown) = driven(&url, &[]);
    assert_eq!(record.exit_code as u8, 4);
    assert_eq!(codes(&record).first(), Some(&ReasonCode::Refused), "{:?}", record.reasons);
    assert!(shown.contains("http://192.0.2.1/"), "{shown}");
}

#[test]
fn who_never_answers_is_left_at_the_time_limit() {
    let url = serve_raw(|mut stream| {
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
    });
    let (record, _) = driven(&url, &["--time-limit", "1"]);
    assert!(codes(&record).contains(&ReasonCode::BudgetCut), "{:?}", record.reasons);
    assert!(record.seconds < 3.0, "{} s", record.seconds);
}

#[test]
fn who_closes_every_connection_is_out_of_reach() {
    let url = serve_raw(drop);
    let (record, _) = driven(&url, &[]);
    assert_eq!(record.exit_code as u8, 5);
    assert!(record.seconds < 10.0, "{} s", record.seconds);
}

#[test]
fn who_answers_with_garbage_is_out_of_reach() {
    let url = serve(|mut asked| {
        let _ = asked.stream.write_all(b"\x00\xff\x1b[2J garbage\r\n\r\n\r\n");
    });
    let (record, shown) = driven(&url, &[]);
    assert_eq!(record.exit_code as u8, 5);
    assert!(!shown.contains('\x1b'));
}

#[test]
fn a_body_without_an_end_is_not_read_forever() {
    let url = serve(|asked| match asked.open() {
        Ok(mut line) => {
            line.greet();
            while line.hear().is_some() {}
        }
        Err(mut asked) => {
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"answer\":\"";
            let _ = asked.stream.write_all(head.as_bytes());
            while asked.stream.write_all(&[b'a'; 4096]).is_ok() {}
        }
    });
    driven(&url, &["--time-limit", "5", "--seed", "3"]);
}

#[test]
fn a_body_that_drips_is_given_up() {
    let url = serve(|mut asked| {
        let _ = asked.stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        while asked.stream.write_all(b"a").is_ok() {
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    let (record, _) = driven(&url, &["--time-limit", "2"]);
    assert!(record.seconds < 4.0, "{} s", record.seconds);
}

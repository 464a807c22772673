//! External servers, each described by its scenario file.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use partywall::upstream::{Options, Upstream};

use super::rows::{Ready, Seen, rows};
use super::{driven, is_clean, leaks, repository, text};
use crate::servers::Leak;
use crate::support::Scratch;

/// Users and rounds that fit into every build; the second round is sequential.
const USERS: &str = "8";
const CLEAN_ROUNDS: &str = "3";
const LEAKY_ROUNDS: &str = "2";
/// Where a request must be cut in the middle, and all others end.
const CUT_ROUNDS: &str = "6";

/// The upstream takes its time, so that runs overlap however fast the server is.
fn upstream() -> Upstream {
    let delay = (Duration::from_millis(10), Duration::from_millis(60));
    let options = Options { delay, ..Options::default() };
    Upstream::start(options).expect("a free port")
}

/// The scenario as it is.
fn scenario(ready: Ready) -> PathBuf {
    let folder = if ready.is_ready() { "scenarios" } else { "tests/servers" };
    repository().join(folder).join(format!("{}.toml", ready.name()))
}

/// The scenario with less patience: where something leaks, ends never come.
fn impatient(ready: Ready, scratch: &Scratch) -> PathBuf {
    let text = text(&scenario(ready));
    assert!(!text.contains("[limits]"), "{ready:?}");
    scratch.file("scenario.toml", format!("{text}\n[limits]\nrun_seconds = 1\n"))
}

fn drive(ready: Ready) {
    let run = |leak, code| {
        let scratch = Scratch::new(ready.name());
        let upstream = upstream();
        let server = ready.start(leak, upstream.url());
        let (file, rounds) = match code {
            0 => (scenario(ready), CLEAN_ROUNDS),
            _ if leak == Leak::StaleReply => (scenario(ready), CUT_ROUNDS),
            _ => (impatient(ready, &scratch), LEAKY_ROUNDS),
        };
        let (file, url) = (file.display().to_string(), server.url());
        let arguments = ["run", &file, "--target", &url, "--users", USERS, "--rounds", rounds];
        let begun = Instant::now();
        let level = driven(&scratch, &arguments, code);
        println!("{ready:?} {leak:?}: {:.1} s", begun.elapsed().as_secs_f64());
        level
    };
    is_clean(&run(Leak::None, 0), ready.name());
    let own = |leak| rows(leak).into_iter().find(|(own, _)| *own == ready);
    let leaky: Vec<(Leak, Seen)> =
        Leak::ALL.into_iter().filter_map(|leak| Some((leak, own(leak)?.1))).collect();
    assert!(!leaky.is_empty(), "{ready:?} has no leak");
    // They mostly wait for what does not come.
    std::thread::scope(|together| {
        for (leak, seen) in leaky {
            let (run, what) = (&run, format!("{ready:?} with {leak:?}"));
            together.spawn(move || match seen {
                Seen::By(oracle) => leaks(&run(leak, 1), oracle, &what),
                Seen::Unseen(_) => assert!(run(leak, 0).findings.is_empty(), "{what} is seen now"),
            });
        }
    });
}

#[test]
fn sse_chat() {
    drive(Ready::SseChat);
}

#[test]
fn json_rpc() {
    for sse in [false, true] {
        drive(Ready::JsonRpc { sse });
    }
}

#[test]
fn json_rpc_stateless() {
    for sse in [false, true] {
        drive(Ready::JsonRpcStateless { sse });
    }
}

#[test]
fn http_only() {
    drive(Ready::HttpOnly);
}

#[test]
fn socket_io() {
    drive(Ready::SocketIo);
}

#[test]
fn ws_chat() {
    drive(Ready::WsChat);
}

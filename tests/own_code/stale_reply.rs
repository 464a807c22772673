//! A pooled upstream connection whose reply stays unread when a request is cancelled: the next
//! request on it reads the reply of the one before (mechanism M01).
//!
//! Without a cancellation every reply is read by who asked, in every interleaving, so no random
//! walk without faults finds it; one sweep of cancellations does.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use partywall::campaign::search::Search;
use partywall::trial::plan::{FaultKind, Via};
use partywall::trial::verdict::{ReasonCode, Verdict};
use partywall::world::backend::Backend;
use partywall::{Chat, Config, explore, handler};

use super::config;

/// A connection to the upstream: replies come in the order of the questions, whoever reads them.
#[derive(Debug, Default)]
struct Upstream {
    replies: VecDeque<String>,
}

/// A connection taken from the pool of one; given back when dropped, also by cancellation.
struct Taken {
    pool: Arc<tokio::sync::Semaphore>,
    connection: Arc<Mutex<Upstream>>,
    discard_unread: bool,
}

impl Drop for Taken {
    fn drop(&mut self) {
        if self.discard_unread {
            self.connection.lock().expect("nobody panics").replies.clear();
        }
        self.pool.add_permits(1);
    }
}

fn service(discard_unread: bool) -> impl Backend {
    let pool = Arc::new(tokio::sync::Semaphore::new(1));
    let connection = Arc::new(Mutex::new(Upstream::default()));
    handler(move |chat: Chat| {
        let (pool, connection) = (Arc::clone(&pool), Arc::clone(&connection));
        async move {
            for _ in 0..2 {
                chat.say("working on it");
                chat.world().turn().await;
            }
            pool.acquire().await.expect("it stays open").forget();
            let taken = Taken { pool, connection, discard_unread };
            let ask = |question: &str| {
                let reply = format!("the answer to {question}");
                taken.connection.lock().expect("nobody panics").replies.push_back(reply);
            };
            ask(chat.prompt());
            // The reply is under way: this is where a request is cancelled in production.
            chat.world().sleep(3).await;
            let mut upstream = taken.connection.lock().expect("nobody panics");
            upstream.replies.pop_front().expect("it was asked")
        }
    })
}

fn over_http(name: &str) -> Config {
    config(name).via(&[Via::Http, Via::Socket]).runs_per_user(2).users(2..=3)
}

#[test]
fn one_cancellation_sweep_finds_the_stale_reply() {
    let sweep = Search::Sweep { kinds: vec![FaultKind::Cancel], plans: 1 };
    let found = explore(over_http("stale").search(sweep.clone()), || service(false));
    let found = found.expect("explored");
    assert_eq!(found.verdict(), Verdict::Leaked, "{:?}", found.reasons());
    let repro = found.repros().first().expect("it has a repro");
    assert_eq!(repro.plan.faults.len(), 1, "nothing leaks without the cancellation");
    assert_eq!(repro.plan.faults[0].kind, FaultKind::Cancel);

    let cured = explore(over_http("discarded").search(sweep), || service(true));
    let cured = cured.expect("explored");
    assert_eq!(cured.findings().count(), 0);
}

#[test]
fn no_random_walk_without_faults_finds_it() {
    // Not a matter of odds: every reply is read by who asked unless somebody is cancelled.
    let walks = explore(over_http("no-faults").trials(2_000), || service(false));
    let walks = walks.expect("explored");
    assert_eq!(walks.findings().count(), 0);
    assert!(walks.level().trials_overlapping > 1_000, "{}", walks.level().trials_overlapping);
    assert!(walks.reasons().iter().all(|reason| reason.code != ReasonCode::Findings));
}

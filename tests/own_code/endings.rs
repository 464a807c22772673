//! What is no leak is told apart: a hang, a panic, tokio's own runtime, nondeterminism, too little
//! time. None of them is ever clean.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use partywall::trial::plan::Via;
use partywall::trial::verdict::{ReasonCode, Verdict};
use partywall::world::backend::Backend;
use partywall::{Chat, Config, explore, handler};

use super::config;

/// The only doubt that the back end raises.
fn doubt(config: Config, back_end: impl Fn() -> Box<dyn Backend> + Sync) -> Vec<ReasonCode> {
    let isolation = explore(config.trials(20), || Boxed(back_end())).expect("explored");
    assert_eq!(isolation.verdict(), Verdict::Inconclusive, "{:?}", isolation.reasons());
    isolation.reasons().iter().map(|reason| reason.code).collect()
}

struct Boxed(Box<dyn Backend>);

impl Backend for Boxed {
    fn session(
        &self,
        world: &partywall::World,
        user: &partywall::trial::ids::UserName,
    ) -> Box<dyn partywall::world::backend::Session> {
        self.0.session(world, user)
    }
}

#[test]
fn a_back_end_that_never_finishes_is_told_as_hanging() {
    let busy = || -> Box<dyn Backend> {
        Box::new(handler(|chat: Chat| async move {
            loop {
                chat.world().turn().await;
            }
        }))
    };
    assert!(doubt(config("busy").users(2..=2), busy).contains(&ReasonCode::BackendHangs));
}

/// Nothing came to anybody else, and nothing that was sent was lost.
#[test]
fn a_run_that_waits_for_ever_hangs_and_does_not_leak() {
    let waits = || -> Box<dyn Backend> {
        Box::new(handler(|chat: Chat| async move {
            chat.say("thinking");
            std::future::pending().await
        }))
    };
    let locks_twice = || -> Box<dyn Backend> {
        let lock = Arc::new(tokio::sync::Mutex::new(()));
        Box::new(handler(move |_: Chat| {
            let lock = Arc::clone(&lock);
            async move {
                let _held = lock.lock().await;
                let _again = lock.lock().await;
                String::new()
            }
        }))
    };
    for via in [Via::Socket, Via::Http] {
        let config = || config("hangs").via(&[via]);
        assert!(doubt(config(), waits).contains(&ReasonCode::BackendHangs), "{via:?}");
        assert!(doubt(config(), locks_twice).contains(&ReasonCode::BackendHangs), "{via:?}");
    }
}

#[test]
fn a_time_limit_is_honoured_within_a_trial_and_never_clean() {
    let busy = || -> Box<dyn Backend> {
        Box::new(handler(|chat: Chat| async move {
            loop {
                chat.world().sleep(1_000).await;
            }
        }))
    };
    let limited = config("limited").time_limit(Duration::from_millis(20));
    assert!(doubt(limited, busy).contains(&ReasonCode::BudgetCut));
}

#[test]
fn a_panic_is_told_as_such() {
    let panics = || -> Box<dyn Backend> {
        Box::new(handler(|chat: Chat| async move {
            chat.world().turn().await;
            panic!("on purpose");
        }))
    };
    assert!(doubt(config("panics"), panics).contains(&ReasonCode::BackendPanicked));
}

#[test]
fn tokio_s_own_runtime_is_told_as_such() {
    let sleeps = || -> Box<dyn Backend> {
        Box::new(handler(|_: Chat| async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            String::new()
        }))
    };
    assert!(doubt(config("tokio"), sleeps).contains(&ReasonCode::NeedsTokio));
}

#[test]
fn nondeterminism_is_told_as_such_and_not_as_a_leak() {
    // Which way a call takes depends on how many there were in the whole process: neither plan nor
    // schedule holds that. The bits are mixed, so that no number of calls in between gives three or
    // more calls the same turns again.
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let wavers = || -> Box<dyn Backend> {
        Box::new(handler(|chat: Chat| async move {
            let call = CALLS.fetch_add(1, Ordering::Relaxed);
            let mixed = (call ^ (call >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9).rotate_left(31);
            let turns = (mixed ^ call).wrapping_mul(0x94D0_49BB_1331_11EB) >> 58;
            chat.say("thinking");
            for _ in 0..=turns {
                chat.world().turn().await;
            }
            chat.say("answering");
            format!("you asked: {}", chat.prompt())
        }))
    };
    let doubts = doubt(config("wavers"), wavers);
    assert!(doubts.contains(&ReasonCode::Nondeterministic), "{doubts:?}");
}

#[test]
fn a_server_that_serialises_everything_is_not_clean() {
    let gate = |speaks: bool| {
        move || -> Box<dyn Backend> {
            let gate = Arc::new(tokio::sync::Mutex::new(()));
            Box::new(handler(move |chat: Chat| {
                let gate = Arc::clone(&gate);
                async move {
                    let _turn = gate.lock().await;
                    if speaks {
                        chat.say("thinking");
                    }
                    chat.world().turn().await;
                    format!("you asked: {}", chat.prompt())
                }
            }))
        }
    };
    for (speaks, via) in [(true, Via::Socket), (false, Via::Socket), (false, Via::Http)] {
        let config = config("serial").via(&[via]);
        assert!(doubt(config, gate(speaks)).contains(&ReasonCode::TooLittleOverlap), "{via:?}");
    }
}

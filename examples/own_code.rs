//! One async function under test: a service that remembers answers, keyed by too little.
//!
//! Run it with `cargo run --example own_code`. In your own code this is a test that calls
//! `assert_isolated`; here the result is printed instead.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use partywall::{Chat, Config, Verdict, backend::Backend, explore, handler};

/// What remembered answers are found by.
#[derive(Clone, Copy)]
enum Key {
    /// Wrong: different users choose equal names for their conversations.
    Thread,
    /// Right.
    UserAndThread,
}

/// The service. Everything that its users share is made here, once for each trial.
fn service(key: Key) -> impl Backend {
    let cache: Arc<Mutex<HashMap<String, String>>> = Arc::default();
    handler(move |chat: Chat| {
        let cache = Arc::clone(&cache);
        async move {
            let key = match key {
                Key::Thread => chat.thread().to_owned(),
                Key::UserAndThread => format!("{:?}", (chat.user(), chat.thread())),
            };
            chat.say("looking it up");
            chat.world().sleep(2).await; // stands for a call of a database or a model
            let mut cache = cache.lock().unwrap();
            cache.entry(key).or_insert_with(|| format!("about {}", chat.prompt())).clone()
        }
    })
}

pub(crate) fn main() -> Result<(), partywall::Error> {
    let config = |name| Config::named(name).trials(200).regressions(None);

    let leaky = explore(config("thread"), || service(Key::Thread))?;
    println!("keyed by thread: {}", leaky.verdict());
    for finding in leaky.findings() {
        println!("  {}", finding.summary);
    }
    assert_eq!(leaky.verdict(), Verdict::Leaked);

    let sound = explore(config("user and thread"), || service(Key::UserAndThread))?;
    println!("keyed by user and thread: {}", sound.verdict());
    assert_eq!(sound.verdict(), Verdict::Clean);
    Ok(())
}

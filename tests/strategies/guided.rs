//! The guided search: no worse than random where its marks do not help, better where they do.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use partywall::trial::ids::{TaskName, UserName};
use partywall::world::recorder::Recorder;
use partywall::world::simulated::{Limits, simulate};
use partywall::world::strategy::{Guide, Pct, Random, Strategy};

/// Marked steps before and after the racy ones, which are not marked.
const UNRELATED: usize = 50;
const SEEDS: u64 = 200;

/// Two tasks that take 50 marked steps, write a slot, wait, read it back, and take 50 more.
fn loses_a_write(strategy: &mut dyn Strategy) -> bool {
    let lost = Arc::new(AtomicBool::new(false));
    let slot = Arc::new(AtomicUsize::new(0));
    let recorder = Recorder::in_memory();
    let start = |world: &partywall::World, users: &partywall::world::simulated::Users| {
        for task in [1, 2] {
            let (world, slot, lost) = (world.clone(), Arc::clone(&slot), Arc::clone(&lost));
            let user = UserName::new(format!("user-{task}"));
            users.spawn(TaskName::new(&user), async move {
                for step in 0..UNRELATED {
                    world.mark(&user, &format!("before {step}"));
                    world.turn().await;
                }
                slot.store(task, Ordering::Relaxed);
                world.turn().await;
                lost.fetch_or(slot.load(Ordering::Relaxed) != task, Ordering::Relaxed);
                for step in 0..UNRELATED {
                    world.mark(&user, &format!("after {step}"));
                    world.turn().await;
                }
            });
        }
    };
    simulate(strategy, Limits::default(), &|| false, recorder, start).expect("outside a runtime");
    lost.load(Ordering::Relaxed)
}

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values[values.len() / 2]
}

/// Trials until found, at most 5,000.
fn until(mut found: impl FnMut(u64) -> bool) -> u64 {
    (1..=5_000).find(|trial| found(*trial)).unwrap_or(5_001)
}

#[test]
fn guided_finds_the_unmarked_race_no_later_than_random_and_both_before_pct() {
    let walk = |seed: u64, trial: u64| seed << 16 | trial;
    let random =
        (0..SEEDS).map(|seed| until(|trial| loses_a_write(&mut Random::new(walk(seed, trial)))));
    let random = median(random.collect());
    let guided = (0..SEEDS).map(|seed| {
        let mut guide = Guide::default();
        until(|trial| loses_a_write(&mut guide.next_trial(walk(seed, trial))))
    });
    let guided = median(guided.collect());
    // Two tasks, 202 choices; the race has depth 2.
    let pct = (0..SEEDS)
        .map(|seed| until(|trial| loses_a_write(&mut Pct::new(walk(seed, trial), 2, 202))));
    let pct = median(pct.collect());
    println!(
        "median trials until found over {SEEDS} seeds: random {random}, guided {guided}, PCT {pct}"
    );
    assert!(guided <= random, "guided {guided}, random {random}");
    assert!(random < pct, "random {random}, PCT {pct}");
}

/// Two users with ten milestones each; the first takes five steps between two of them, so that a
/// random walk rarely lets the second come late.
fn milestones(strategy: &mut dyn Strategy, met: &Arc<Mutex<BTreeSet<(usize, usize)>>>) {
    let at = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let recorder = Recorder::in_memory();
    let start = |world: &partywall::World, users: &partywall::world::simulated::Users| {
        for (task, pause) in [(0, 5), (1, 1)] {
            let (world, at, met) = (world.clone(), Arc::clone(&at), Arc::clone(met));
            let user = UserName::new(format!("user-{task}"));
            users.spawn(TaskName::new(&user), async move {
                for step in 1..=10 {
                    world.mark(&user, &format!("{task} {step}"));
                    at[task].store(step, Ordering::Relaxed);
                    if task == 1 {
                        let other = at[0].load(Ordering::Relaxed);
                        met.lock().expect("one thread").insert((other, step));
                    }
                    world.sleep(pause).await;
                }
            });
        }
    };
    simulate(strategy, Limits::default(), &|| false, recorder, start).expect("outside a runtime");
}

#[test]
fn guided_lets_all_milestones_meet_sooner_than_random() {
    const TRIALS: u64 = 400;
    let mut by_random = 0;
    let mut by_guided = 0;
    for seed in 0..10_u64 {
        let met = Arc::default();
        for trial in 0..TRIALS {
            milestones(&mut Random::new(seed << 16 | trial), &met);
        }
        by_random += met.lock().expect("one thread").len();
        let met = Arc::default();
        let mut guide = Guide::default();
        for trial in 0..TRIALS {
            milestones(&mut guide.next_trial(seed << 16 | trial), &met);
        }
        assert!(guide.guided_trials() > 0);
        by_guided += met.lock().expect("one thread").len();
    }
    println!("pairs met in {TRIALS} trials, over 10 seeds: random {by_random}, guided {by_guided}");
    assert!(by_guided > by_random, "guided {by_guided}, random {by_random}");
}

//! Strategies: that each searches what it says, with the odds beside each expectation.

#[path = "strategies/guided.rs"]
mod guided;
#[path = "strategies/ordered.rs"]
mod ordered;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use partywall::world::recorder::Recorder;
use partywall::world::simulated::{Limits, Simulated, simulate};
use partywall::world::strategy::{Exhaustive, Pct, Random, Strategy};

/// Tasks that take so many turns each; tells the order of all their steps.
fn interleave(turns: &[usize], strategy: &mut dyn Strategy) -> (String, Simulated) {
    let order = Arc::new(Mutex::new(String::new()));
    let simulated =
        simulate(strategy, Limits::default(), &|| false, Recorder::in_memory(), |world, users| {
            for (task, &turns) in turns.iter().enumerate() {
                let name = char::from(b'a' + u8::try_from(task).expect("few tasks"));
                let (order, world) = (Arc::clone(&order), world.clone());
                users.spawn(name.to_string(), async move {
                    for turn in 0..turns {
                        if turn > 0 {
                            world.turn().await;
                        }
                        order.lock().expect("one thread").push(name);
                    }
                });
            }
        });
    let order = order.lock().expect("one thread").clone();
    (order, simulated.expect("not inside a runtime"))
}

/// Every interleaving that the exhaustive search comes by, and how many schedules it tried by cost.
fn exhaust(turns: &[usize], bound: Option<usize>) -> (BTreeSet<String>, Vec<u64>) {
    let mut search = Exhaustive::new(bound);
    let mut seen = BTreeSet::new();
    while let Some(mut branch) = search.next_branch() {
        let (order, _) = interleave(turns, &mut branch);
        assert!(seen.insert(order.clone()), "{order} came twice");
        search.took(branch);
    }
    (seen, search.tried().to_vec())
}

fn binomial(n: u64, k: u64) -> u64 {
    (0..k).fold(1, |product, i| product * (n - i) / (i + 1))
}

#[test]
fn exhaustive_without_a_bound_is_every_interleaving_once() {
    for (a, b) in [(1, 1), (2, 2), (3, 2), (4, 4)] {
        let (seen, tried) = exhaust(&[a, b], None);
        let all = binomial((a + b) as u64, a as u64);
        assert_eq!(seen.len() as u64, all, "{a} and {b} steps");
        assert_eq!(tried.iter().sum::<u64>(), all);
    }
    // Three tasks of two steps: 6! / (2!)^3.
    assert_eq!(exhaust(&[2, 2, 2], None).0.len(), 90);
}

#[test]
fn exhaustive_by_cost_tries_the_cheap_schedules_first() {
    let (seen, tried) = exhaust(&[2, 2], Some(1));
    // By default aabb. One deviation: start with b (bbaa, since the current task goes on), or go
    // over to b after the first a (abba, since b goes on until it ends).
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["aabb", "abba", "bbaa"]);
    assert_eq!(tried, [1, 2]);
}

/// The model of the PCT paper's figure 5, by its depth: the last of `depth` tasks fails if each of
/// them takes its one marked step in order, between the marked steps of the others.
///
/// Task i waits out its filler and then sets flag i if flag i − 1 is set and no later one was
/// tried; the bug is that all flags are set.
fn ordered_bug(depth: usize, filler: u32, strategy: &mut dyn Strategy) -> (bool, Simulated) {
    let flags: Arc<Vec<AtomicBool>> =
        Arc::new((0..depth).map(|_| AtomicBool::new(false)).collect());
    let simulated =
        simulate(strategy, Limits::default(), &|| false, Recorder::in_memory(), |world, users| {
            for task in 0..depth {
                let (flags, world) = (Arc::clone(&flags), world.clone());
                // Names against the order of the flags: the default policy never finds it.
                let name = format!("task-{}", depth - task);
                users.spawn(name, async move {
                    world.sleep(filler).await;
                    if task == 0 || flags[task - 1].load(Ordering::Relaxed) {
                        flags[task].store(true, Ordering::Relaxed);
                    }
                });
            }
        });
    (flags.iter().all(|flag| flag.load(Ordering::Relaxed)), simulated.expect("runs"))
}

/// Two tasks; the bug needs that the second comes to its first step before anything of the first
/// happens and then not again until the first has taken `filler` steps: random walk finds it with a
/// probability of 2^-filler at the most.
fn starved(filler: u32, strategy: &mut dyn Strategy) -> bool {
    let found = Arc::new(AtomicBool::new(false));
    let open = Arc::new(AtomicBool::new(false));
    let simulated =
        simulate(strategy, Limits::default(), &|| false, Recorder::in_memory(), |world, users| {
            let (first, window) = (world.clone(), Arc::clone(&open));
            let seen = Arc::clone(&found);
            users.spawn("a-long", async move {
                first.sleep(filler).await;
                seen.store(window.load(Ordering::Relaxed), Ordering::Relaxed);
            });
            let (second, window) = (world.clone(), Arc::clone(&open));
            users.spawn("b-short", async move {
                window.store(true, Ordering::Relaxed);
                second.turn().await;
                window.store(false, Ordering::Relaxed);
            });
        });
    simulated.expect("runs");
    found.load(Ordering::Relaxed)
}

#[test]
fn pct_finds_at_its_depth_what_random_misses() {
    const FILLER: u32 = 40;
    const TRIALS: u64 = 2_000;
    // Random: b must be passed over 39 times in a row, at most 2^-39 a trial and 4·10^-9 in all.
    let random = (0..TRIALS).filter(|seed| starved(FILLER, &mut Random::new(*seed))).count();
    assert_eq!(random, 0);
    // PCT: two ordered steps (b opens, a ends before b closes), depth 2. It is at least
    // 1/(n·k) = 1/(2·41) a trial: 2,000 trials miss it with less than e^-24.
    let pct = (0..TRIALS).filter(|seed| starved(FILLER, &mut Pct::new(*seed, 2, 41))).count();
    let least = Pct::least_probability(2, 41, 2);
    assert!(pct > 0);
    assert!(pct as f64 / TRIALS as f64 >= least / 2.0, "{pct} of {TRIALS}, stated {least}");
}

#[test]
fn pct_keeps_its_stated_odds_for_depths_one_to_three() {
    const TRIALS: u64 = 4_000;
    for depth in 1..=3 {
        let found = (0..TRIALS)
            .filter(|seed| {
                let (_, length) = ordered_bug(depth, 4, &mut Random::new(0));
                let mut pct = Pct::new(*seed, u32::try_from(depth).expect("small"), length.choices);
                ordered_bug(depth, 4, &mut pct).0
            })
            .count() as f64;
        let (_, length) = ordered_bug(depth, 4, &mut Random::new(0));
        let depth = u32::try_from(depth).expect("small");
        let least = Pct::least_probability(depth.into(), length.choices, depth);
        // Three standard deviations below the stated least.
        let expected = least * TRIALS as f64;
        assert!(found >= expected - 3.0 * expected.sqrt(), "depth {depth}: {found} < {expected}");
    }
}

#[test]
fn the_same_seed_is_the_same_walk() {
    let turns = [5, 5, 5];
    for seed in 0..20 {
        let once = interleave(&turns, &mut Pct::new(seed, 3, 15)).0;
        assert_eq!(once, interleave(&turns, &mut Pct::new(seed, 3, 15)).0);
        let once = interleave(&turns, &mut Random::new(seed)).0;
        assert_eq!(once, interleave(&turns, &mut Random::new(seed)).0);
    }
}

//! A bug that needs exactly d ordered switches, as in figure 5 of the PCT paper: a walk must not
//! switch for long, and then switch within a short stretch, d times over.
//!
//! Two tasks take turns in parts of [`PART`] steps, and nothing of the other may come in between:
//! first a part of one, then one of the other, and so on, d + 1 parts in all. Between two of its
//! parts a task has [`SLACK`] steps in which it may be switched away from, and at its end it fails
//! unless every part has been done by then.

use std::sync::{Arc, Mutex};

use partywall::world::World;
use partywall::world::recorder::Recorder;
use partywall::world::simulated::{Limits, Simulated, simulate};
use partywall::world::strategy::{Pct, Random, Strategy};

const PART: u32 = 24;
const SLACK: u32 = 24;
/// Trials of each search.
const BUDGET: u64 = 4_000;

#[derive(Debug, Default)]
struct Progress {
    parts_done: usize,
    /// The task that took the last step.
    last: usize,
    /// Steps that it has taken in a row.
    in_a_row: u32,
    failed: bool,
}

impl Progress {
    fn step(&mut self, task: usize) {
        self.in_a_row = if self.last == task { self.in_a_row + 1 } else { 1 };
        self.last = task;
    }
}

async fn take_parts(world: World, progress: Arc<Mutex<Progress>>, task: usize, parts: usize) {
    let with = |act: &mut dyn FnMut(&mut Progress)| act(&mut progress.lock().expect("one thread"));
    for part in (task..parts).step_by(2) {
        let mut in_time = false;
        with(&mut |progress| in_time = progress.parts_done == part);
        for _ in 0..PART {
            with(&mut |progress| progress.step(task));
            world.turn().await;
        }
        // Undisturbed: the last PART steps of the world were all this task's.
        with(&mut |progress| {
            if in_time && progress.last == task && progress.in_a_row >= PART {
                progress.parts_done = part + 1;
            }
        });
        for _ in 0..SLACK {
            with(&mut |progress| progress.step(task));
            world.turn().await;
        }
    }
    with(&mut |progress| progress.failed |= progress.parts_done < parts);
}

/// Whether the bug showed: every part was done undisturbed before either task ended.
fn found(switches: usize, strategy: &mut dyn Strategy) -> (bool, Simulated) {
    let progress: Arc<Mutex<Progress>> = Arc::default();
    let recorder = Recorder::in_memory();
    let simulated = simulate(strategy, Limits::default(), &|| false, recorder, |world, users| {
        for task in 0..2 {
            let (world, progress) = (world.clone(), Arc::clone(&progress));
            let name = if task == 0 { "first" } else { "second" };
            users.spawn(name, take_parts(world, progress, task, switches + 1));
        }
    });
    let done = !progress.lock().expect("one thread").failed;
    (done, simulated.expect("outside any runtime"))
}

#[test]
fn random_misses_what_needs_ordered_switches_and_pct_finds_it() {
    for switches in 1..=3 {
        // Random: each of d + 1 parts needs that one of two ready tasks is taken 23 times in a row
        // (the last part may run alone): at most 2^-(23·d) a trial, for d = 1 in 4,000 trials
        // 4,000·2^-23 = 5·10^-4.
        let random = (0..BUDGET).filter(|seed| found(switches, &mut Random::new(*seed)).0).count();
        assert_eq!(random, 0, "{switches} switches");
        // PCT of depth d + 1: the first task has the higher priority in half of the trials, and each
        // of d change points falls into its stretch of 24 of the k steps. For d = 3, k is about 192:
        // the guarantee 1/(2·192^3) allows for stretches of one step; with 24 it is (24/192)^3·3!/2,
        // about 0.6 % a trial, and 4,000 trials miss it with e^-23.
        let (_, probe) = found(switches, &mut Random::new(0));
        let depth = u32::try_from(switches).expect("few") + 1;
        let pct = |seed| Pct::new(seed, depth, probe.choices);
        let hits = (0..BUDGET).filter(|seed| found(switches, &mut pct(*seed)).0).count();
        let least = Pct::least_probability(2, probe.choices, depth);
        println!("{switches} switches: {hits} of {BUDGET}, at least {least:.1e} each was stated");
        assert!(hits > 0, "{switches} switches");
        assert!(hits as f64 / BUDGET as f64 >= least, "{switches} switches: {hits}");
        // One depth less has a change point too few.
        let shallow = |seed| Pct::new(seed, depth - 1, probe.choices);
        let missed = (0..BUDGET).filter(|seed| found(switches, &mut shallow(*seed)).0).count();
        assert!(missed < hits, "{switches} switches: {missed} with one depth less, {hits} with it");
    }
}

//! A large tree: everything planted is found, in the time and memory that are promised.

use std::time::{Duration, Instant};

use super::{Scratch, audited, generate, options};

#[test]
fn all_workers_together_find_what_one_finds() {
    let scratch = Scratch::new("workers");
    let (_, planted) = generate::write_tree(&scratch.0, 200);
    let mut options = options();
    let mut found = Vec::new();
    for workers in [1, 2, 5] {
        options.workers = workers;
        let seen = std::sync::Mutex::new(Vec::new());
        let progress = |done, of| seen.lock().expect("no panic").push((done, of));
        let audit = partywall::audit::audit(&scratch.0, &options, &progress);
        let seen = seen.into_inner().expect("no panic");
        assert!(seen.is_sorted() && seen.last() == Some(&(200, 200)), "{:?}", seen.last());
        found.push(audit.expect("it can be read"));
    }
    assert!(found.iter().all(|audit| *audit == found[0]));
    let counted = found[0].counted().count() as u32;
    assert_eq!(counted, planted, "what was planted has no definition");
}

/// The figure itself is of a release build: `cargo bench --bench audit`, and this test with
/// `PARTYWALL_THOROUGH_TESTS=1 cargo test --release --test audit`.
#[test]
fn ten_thousand_files_take_five_seconds_at_the_most() {
    if cfg!(debug_assertions) || std::env::var_os("PARTYWALL_THOROUGH_TESTS").is_none() {
        eprintln!("skipped: set PARTYWALL_THOROUGH_TESTS in a release build");
        return;
    }
    let scratch = Scratch::new("large");
    let (bytes, planted) = generate::write_tree(&scratch.0, 10_000);
    let begun = Instant::now();
    let audit = audited(&scratch.0, false);
    let took = begun.elapsed();
    assert_eq!(audit.counted().count() as u32, planted);
    eprintln!("{} MB in {took:?}, {} uses", bytes / 1_000_000, audit.uses.len());
    assert!(took < Duration::from_secs(5), "{took:?}");
    #[cfg(target_os = "linux")]
    {
        let status = std::fs::read_to_string("/proc/self/status").expect("there is /proc");
        let line = status.lines().find(|line| line.starts_with("VmHWM")).expect("it is there");
        let kib: u64 = line.split_whitespace().nth(1).expect("a number").parse().expect("one");
        assert!(kib < 300 * 1024, "{kib} KiB");
    }
}

//! The other searches of `explore`, and what is done with a repro: told step by step, shrunk, saved,
//! replayed first.

use partywall::campaign::repro::Repro;
use partywall::trial::record::SearchMethod;
use partywall::trial::replay_result::ReplayResult;
use partywall::trial::verdict::{Outcome, Verdict};

use crate::support::reports::{files, only_level, report};
use crate::support::{Scratch, partywall, ran};

#[test]
fn every_search_finds_the_legacy_leak_and_says_what_it_may_claim() {
    let scratch = Scratch::new("searches");
    let searches: [(&[&str], &str); 4] = [
        (&["--strategy", "pct", "--depth", "2", "--trials", "60"], "1/(n·k^1)"),
        (&["--strategy", "guided", "--trials", "60"], "random walks went towards"),
        (&["--strategy", "exhaustive", "--delays", "1"], "by number of deviations 1 + "),
        (&["--strategy", "sweep", "--plans", "1", "--faults", "cancel,vanish"], "fault point"),
    ];
    for (search, claim) in searches {
        let arguments = [&["explore", "--max-findings", "1", "--name", "legacy"], search].concat();
        ran(&mut scratch.partywall(&arguments)).exits(1);
        let leaked = report(&scratch.run_folder("legacy"));
        assert_eq!(leaked.verdict, Outcome::Leaked, "{search:?}");
        let level = only_level(&leaked);
        assert!(level.claims.iter().any(|said| said.contains(claim)), "{:?}", level.claims);
        assert_eq!(level.leak_probability_upper_bound, None, "{search:?}");

        let arguments = [&["explore", "--migrated", "all", "--name", "all"], search].concat();
        let code = ran(&mut scratch.partywall(&arguments)).code;
        assert!(matches!(code, Some(0 | 5)), "{search:?}: {code:?}");
        let clean = report(&scratch.run_folder("all"));
        let level = only_level(&clean);
        assert_eq!(level.findings, [], "{search:?}");
        assert_eq!(level.leak_probability_upper_bound, None, "{search:?}");
        // One deviation lets no two runs enclose each other's events; that is no clean verdict.
        assert!(level.verdict == Verdict::Clean || level.trials_overlapping == 0, "{search:?}");
    }
    let bad = ["explore", "--strategy", "exhaustive", "--delays", "some"];
    ran(&mut scratch.partywall(&bad)).exits(2).complains(&["--delays", "`none`"]);
}

#[test]
fn a_repro_is_told_shrunk_saved_and_replayed_first() {
    let scratch = Scratch::new("repro-life");
    let saved = scratch.path().join("saved");
    let with_saved = |arguments: &[&str]| {
        let mut command = scratch.partywall(arguments);
        command.arg("--regressions").arg(&saved).env_remove("CI");
        command
    };
    let find = ["explore", "--trials", "20", "--max-findings", "1", "--save-regressions"];
    ran(&mut with_saved(&find)).exits(1).complains(&["repros saved"]);
    // One trial may show the leak in several ways.
    let [file, others @ ..] = &files(&saved, ".json")[..] else { panic!("none was saved") };
    others.iter().for_each(|other| std::fs::remove_file(other).expect("it was saved"));

    let told = ran(partywall(&["replay", "--trace"]).arg(file)).exits(1).stdout;
    for part in ["step  user-1", "DEVIATION:", ">>>", "the finding:", "REPRODUCED"] {
        assert!(told.contains(part), "no `{part}` in\n{told}");
    }
    let widest =
        told.lines().filter(|line| !line.contains("sha256")).map(|line| line.chars().count());
    assert!(widest.max() <= Some(120), "{told}");
    let gone =
        ran(partywall(&["replay", "--trace", "--migrated", "all"]).arg(file)).exits(0).stdout;
    assert!(gone.contains("The finding was not made"), "{gone}");

    let small = scratch.path().join("small.json");
    let shrunk = ran(partywall(&["shrink"]).arg(file).arg("--output").arg(&small)).exits(1).stdout;
    assert!(shrunk.contains("Reproduce with: partywall replay"), "{shrunk}");
    let read = |path| std::fs::read_to_string(path).expect("it is there");
    let (before, after) = (read(file), read(&small));
    let of = |text: &str| Repro::from_file(text).expect("the program wrote it");
    assert_eq!(of(&before).fingerprint, of(&after).fingerprint);

    // Replayed first: one trial of another seed is not what finds it.
    let one = ["explore", "--trials", "1", "--seed", "9", "--name", "first"];
    let shown = ran(&mut with_saved(&one)).exits(1).stdout;
    assert!(shown.contains("STILL THERE"), "{shown}");
    let again = report(&scratch.run_folder("first"));
    assert_eq!(again.saved_repros[0].replay, ReplayResult::Same);
    assert_eq!(again.levels[0].method, SearchMethod::SavedRepros);
    let migrated = ["explore", "--trials", "100", "--migrated", "all", "--name", "gone"];
    ran(&mut with_saved(&migrated)).exits(0);
    assert_eq!(report(&scratch.run_folder("gone")).saved_repros[0].replay, ReplayResult::Gone);

    // On CI nothing is written that is to be committed.
    let elsewhere = scratch.path().join("elsewhere");
    let mut on_ci = scratch.partywall(&find);
    on_ci.arg("--regressions").arg(&elsewhere).env("CI", "true");
    ran(&mut on_ci).exits(1).complains(&["CI is set"]);
    assert!(!elsewhere.exists());

    // A broken one is one clear error, before anything is driven.
    std::fs::write(file, &before[..before.len() / 2]).expect("written");
    ran(&mut with_saved(&one)).exits(2).complains(&["not a repro", "--save-regressions"]);
}

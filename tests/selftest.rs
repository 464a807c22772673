//! The self-test: every mechanism is found under one mix, nothing is found without one, and the
//! table in `reports/` is what the program finds today.
//!
//! Regenerate the table with `cargo run --release -- selftest --write reports/detection-matrix.md`.

use std::path::Path;

use partywall::campaign::alone::Alone;
use partywall::campaign::explore_trial::explore_trial;
use partywall::campaign::selftest::detection::{alarms, missed};
use partywall::campaign::selftest::explored::{Search, search, stay_quiet};
use partywall::campaign::selftest::matrix::expected;
use partywall::campaign::selftest::table::render;
use partywall::campaign::selftest::{MIX, mix};
use partywall::oracle::{Case, judge};
use partywall::reference::defects::Defect;
use partywall::scenario::{built_in, built_in_names};
use partywall::swarm::transport::ReferenceSubject;
use partywall::trial::dialect::Dialect;
use partywall::trial::finding::{FindingKind, OracleId};
use partywall::trial::history::{History, Note, What};
use partywall::trial::mechanism::Mechanism;
use partywall::trial::target::Reference;
use partywall::world::strategy::Random;

/// Seeds, and the most trials with each, of the table.
const SEEDS: u64 = 20;
const TRIALS: u64 = 400;
/// Overlapping trials of each work without a defect, in the table.
const QUIET: u64 = 500;

/// How many mechanisms must be named first in most of their first leaking trials.
const NAMED: usize = 16;

fn searches() -> Vec<(Mechanism, Search)> {
    let work = mix().expect("it is carried");
    let one = |mechanism| {
        let subject = Reference::with_defect(Defect::new(mechanism));
        let wanted = expected(mechanism).explore;
        (
            mechanism,
            search(&work, &ReferenceSubject(subject), SEEDS, TRIALS, wanted)
                .expect("outside a runtime"),
        )
    };
    Mechanism::ALL.into_iter().map(one).collect()
}

#[test]
fn every_mechanism_is_found_and_the_table_is_up_to_date() {
    let searches = searches();
    let works = built_in_names().chain([MIX]).map(|name| {
        let work = built_in(name).expect("it is carried").explore.expect("it is explored");
        let quiet = stay_quiet(&work, &ReferenceSubject(Reference::PER_REQUEST), 1, QUIET);
        (name.to_owned(), quiet.expect("outside a runtime"))
    });
    let quiet: Vec<_> = works.collect();
    assert_eq!(missed(&searches, true), []);
    assert_eq!(alarms(&quiet), []);
    let named = searches.iter().filter(|(mechanism, search)| {
        let right = search.diagnoses.iter().filter(|found| found.likely == Some(*mechanism));
        right.count() * 2 > search.found_at.len()
    });
    let named = named.count();
    assert!(named >= NAMED, "{named} mechanisms are named first");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/detection-matrix.md");
    let written = std::fs::read_to_string(file).expect("it is committed");
    assert_eq!(render(&searches, &quiet), written);
}

/// What is found without the upstream's log is not found by O8: over real connections nobody hands
/// the log in, so a wrong identity that leaves the reply as it is goes unseen there.
#[test]
fn blind_spot_a_wrong_identity_without_the_log_of_the_upstream() {
    let work = mix().expect("it is carried");
    let subject = Reference::with_defect(Defect::new(Mechanism::M11));
    let mut seen = 0;
    for trial in 0..40 {
        let plan = work.plan(1, trial);
        let done =
            explore_trial(&plan, &ReferenceSubject(subject), &mut Random::new(trial), &|| false);
        let mut history = done.expect("outside a runtime").history;
        let by_log = |history: &History| {
            let judged = judge(&Case::new(history, &Dialect::reference()));
            judged.findings.iter().filter(|found| found.oracle == OracleId::Attribution).count()
        };
        seen += by_log(&history);
        history
            .observations
            .retain(|seen| !matches!(seen.what.note(), Some(Note::Upstream { .. })));
        for (n, observation) in history.observations.iter_mut().enumerate() {
            observation.n = n as u64;
        }
        assert_eq!(by_log(&history), 0);
    }
    assert!(seen > 0, "with the log it is seen");
}

/// A text that differs from what the user would get alone, but holds nothing of others and lacks
/// nothing, is found by O5 and by no other oracle.
#[test]
fn a_stream_that_differs_from_a_run_alone_is_found_beside_it() {
    let work = mix().expect("it is carried");
    let plan = work.plan(1, 1);
    let done = explore_trial(
        &plan,
        &ReferenceSubject(Reference::PER_REQUEST),
        &mut Random::new(1),
        &|| false,
    );
    let mut history = done.expect("outside a runtime").history;
    let mut alone = Alone::new(&plan, &ReferenceSubject(Reference::PER_REQUEST), &|| false);
    assert_eq!(alone.findings(&history).expect("outside a runtime"), []);
    let mut changed = 0;
    for seen in &mut history.observations {
        if let What::Received { raw } = &mut seen.what {
            let text = String::from_utf8(raw.bytes().to_vec()).expect("JSON is text");
            changed += usize::from(text.contains(" weighs "));
            *raw = text.replace(" weighs ", " dismisses ").as_str().into();
        }
    }
    assert!(changed > 0);
    let judged = judge(&Case::new(&history, &Dialect::reference()));
    assert_eq!(judged.findings, []);
    let found = alone.findings(&history).expect("outside a runtime");
    assert!(found.iter().any(|found| found.kind == FindingKind::Interference), "{found:?}");
}

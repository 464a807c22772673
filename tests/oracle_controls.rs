//! Each oracle's control is caught on a clean history, and tells when the oracle is broken; random
//! legal histories have no findings; O1 agrees with a judge that only searches.

use std::collections::BTreeSet;

use partywall::campaign::alone::Alone;
use partywall::campaign::explore_trial::explore_trial;
use partywall::oracle::control::{Edit, altered, judge_control_beside};
use partywall::oracle::notation::{found, found_by, history, key};
use partywall::oracle::{Case, Judgement, Oracle, all, judge_control, of};
use partywall::scenario::built_in;
use partywall::swarm::transport::ReferenceSubject;
use partywall::trial::canary::{Encoding, Field, Mint, Owner};
use partywall::trial::dialect::Dialect;
use partywall::trial::finding::OracleId;
use partywall::trial::history::{History, Observation, What, Whose};
use partywall::trial::ids::UserName;
use partywall::trial::raw::Raw;
use partywall::trial::target::Reference;
use partywall::world::strategy::Random;
use proptest::prelude::*;

/// Has everything that alterations need: two users, streams, answers, ends and a reconnect.
const CLEAN: &str = "alice connects; bob connects; alice starts r1; bob starts r1; \
    r1 of alice emits 1-3; r1 of bob emits 1-2; r1 of alice ends 4; bob posts r2; \
    r2 of bob answers; alice starts r2 in t2; r2 of alice emits 1-2; alice vanishes; \
    alice connects; r2 of alice emits 3; r2 of alice ends 4; r1 of bob emits 3; r1 of bob ends 4; \
    bob leaves; bob is closed";

/// The same oracle, which sees nothing.
fn mute(oracle: &Oracle) -> Oracle {
    Oracle { judge: |_| Judgement::default(), ..*oracle }
}

/// How many alterations each oracle plants in [`CLEAN`]. O1: 36 encodings, each whole and cut in
/// bytes and in strings, in a body, a header and a close reason; and cut over two fields, over two
/// fields of two messages, and short.
fn planted(id: OracleId) -> u64 {
    match id {
        OracleId::Canary => 36 * 7 + 3,
        OracleId::Ownership => 3,
        OracleId::Completeness => 5,
        OracleId::Duplicates => 2,
        OracleId::AfterClose => 2,
        OracleId::Binding => 3,
        // What they judge is not in it: they are controlled in `the_controls_of_explored_trials`.
        OracleId::NonInterference
        | OracleId::Attribution
        | OracleId::ControlEffect
        | OracleId::AtRest => 0,
    }
}

#[test]
fn the_control_of_each_oracle_is_caught_at_any_seed() {
    let clean = history(CLEAN);
    assert_eq!(found(&clean), [""; 0]);
    for oracle in all().into_iter().filter(|oracle| !oracle.id.is_optional()) {
        for seed in 0..20 {
            let tally = judge_control_beside(&[oracle], &clean, &Dialect::reference(), None, seed);
            assert_eq!(tally.missed, [""; 0], "{} at seed {seed}", oracle.id);
            assert_eq!(tally.planted, planted(oracle.id), "{}", oracle.id);
            assert!(tally.all_caught());
        }
    }
}

/// A history where both users have a secret, and connections were opened by answers with headers.
fn with_secrets_and_headers() -> History {
    let clean = history(CLEAN);
    let mut edits = Vec::new();
    for (mark, user) in [("***1-a***", "alice"), ("***2-b***", "bob")] {
        let (mark, name, whose, long) = (mark.into(), "user.secret".into(), Whose::Own, false);
        let what = What::Secret { mark, name, whose, long };
        let by = Some(UserName::new(user));
        let observation = Observation { n: 0, at: 0, by, on: None, what };
        edits.push(Edit::Insert { before: 0, observation });
    }
    for (at, seen) in clean.observations.iter().enumerate() {
        if matches!(seen.what, What::Connected { .. }) {
            let what = What::Connected { headers: "x-of: ***1-a***\n".into() };
            edits.push(Edit::Replace { at, what });
        }
    }
    altered(&clean, &edits)
}

#[test]
fn secrets_and_headers_of_openings_have_their_controls() {
    let mut history = with_secrets_and_headers();
    // Whoever it is, the header shows alice's: right for her, wrong for bob.
    assert_eq!(
        found(&history),
        ["O2 crossing alice -> bob: secret `user.secret` @ opening of an event connection"]
    );
    for seen in &mut history.observations {
        if let (What::Connected { headers }, Some("bob")) =
            (&mut seen.what, seen.by.as_ref().map(UserName::as_str))
        {
            *headers = "x-of: ***2-b***\n".into();
        }
    }
    assert_eq!(found(&history), [""; 0]);
    let dialect = Dialect::reference();
    let case = Case::new(&history, &dialect);
    let mut in_openings = 0;
    for seed in 0..20 {
        for (oracle, more) in [(OracleId::Ownership, 1), (OracleId::Canary, 0)] {
            let tally =
                judge_control_beside(&[of(oracle)], &history, &Dialect::reference(), None, seed);
            assert_eq!(tally.missed, [""; 0], "{oracle} at seed {seed}");
            assert_eq!(tally.planted, planted(oracle) + more);
        }
        let mut rng = fastrand::Rng::with_seed(seed);
        let all = (of(OracleId::Canary).alterations)(&case, &[], &mut rng);
        let opening =
            |edit: &Edit| matches!(edit, Edit::Replace { what: What::Connected { .. }, .. });
        in_openings += all.iter().filter(|planted| planted.edits.iter().any(opening)).count();
    }
    assert!(in_openings >= 20, "{in_openings}");
}

/// The same, where the back end gave the secrets and the scenario calls them private.
fn with_private_values() -> History {
    let mut history = with_secrets_and_headers();
    for seen in &mut history.observations {
        match &mut seen.what {
            What::Secret { whose, .. } => *whose = Whose::Private,
            What::Connected { headers } => *headers = Raw::default(),
            _ => {}
        }
    }
    history
}

/// Ownership, which forgets what was private in an earlier round.
fn forgetful(case: &Case<'_>) -> Judgement {
    let mut history = case.history.clone();
    history
        .observations
        .retain(|seen| !matches!(seen.what, What::Secret { whose: Whose::Earlier, .. }));
    (of(OracleId::Ownership).judge)(&Case::new(&history, case.dialect))
}

#[test]
fn private_values_of_an_earlier_round_have_a_control_of_their_own() {
    let history = with_private_values();
    assert_eq!(found(&history), [""; 0]);
    let ownership = of(OracleId::Ownership);
    let forgetful = Oracle { judge: forgetful, ..*ownership };
    for seed in 0..20 {
        let judged =
            |oracle| judge_control_beside(&[oracle], &history, &Dialect::reference(), None, seed);
        let tally = judged(ownership);
        assert_eq!(tally.missed, [""; 0], "at seed {seed}");
        // One of this round, and one of an earlier one.
        assert_eq!(tally.planted, planted(OracleId::Ownership) + 2);
        assert_eq!(judged(&forgetful).missed.len(), 1);
    }
}

/// Upstream calls, controls, stored conversations and users alone are in histories of the reference back end.
#[test]
fn the_controls_of_explored_trials_are_caught() {
    let work = built_in("mechanism-mix").expect("it is carried").explore.expect("it is explored");
    let mut planted = [0; 4];
    for trial in 0..120 {
        let plan = work.plan(5, trial);
        let mut walk = Random::new(trial);
        let done =
            explore_trial(&plan, &ReferenceSubject(Reference::PER_REQUEST), &mut walk, &|| false);
        let history = done.expect("outside a runtime").history;
        let mut alone =
            Alone::new(&history.plan, &ReferenceSubject(Reference::PER_REQUEST), &|| false);
        let solos = Some(alone.solos().expect("outside a runtime"));
        let dialect = Dialect::reference();
        let optional = OracleId::ALL.into_iter().filter(|oracle| oracle.is_optional());
        for (place, oracle) in optional.enumerate() {
            let oracles = [of(oracle)];
            let tally = judge_control_beside(&oracles, &history, &dialect, solos, trial);
            assert_eq!(tally.missed, [""; 0], "{oracle} in trial {trial}");
            planted[place] += tally.planted;
            let mute = mute(of(oracle));
            let blind = judge_control_beside(&[&mute], &history, &dialect, solos, trial);
            assert_eq!(blind.missed.len() as u64, tally.planted, "{oracle} in trial {trial}");
        }
    }
    assert!(planted.iter().all(|planted| *planted >= 10), "{planted:?}");
}

#[test]
fn a_broken_oracle_is_missed_by_its_control() {
    let clean = history(CLEAN);
    for broken in OracleId::ALL.into_iter().filter(|oracle| !oracle.is_optional()) {
        let mute = mute(of(broken));
        let mut oracles = all();
        oracles[broken as usize] = &mute;
        let tally = judge_control_beside(&oracles, &clean, &Dialect::reference(), None, 3);
        assert!(!tally.all_caught());
        assert_eq!(tally.missed.len() as u64, planted(broken), "{broken}");
        assert!(tally.missed.iter().all(|missed| missed.starts_with(&broken.to_string())));
    }
}

/// What was found before does not count as caught; what can still be planted is.
#[test]
fn the_control_holds_on_histories_that_leak() {
    for leak in [
        "r1 of alice emits 4 to bob",
        "r1 of bob emits 1 showing bob:r1+alice:r1:settings",
        "r1 of bob emits 1",
        "bob gives up r1 at rest",
    ] {
        let text = CLEAN.replacen("r1 of bob emits 3", leak, 1);
        let leaky = history(&text);
        assert!(!found(&leaky).is_empty());
        let tally = judge_control(&leaky, &Dialect::reference(), 5);
        assert_eq!(tally.missed, [""; 0], "{leak}");
        assert!(tally.planted > 19 * 7);
    }
}

#[test]
fn the_control_is_the_same_for_the_same_seed_only() {
    let clean = history(CLEAN);
    let dialect = Dialect::reference();
    let case = Case::new(&clean, &dialect);
    let plant = |seed| {
        let mut rng = fastrand::Rng::with_seed(seed);
        let planted = all().map(|oracle| (oracle.alterations)(&case, &[], &mut rng));
        planted.into_iter().flatten().map(|planted| planted.edits).collect::<Vec<_>>()
    };
    assert_eq!(plant(1), plant(1));
    assert_ne!(plant(1), plant(2));
}

#[test]
fn an_alteration_leaves_a_history_that_can_be_read_again() {
    let mut clean = history(CLEAN);
    let last = clean.observations.last_mut().expect("an end");
    last.what = What::Ended { code: None, raw: partywall::trial::raw::Raw::new([0xff, 0]) };
    let dialect = Dialect::reference();
    let case = Case::new(&clean, &dialect);
    for oracle in all() {
        for alteration in (oracle.alterations)(&case, &[], &mut fastrand::Rng::with_seed(9)) {
            let altered = altered(&clean, &alteration.edits);
            let header = partywall::trial::history::Header::new(0);
            let read = History::from_file(&altered.to_file(&header)).expect("a history");
            assert_eq!(read, altered, "{}", alteration.what);
        }
    }
}

#[test]
fn a_history_with_one_user_has_no_control_of_crossings() {
    let alone =
        history("alice connects; alice starts r1; r1 of alice emits 1-3; r1 of alice ends 4");
    let tally =
        judge_control_beside(&[of(OracleId::Canary)], &alone, &Dialect::reference(), None, 0);
    assert!(!tally.all_caught());
}

/// One user's legal life: some runs, over the socket or HTTP, on one thread or several, with
/// reconnects in between. Each string is one statement.
fn life(user: &'static str) -> impl Strategy<Value = Vec<String>> {
    let run = (1..8_u64, any::<[bool; 5]>(), 0..8_u64);
    proptest::collection::vec(run, 0..4).prop_map(move |runs| {
        let mut says = vec![format!("{user} connects")];
        for ((length, [http, same_thread, fails, quotes, pings], cut), run) in
            runs.into_iter().zip(1..)
        {
            let thread = if same_thread { 1 } else { run };
            let verb = if http { "posts" } else { "starts" };
            says.push(format!("{user} {verb} r{run} in t{thread}"));
            let quotes = quotes && same_thread && run > 1 && runs_on_first(&says, user);
            let shown = if quotes { format!("r{run}+r1") } else { format!("r{run}") };
            let mut next = 1;
            while next < length {
                if next == cut {
                    says.push(format!("{user} vanishes"));
                    says.push(format!("{user} connects"));
                    next += 1;
                }
                says.push(format!("r{run} of {user} emits {next} showing {shown}"));
                if pings {
                    says.push(format!("{user} gets pong"));
                }
                next += 1;
            }
            let end = if fails { "fails" } else { "ends" };
            says.push(format!("r{run} of {user} {end} {next}"));
            if http {
                says.push(format!("r{run} of {user} answers"));
            }
        }
        says.push(format!("{user} reads t1"));
        says.push(format!("{user} leaves"));
        says
    })
}

/// Whether the user's first run is on the first thread, so that later ones there may quote it.
fn runs_on_first(says: &[String], user: &str) -> bool {
    says.iter().any(|say| {
        say == &format!("{user} starts r1 in t1") || say == &format!("{user} posts r1 in t1")
    })
}

const USERS: [&str; 3] = ["user-1", "user-10", "acme:user-1"];

/// The lives of three users, in any order that keeps each one's own.
fn legal() -> impl Strategy<Value = String> {
    let lives = (life(USERS[0]), life(USERS[1]), life(USERS[2]));
    (lives, any::<u64>()).prop_map(|((one, two, three), seed)| {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut lives = [one, two, three].map(|life| life.into_iter().peekable());
        let mut says: Vec<String> = USERS.iter().map(|user| format!("{user} exists")).collect();
        while lives.iter_mut().any(|life| life.peek().is_some()) {
            says.extend(lives[rng.usize(..lives.len())].next());
        }
        says.join(";")
    })
}

/// All that a judge can see who knows every canary and only searches for them as they are.
fn searched(history: &History) -> BTreeSet<String> {
    let mint = Mint::new(key());
    let mut found = BTreeSet::new();
    for observation in &history.observations {
        let (Some(observer), Some(raw)) = (&observation.by, observation.what.inbound()) else {
            continue;
        };
        let channel = match observation.what {
            What::Answer { .. } => "http answer",
            _ => "websocket",
        };
        for user in history.plan.users.iter().filter(|user| user.name != *observer) {
            for run in user.runs() {
                for field in Field::ALL {
                    let canary = mint.mint(Owner { user: user.index, run: run.run, field });
                    if raw.text().contains(&canary) {
                        found.insert(format!(
                            "crossing {} r{} -> {observer}: {field} of {} @ {channel}",
                            user.name,
                            run.run,
                            run.via.run_kind()
                        ));
                    }
                }
            }
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_legal_histories_have_no_findings(text in legal()) {
        prop_assert_eq!(found(&history(&text)), Vec::<String>::new(), "{}", text);
    }

    /// Some of the events of a legal history go to the wrong user, or show another's canary.
    #[test]
    fn o1_agrees_with_a_judge_that_only_searches(
        text in legal(),
        wrong in proptest::collection::vec((any::<prop::sample::Index>(), 0..3_usize, any::<bool>()), 0..6),
    ) {
        let mut says: Vec<String> = text.split(';').map(String::from).collect();
        says.splice(0..0, USERS.iter().map(|user| format!("{user} connects")));
        for (index, other, to) in wrong {
            let at = index.index(says.len());
            let user = USERS[other];
            if !says[at].contains(" emits ") {
                continue;
            }
            if !to {
                says[at] = says[at].replace("showing ", &format!("showing {user}:r1:settings+"));
            } else if !says[at].contains(" to ") {
                says[at].push_str(&format!(" to {user}"));
            }
        }
        let history = history(&says.join(";"));
        let found: BTreeSet<_> = found_by(of(OracleId::Canary), &history)
            .into_iter()
            .filter(|line| line != "blind" && !line.contains("of a run @"))
            .collect();
        prop_assert_eq!(found, searched(&history));
    }

    /// Whatever the bytes are, the judge and its control come to an end.
    #[test]
    fn random_bytes_are_survived(
        bytes in proptest::collection::vec((any::<prop::sample::Index>(), any::<Vec<u8>>()), 0..4),
        seed in any::<u64>(),
    ) {
        let mut history = history(CLEAN);
        for (index, bytes) in bytes {
            let at = index.index(history.observations.len());
            if let What::Received { raw } | What::Answer { raw, .. } = &mut history.observations[at].what {
                *raw = partywall::trial::raw::Raw::new(bytes);
            }
        }
        let _ = judge_control_beside(&all()[1..], &history, &Dialect::reference(), None, seed);
        let _ = found(&history);
    }
}

#[test]
fn every_encoding_is_planted() {
    let clean = history(CLEAN);
    let dialect = Dialect::reference();
    let case = Case::new(&clean, &dialect);
    let planted = (of(OracleId::Canary).alterations)(&case, &[], &mut fastrand::Rng::with_seed(0));
    for encoding in Encoding::all() {
        let name = format!(" as {encoding}, ");
        assert_eq!(planted.iter().filter(|planted| planted.what.contains(&name)).count(), 7);
    }
}

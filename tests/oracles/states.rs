//! What an earlier state of the same system gave: a store may hold it, filed under another user.

use partywall::oracle::left::Left;
use partywall::oracle::notation::{found, history, key};
use partywall::oracle::{Case, judge, judge_with, of};
use partywall::trial::canary::{CampaignKey, Field, Mint, Owner};
use partywall::trial::dialect::Dialect;
use partywall::trial::finding::OracleId;
use partywall::trial::history::{History, Note, What};
use partywall::trial::ids::RunId;

/// alice and bob run once each, in a trial of the second state.
fn of_second_state() -> History {
    let mut history = history(
        "alice connects; bob connects; alice starts r1; bob starts r1; r1 of alice emits 1; \
         r1 of alice ends 2; r1 of bob emits 1; r1 of bob ends 2",
    );
    history.plan.campaign = key().with_nonce(9).after_states(1).in_round(3);
    history
}

/// bob's prompt as it is sent in a campaign.
fn prompt_of_bob(campaign: CampaignKey) -> String {
    let history = of_second_state();
    let bob = history.plan.user(&"bob".into()).expect("he is there").index;
    let users = history.plan.users.iter().map(|user| (user.index, user.name.as_str()));
    Mint::new(campaign).naming(users).mint(Owner { user: bob, run: 1, field: Field::Prompt })
}

/// The history with that text in the first event that alice receives.
fn shown_to_alice(mut history: History, text: &str) -> History {
    let to_alice = |seen: &&mut partywall::trial::history::Observation| {
        seen.by.as_ref().is_some_and(|by| by.as_str() == "alice")
            && matches!(seen.what, What::Received { .. })
    };
    let event = history.observations.iter_mut().filter(to_alice).nth(1).expect("an event");
    let What::Received { raw } = &mut event.what else { unreachable!("it was chosen so") };
    *raw = raw.text().replacen('{', &format!(r#"{{"more":"{text}","#), 1).as_str().into();
    history
}

fn count(oracle: OracleId, history: &History) -> usize {
    let dialect = Dialect::of(&history.plan);
    let case = Case::new(history, &dialect);
    judge_with(&[of(oracle)], &case).findings.len()
}

fn left(history: &History) -> Option<Left> {
    judge(&Case::new(history, &Dialect::of(&history.plan))).left
}

#[test]
fn what_an_earlier_state_was_given_accuses_nobody_and_is_told() {
    let second = of_second_state();
    let before = key().with_nonce(9).in_round(2);
    let left_by = |campaign| left(&shown_to_alice(second.clone(), &prompt_of_bob(campaign)));
    let seen = left_by(before).expect("it is seen");
    assert!(seen.of_earlier_state);
    assert_eq!((seen.observer.as_str(), seen.field), ("alice", Field::Prompt));
    assert_eq!(seen.victim.as_ref().map(|victim| victim.as_str()), Some("bob"));
    // An older one may have left it too, but that is not known.
    assert!(!left_by(key().with_nonce(4)).expect("it is seen").of_earlier_state);
    assert_eq!(found(&shown_to_alice(second, &prompt_of_bob(before))), [""; 0]);
}

#[test]
fn what_this_state_was_given_is_a_finding_in_whatever_round() {
    let second = of_second_state();
    for round in [2, 3] {
        let own = second.plan.campaign.in_round(round);
        let history = shown_to_alice(second.clone(), &prompt_of_bob(own));
        assert_eq!(count(OracleId::Canary, &history), 1, "round {round}");
        assert_eq!(left(&history), None);
    }
}

#[test]
fn the_first_state_and_a_plain_run_accuse_whoever_shows_what_an_older_campaign_was_given() {
    let mut first = of_second_state();
    first.plan.campaign = key().with_nonce(9);
    let history = shown_to_alice(first, &prompt_of_bob(key().with_nonce(4)));
    assert_eq!(count(OracleId::Canary, &history), 1);
    assert_eq!(left(&history), None);
}

#[test]
fn ones_own_words_of_an_earlier_state_are_no_matter() {
    let mut second = of_second_state();
    let own = prompt_of_bob(key().with_nonce(9));
    for seen in &mut second.observations {
        if seen.by.as_ref().is_some_and(|by| by.as_str() == "bob")
            && let What::Received { raw } = &mut seen.what
        {
            *raw = raw.text().replacen('{', &format!(r#"{{"more":"{own}","#), 1).as_str().into();
        }
    }
    assert_eq!((found(&second), left(&second)), (Vec::<String>::new(), None));
}

#[test]
fn what_was_left_may_go_upstream_under_another_account() {
    let mut second = of_second_state();
    let call = |campaign| {
        let (service, credential) = ("model".into(), "alice".into());
        let text = format!("so far: {}", prompt_of_bob(campaign));
        What::Backend {
            note: Box::new(Note::Upstream { service, credential, run: RunId::new("r"), text }),
        }
    };
    let mut log = |campaign| {
        let mut seen = second.observations.pop().expect("there are some");
        (seen.what, seen.on) = (call(campaign), None);
        second.observations.push(seen);
        (count(OracleId::Attribution, &second), left(&second).is_some())
    };
    assert_eq!(log(key().with_nonce(9)), (0, true));
    assert_eq!(log(key().with_nonce(9).after_states(1).in_round(3)), (1, false));
}

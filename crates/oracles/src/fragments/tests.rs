//! Canaries that stand in pieces, or of which only the beginning is there.

use crate::notation::{found, history};
use crate::{Case, Judged, judge};
use partywall_core::canary::{CANARY_LEN, Field, Owner};
use partywall_core::dialect::Dialect;
use partywall_core::finding::{FindingKind, OracleId};

fn both(rest: &str) -> String {
    format!("alice connects; bob connects; alice starts r1; bob starts r1; {rest}")
}

/// What is found, each with whose it is, where bob gets these messages of his run and the canary's
/// beginning stands for `HEAD`, its rest for `TAIL`.
fn judged(length: usize, user: u32, messages: &[&str]) -> Judged {
    let canary = history(&both("")).plan.mint().mint(Owner { user, run: 1, field: Field::Prompt });
    let (head, tail) = canary.split_at(length);
    let gets =
        |text: &&str| format!("bob gets {}", text.replace("HEAD", head).replace("TAIL", tail));
    let all: Vec<_> = messages.iter().map(gets).collect();
    let history = history(&both(&format!("r1 of bob emits 1; {}", all.join("; "))));
    judge(&Case::new(&history, &Dialect::of(&history.plan)))
}

fn crossings(judged: &Judged) -> Vec<(String, String)> {
    let of_canaries = (FindingKind::Crossing, OracleId::Canary);
    let found = judged.findings.iter().filter(|found| (found.kind, found.oracle) == of_canaries);
    found.map(|found| (found.victim.to_string(), found.observer.to_string())).collect()
}

const ALICE: u32 = 1;
const BOB: u32 = 2;

#[test]
fn a_canary_cut_over_two_fields_or_two_messages_is_found() {
    let one =
        r#"{"type":"agent_thinking","run_id":"run-bob-1","title":"about HEAD","rest":"TAIL."}"#;
    let turned = r#"{"type":"agent_thinking","run_id":"run-bob-1","a":"TAIL","b":["HEAD"]}"#;
    let head = r#"{"type":"agent_thinking","run_id":"run-bob-1","a":"HEAD"}"#;
    let tail = r#"{"type":"agent_thinking","run_id":"run-bob-1","other":{"b":"TAIL"}}"#;
    let crossed = vec![("alice".to_owned(), "bob".to_owned())];
    for length in [5, 8, 19, CANARY_LEN - 1] {
        for messages in [&[one][..], &[turned], &[head, tail], &[tail, head]] {
            let found = crossings(&judged(length, ALICE, messages));
            assert_eq!(found, crossed, "{length}: {messages:?}");
            assert!(crossings(&judged(length, BOB, messages)).is_empty(), "it is bob's own");
        }
    }
    // The rest is another's: nothing is whole, and the beginning is too short to say more.
    let other = head.replace("run-bob-1", "run-alice-1");
    assert!(crossings(&judged(8, ALICE, &[&other, tail])).is_empty());
}

#[test]
fn the_beginning_of_a_canary_names_its_owner_as_far_as_it_goes() {
    let text = r#"{"type":"agent_thinking","run_id":"run-bob-1","title":"HEAD..."}"#;
    for length in 1..CANARY_LEN {
        let judged = |user| judged(length, user, &[text]);
        let (alices, bobs) = (judged(ALICE), judged(BOB));
        assert!(crossings(&bobs).is_empty(), "{length} of bob's own");
        let warned =
            |judged: &Judged| judged.warnings.iter().any(|own| own.kind == FindingKind::Ambiguous);
        // In a campaign without a nonce, users stand behind 32 bits of the campaign. These two differ
        // in the last but one of their own 24.
        let (told, may_be) = (length >= 15, (12..15).contains(&length));
        assert_eq!(!crossings(&alices).is_empty(), told, "{length}");
        assert_eq!((warned(&alices), warned(&bobs)), (may_be, may_be), "{length}");
    }
}

/// In a campaign against a server, twelve characters tell whose it is.
#[test]
fn twelve_characters_tell_the_users_of_a_campaign_with_a_nonce_apart() {
    let mut alone = history(&both("r1 of bob emits 1"));
    alone.plan.campaign = alone.plan.campaign.with_nonce(7);
    let mint = alone.plan.mint();
    for (user, crosses) in [(ALICE, true), (BOB, false)] {
        let canary = mint.mint(Owner { user, run: 1, field: Field::Prompt });
        let text = format!(r#"bob gets {{"type":"agent_thinking","title":"{}"}}"#, &canary[..12]);
        let mut history = history(&both(&text));
        history.plan.campaign = alone.plan.campaign;
        let judged = judge(&Case::new(&history, &Dialect::of(&history.plan)));
        assert_eq!(!crossings(&judged).is_empty(), crosses);
        assert!(judged.warnings.is_empty());
    }
    assert!(
        found(&history(&both(r#"bob gets {"type":"x","text":"pw10 pw10zzzzzzzzzzzz"}"#)))
            .is_empty()
    );
}

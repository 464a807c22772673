//! What the oracles knowingly do not see today.

use super::{both, table_of_both};
use partywall::oracle::notation::{found, history};
use partywall::trial::finding::OracleId;

/// The server may use its own names for users; which of them is whose cannot be known.
#[test]
fn blind_spot_user_ids_that_the_plan_does_not_know() {
    table_of_both(OracleId::Ownership, &[("r1 of alice emits 1 for account-2", &[])]);
}

/// The same user's connections may share an id: a session that goes on looks like that.
#[test]
fn blind_spot_one_connection_id_for_two_connections_of_a_user() {
    let text = r#"alice connects; alice connects silently; alice gets {"type":"connection_established","connection_id":"c-alice/socket1"}"#;
    assert_eq!(found(&history(text)), [""; 0]);
}

/// What a connection that was cut has missed is unknown, also where the server never sent it.
#[test]
fn blind_spot_events_lost_around_a_reconnect() {
    let text = "r1 of alice emits 1; alice vanishes; alice connects; alice gives up r1 at rest";
    assert_eq!(found(&history(&both(text))), [""; 0]);
}

/// Two connections open at once may both be meant to get an event: nothing tells a listener that
/// was left over from one that was asked for.
#[test]
fn blind_spot_events_twice_on_connections_that_overlap() {
    let text = "alice connects; r1 of alice emits 1 on 1; alice vanishes on 1; r1 of alice emits 1";
    assert_eq!(found(&history(&both(text))), [""; 0]);
}

/// Without numbers, the same event twice is two events.
#[test]
fn blind_spot_repeats_without_numbers() {
    let event = r#"alice gets {"type":"agent_thinking","run_id":"run-alice-1"}"#;
    assert_eq!(found(&history(&both(&format!("{event}; {event}")))), [""; 0]);
}

/// A later turn of a conversation may hold what was said before: too much of it is no proof.
#[test]
fn blind_spot_an_earlier_turn_quoted_in_a_later_one() {
    let text = "alice starts r2; r2 of alice emits 1 showing r2+r1";
    assert_eq!(found(&history(&both(text))), [""; 0]);
}

/// Where not every event holds what its user gave, one that holds only the text of another turn may
/// be a quotation.
#[test]
fn blind_spot_another_turn_quoted_alone_by_a_back_end_that_echoes_rarely() {
    let text =
        "alice starts r2; r2 of alice emits 1 showing nothing; r2 of alice emits 2 showing r1";
    assert_eq!(found(&history(&both(text))), [""; 0]);
}

/// An end or a refusal that names no run may be of any.
#[test]
fn blind_spot_a_lost_run_beside_an_end_without_a_run_id() {
    let text = r#"alice asks r2; alice gets {"type":"agent_error"}; alice gives up r2 at rest"#;
    assert_eq!(found(&history(&both(text))), [""; 0]);
}

/// A run may lack its last events; without a rest that shows that nothing can come, it may not.
#[test]
fn blind_spot_a_tail_that_is_late_or_lost() {
    let text = "r1 of alice emits 1-2; alice gives up r1";
    assert_eq!(found(&history(&both(text))), [""; 0]);
}

/// Part of another user's text without the beginning of a canary in it cannot be told from chance.
#[test]
fn blind_spot_the_end_of_a_canary() {
    let whole = history(&both("r1 of alice emits 1"));
    let text = whole.observations.last().expect("an event").what.inbound().expect("bytes").text();
    let at = text.find("pw10").expect("a canary");
    let end = format!("bob gets {{\"type\":\"x\",\"text\":\"{}\"}}", &text[at + 6..at + 36]);
    assert_eq!(found(&history(&both(&end))), [""; 0]);
}

/// What is cut over two fields is found as it is, not within an encoding.
#[test]
fn blind_spot_an_encoded_canary_cut_over_two_fields() {
    let whole = history(&both("r1 of alice emits 1"));
    let text = whole.observations.last().expect("an event").what.inbound().expect("bytes").text();
    let at = text.find("pw10").expect("a canary");
    let hex: String = text[at..at + 36].bytes().map(|byte| format!("{byte:02x}")).collect();
    let (head, tail) = hex.split_at(30);
    let cut = format!("bob gets {{\"type\":\"x\",\"a\":\"{head}\",\"b\":\"{tail}\"}}");
    assert_eq!(found(&history(&both(&cut))), [""; 0]);
}

/// Two streams that run into each other, a few characters in turn: neither canary is whole.
#[test]
fn blind_spot_pieces_between_the_pieces_of_ones_own_answer() {
    let whole = history(&both("r1 of alice emits 1; r1 of bob emits 1"));
    let canaries: Vec<String> = whole
        .observations
        .iter()
        .filter_map(|seen| {
            let text = seen.what.inbound()?.text().into_owned();
            let at = text.find("pw10")?;
            Some(text[at..at + 36].to_owned())
        })
        .collect();
    let [alice, bob, ..] = &canaries[..] else { panic!("two canaries: {canaries:?}") };
    let pieces = (0..12).flat_map(|at| [&bob[at * 3..][..3], &alice[at * 3..][..3]]);
    let events = pieces.map(|piece| format!("bob gets {{\"type\":\"x\",\"text\":\"{piece}\"}}"));
    let text = events.collect::<Vec<_>>().join("; ");
    assert_eq!(found(&history(&both(&text))), [""; 0]);
}

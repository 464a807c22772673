//! Alterations for O5, among what is compared with what came alone.

use super::alter::{Plants, copied, replaced};
use super::case::Case;
use super::edits::{Alteration, tree, with_member, with_value};
use super::message::Channel;
use partywall_core::finding::{FindingKind, Suspect};
use partywall_core::ids::UserName;

/// For O5: an own event with another text, with less and with more in it, and a message to one who
/// only listens; among what is compared with what came alone.
pub(super) fn interference(
    case: &Case<'_>,
    known: &[Suspect],
    (events, listeners): (&[usize], &[&UserName]),
    rng: &mut fastrand::Rng,
) -> Vec<Alteration> {
    let interference = FindingKind::Interference;
    let mut plants = Plants::new(case, known, rng);
    let events = || {
        let messages = events.iter().map(|&at| &case.messages[at]);
        messages.filter_map(|message| {
            let (name, value) = payload(case, message.at())?;
            Some((message.observer, (message.at(), name, value.is_string())))
        })
    };
    let texts = events().filter(|(_, (.., is_text))| *is_text);
    plants.draw_own("another text in an event", interference, texts, |case, (at, name, _)| {
        let pointer = format!("/{name}");
        let words = "planted words".into();
        replaced(case, at, case.in_json(at, |json| with_value(json, &pointer, words)))
    });
    plants.draw_own("an event without its payload", interference, events(), |case, place| {
        let (at, name, _) = place;
        let without = |json: &[u8]| {
            let mut tree = tree(json)?;
            tree.as_object_mut()?.remove(&name)?;
            serde_json::to_vec(&tree).ok()
        };
        replaced(case, at, case.in_json(at, without))
    });
    plants.draw_own("an event with more in it", interference, events(), |case, (at, ..)| {
        replaced(case, at, case.in_json(at, |json| with_member(json, "\"planted\":\"words\"")))
    });

    let greetings = case.messages.iter().filter(|message| {
        message.channel == Channel::Websocket && listeners.contains(&message.observer)
    });
    let greetings = greetings.map(|message| (message.observer, message.at()));
    plants.draw_own("a message to one who only listens", interference, greetings, |case, at| {
        let last = case.history.observations.len();
        Some(vec![copied(case, at, Some(b"{\"type\":\"planted\"}".to_vec()), last)])
    });
    plants.alterations
}

/// A member of the message that the dialect does not ask for, and what it holds.
fn payload(case: &Case<'_>, at: usize) -> Option<(String, serde_json::Value)> {
    let mut found = None;
    case.in_json(at, |json| {
        let tree = tree(json)?;
        let dialect = case.dialect;
        let asked = [&dialect.kind, &dialect.user, &dialect.thread, &dialect.run];
        let asked = asked.into_iter().chain([&dialect.sequence, &dialect.agent, &dialect.request]);
        let first = |pointer: &String| pointer.split('/').nth(1).unwrap_or_default().to_owned();
        let asked: Vec<String> = asked.map(first).collect();
        let plain = |name: &str| !name.contains(['/', '~']);
        let mut members = tree.as_object()?.iter();
        let (name, value) = members.find(|(name, value)| {
            let holds = !value.is_number() && !value.is_null();
            plain(name) && holds && !asked.contains(name)
        })?;
        found = Some((name.clone(), value.clone()));
        None
    });
    found
}

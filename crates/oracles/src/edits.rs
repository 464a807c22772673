//! Alterations of a history that an oracle must catch, and how bytes are altered.

use partywall_core::finding::{FindingKind, Suspect};
use partywall_core::history::{History, Observation, What};
use partywall_core::ids::UserName;
use partywall_core::lenient;
use partywall_core::raw::Raw;

/// A change of a history that an oracle must catch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alteration {
    /// What was done, in words, in case it is missed.
    pub what: String,
    /// How. Places are those of the unaltered history.
    pub edits: Vec<Edit>,
    /// What kind of wrong must be found, which was not found before.
    pub kind: FindingKind,
    /// Whose data, or who did not get theirs.
    pub victim: UserName,
    /// Who saw it.
    pub observer: UserName,
}

impl Alteration {
    pub(super) fn fits(&self, suspect: &Suspect) -> bool {
        let Self { kind, victim, observer, .. } = self;
        (&suspect.kind, &suspect.victim, &suspect.observer) == (kind, victim, observer)
    }
}

/// One change of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Something else happened in that place, to the same user on the same connection.
    Replace {
        /// The place in the history.
        at: usize,
        /// What happened instead.
        what: What,
    },
    /// It did not happen.
    Remove {
        /// The place in the history.
        at: usize,
    },
    /// Something happened right before what stands in that place; at the end if nothing does.
    Insert {
        /// The place in the history.
        before: usize,
        /// What happened.
        observation: Observation,
    },
}

/// The history with the edits, numbered anew.
pub fn altered(history: &History, edits: &[Edit]) -> History {
    let mut observations = Vec::with_capacity(history.observations.len() + edits.len());
    for at in 0..=history.observations.len() {
        observations.extend(edits.iter().filter_map(|edit| match edit {
            Edit::Insert { before, observation } if *before == at => Some(observation.clone()),
            _ => None,
        }));
        let Some(old) = history.observations.get(at) else { break };
        let mut kept = Some(old.clone());
        for edit in edits {
            match edit {
                Edit::Replace { at: place, what } if *place == at => {
                    kept = kept.map(|old| Observation { what: what.clone(), ..old });
                }
                Edit::Remove { at: place } if *place == at => kept = None,
                _ => {}
            }
        }
        observations.extend(kept);
    }
    for (n, observation) in observations.iter_mut().enumerate() {
        observation.n = n as u64;
    }
    History { plan: history.plan.clone(), observations, ending: history.ending.clone() }
}

/// The same observation with other bytes coming in.
pub(super) fn with_bytes(what: &What, bytes: impl Into<Vec<u8>>) -> What {
    let mut what = what.clone();
    if let What::Received { raw }
    | What::Aside { raw }
    | What::Answer { raw, .. }
    | What::Ended { raw, .. }
    | What::Refused { raw, .. } = &mut what
    {
        *raw = Raw::new(bytes);
    }
    what
}

/// The bytes that came in with an observation.
pub(super) fn bytes(history: &History, at: usize) -> &[u8] {
    history.observations[at].what.inbound().map_or(&[], Raw::bytes)
}

/// The same as it was received: what a message was made of is there.
pub(super) fn raw(history: &History, at: usize) -> &Raw {
    static NOTHING: std::sync::LazyLock<Raw> = std::sync::LazyLock::new(Raw::default);
    history.observations[at].what.inbound().unwrap_or(&NOTHING)
}

/// The JSON object with one more member, or the array with one more element that has it; all other
/// bytes as they are. Nothing if there is none in it yet, or if it is no JSON: what was cut off may
/// end as if it were whole.
pub(super) fn with_member(json: &[u8], member: &str) -> Option<Vec<u8>> {
    tree(json)?;
    let end = json.iter().rposition(|byte| !byte.is_ascii_whitespace())?;
    let body = json[..end].trim_ascii_end();
    let (before, after): (&[u8], &[u8]) = match (json[end], body.last()?) {
        (b'}', last) if *last != b'{' => (b",", b"}"),
        (b']', last) if *last != b'[' => (b",{", b"}]"),
        _ => return None,
    };
    Some([body, before, member.as_bytes(), after].concat())
}

/// The tree of values of a JSON text, read leniently.
pub(super) fn tree(json: &[u8]) -> Option<serde_json::Value> {
    lenient::tree(std::str::from_utf8(json).ok()?)
}

/// The JSON text with another value in a place that has one.
pub(super) fn with_value(json: &[u8], pointer: &str, value: serde_json::Value) -> Option<Vec<u8>> {
    let mut tree = tree(json)?;
    *tree.pointer_mut(pointer)? = value;
    serde_json::to_vec(&tree).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_added_and_values_replaced_in_bytes() {
        let added = with_member(b"{\"a\": 1 }\n", "\"b\":2").expect("an object");
        assert_eq!(added, b"{\"a\": 1,\"b\":2}");
        let added = with_member(b"[\"a\", 1 ]", "\"b\":2").expect("an array");
        assert_eq!(added, b"[\"a\", 1,{\"b\":2}]");
        let cut = ["{\"a\":1", "{\"a\":{\"b\":1}", "[[1]", "}"];
        for no_object in ["", "{}", "[]", "7"].into_iter().chain(cut) {
            assert_eq!(with_member(no_object.as_bytes(), "\"b\":2"), None);
        }
        let replaced = with_value(b"{\"a\":{\"b\":1}}", "/a/b", 2.into()).expect("JSON");
        assert_eq!(replaced, b"{\"a\":{\"b\":2}}");
        assert_eq!(with_value(b"{}", "/a", 2.into()), None);
    }
}

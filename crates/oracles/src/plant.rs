//! Alterations for O1: another user's canary in every encoding, in every place where bytes come in,
//! whole and cut, and as it is in pieces that no text has all of.

use std::collections::BTreeSet;

use super::case::Case;
use super::edits::{Alteration, Edit, bytes, tree, with_bytes, with_member};
use super::message::Message;
use super::sharing;
use partywall_core::canary::{Encoding, Field, Owner};
use partywall_core::finding::FindingKind;
use partywall_core::history::What;
use partywall_core::ids::UserName;
use partywall_core::plan::UserPlan;
use partywall_core::raw::Raw;

/// How a string may hang in a message: a member with `#` for the string. In the last it is the name,
/// and names are read one by one.
const SHAPES: [&str; 4] = [
    r#""planted":#"#,
    r#""planted":{"deep":[{"er":#}]}"#,
    r#""planted":[null,#,7]"#,
    r##"#:"planted""##,
];

/// For each encoding: whole in raw bytes, whole in a JSON string, cut over two messages' bytes, cut
/// over two messages' texts, and whole in whatever else comes in.
pub(super) fn canaries(case: &Case<'_>, rng: &mut fastrand::Rng) -> Vec<Alteration> {
    let places = Places::of(case);
    let mint = case.history.plan.mint();
    let seen: BTreeSet<_> = case.seen.iter().map(|seen| (seen.owner, seen.observer)).collect();
    let mut alterations = Vec::new();
    for encoding in Encoding::all() {
        for (name, draw) in SPLITS {
            let Some((observer, hide)) = draw(&places, rng) else { continue };
            let Some(victim) = victim(case, observer, rng) else { continue };
            let Some(owner) = unseen(victim, observer, &seen) else { continue };
            let text = encoding.encode(&mint.mint(owner));
            alterations.push(Alteration {
                what: format!(
                    "{} canary of {} as {encoding}, {}, to {observer}",
                    owner.field, victim.name, name
                ),
                edits: hide.edits(case, &text, rng),
                kind: FindingKind::Crossing,
                victim: victim.name.clone(),
                observer: observer.clone(),
            });
        }
    }
    alterations.extend(sharing::to_outsiders(case, &seen, rng));
    for (name, draw) in PIECES {
        let Some((observer, hide)) = draw(&places, rng) else { continue };
        let Some(victim) = victim(case, observer, rng) else { continue };
        let Some(owner) = unseen(victim, observer, &seen) else { continue };
        alterations.push(Alteration {
            what: format!("{} canary of {}, {name}, to {observer}", owner.field, victim.name),
            edits: hide.edits(case, &mint.mint(owner), rng),
            kind: FindingKind::Crossing,
            victim: victim.name.clone(),
            observer: observer.clone(),
        });
    }
    alterations
}

fn victim<'c>(
    case: &Case<'c>,
    observer: &UserName,
    rng: &mut fastrand::Rng,
) -> Option<&'c UserPlan> {
    let others: Vec<_> =
        case.history.plan.users.iter().filter(|user| user.name != *observer).collect();
    rng.choice(others)
}

/// A canary of the victim that the observer has not seen, so that it is new in any history.
pub(super) fn unseen(
    victim: &UserPlan,
    observer: &UserName,
    seen: &BTreeSet<(Owner, &UserName)>,
) -> Option<Owner> {
    let run = victim.runs().next().map_or(1, |run| run.run);
    [Field::Document, Field::Name, Field::Settings, Field::Prompt]
        .into_iter()
        .map(|field| Owner { user: victim.index, run, field })
        .find(|owner| !seen.contains(&(*owner, observer)))
}

/// Where something can be hidden.
struct Places<'c> {
    /// Messages on event connections.
    messages: Vec<&'c Message<'c>>,
    /// Those of them that take another member.
    objects: Vec<&'c Message<'c>>,
    /// Messages that follow each other on a connection.
    pairs: Vec<(&'c Message<'c>, &'c Message<'c>)>,
    /// Messages of the same run that follow each other on a connection and take another member in
    /// the same place.
    object_pairs: Vec<(&'c Message<'c>, &'c Message<'c>)>,
    /// HTTP answers, refusals and close reasons.
    answers: Vec<Place<'c>>,
    refusals: Vec<Place<'c>>,
    endings: Vec<Place<'c>>,
    /// Pings, pongs and trailers.
    asides: Vec<Place<'c>>,
    /// What came with header lines, by kind: answers, openings, refusals.
    headed: Vec<Vec<Place<'c>>>,
}

/// A place in the history, and to whom something came there.
type Place<'c> = (usize, &'c UserName);

impl<'c> Places<'c> {
    fn of(case: &'c Case<'c>) -> Self {
        // Where others may rightly be seen, nothing is found.
        let apart = |at: usize, observer: &UserName| {
            !case.has_sharing() || !case.is_on_shared_path(at, observer)
        };
        let messages = case.messages.iter().filter(|message| message.channel.carries_events());
        let messages: Vec<_> =
            messages.filter(|message| apart(message.at(), message.observer)).collect();
        let objects: Vec<_> = messages
            .iter()
            .copied()
            .filter(|message| {
                // Only what was understood: in the rest, a member would be no text.
                let understood = case.kind(message).is_some() || !case.dialect.strict;
                understood && member_in(case, message, "").is_some()
            })
            .collect();
        let places = |wanted: fn(&What) -> bool| -> Vec<Place<'c>> {
            let wanted =
                case.history.observations.iter().enumerate().filter(|(_, o)| wanted(&o.what));
            let by = wanted.filter_map(|(at, seen)| Some((at, seen.by.as_ref()?)));
            by.filter(|(at, observer)| apart(*at, observer)).collect()
        };
        let answers = places(|what| matches!(what, What::Answer { .. }));
        let openings =
            places(|what| matches!(what, What::Connected { headers } if !headers.is_empty()));
        let headed_refusals =
            places(|what| matches!(what, What::Refused { headers, .. } if !headers.is_empty()));
        let mut headed = vec![answers.clone(), openings, headed_refusals];
        headed.retain(|kind| !kind.is_empty());
        Self {
            pairs: pairs(&messages, |message| message.line()),
            object_pairs: pairs(&objects, |message| {
                (message.line(), message.run_at(), member_place(case, message))
            }),
            messages,
            objects,
            answers,
            refusals: places(|what| matches!(what, What::Refused { .. })),
            endings: places(|what| matches!(what, What::Ended { .. })),
            asides: places(|what| matches!(what, What::Aside { .. })),
            headed,
        }
    }
}

fn pairs<'c, K: Ord>(
    messages: &[&'c Message<'c>],
    key: impl Fn(&Message<'c>) -> K,
) -> Vec<(&'c Message<'c>, &'c Message<'c>)> {
    let mut last = std::collections::BTreeMap::new();
    let follows = |&message: &&'c Message<'c>| {
        // Texts are told apart by who sees them, so both must be seen by the same user.
        let before: Option<&'c Message<'c>> = last.insert(key(message), message);
        before.filter(|before| before.observer == message.observer).map(|before| (before, message))
    };
    messages.iter().filter_map(follows).collect()
}

/// Where one canary is hidden.
enum Hide<'c> {
    Within(usize),
    Header(usize),
    Member(&'c Message<'c>),
    Between(&'c Message<'c>, &'c Message<'c>),
    Members(&'c Message<'c>, &'c Message<'c>),
    /// In two members of one message.
    Fields(&'c Message<'c>),
    /// In two members of different names, of two messages.
    Answers(&'c Message<'c>, &'c Message<'c>),
    /// Its beginning alone.
    CutShort(&'c Message<'c>),
}

/// The characters of a canary that is cut short: so many tell the users of one trial apart.
const CUT_SHORT: usize = 20;

/// Draws who gets a canary and where.
type Draw = for<'c> fn(&Places<'c>, &mut fastrand::Rng) -> Option<(&'c UserName, Hide<'c>)>;

/// In which ways a canary is hidden.
const SPLITS: [(&str, Draw); 9] = [
    ("in raw bytes", |places, rng| {
        let message = rng.choice(&places.messages)?;
        Some((message.observer, Hide::Within(message.at())))
    }),
    ("in a JSON string with one letter escaped", |places, rng| {
        let message = rng.choice(&places.objects)?;
        Some((message.observer, Hide::Member(message)))
    }),
    ("cut over two messages", |places, rng| {
        let (one, other) = rng.choice(&places.pairs)?;
        Some((one.observer, Hide::Between(one, other)))
    }),
    ("cut over one field of two messages", |places, rng| {
        let (one, other) = rng.choice(&places.object_pairs)?;
        Some((one.observer, Hide::Members(one, other)))
    }),
    ("in an HTTP answer", |places, rng| within(&places.answers, rng)),
    ("in a header of an answer", |places, rng| {
        // Of few openings among many answers some must be drawn; without any, nothing is.
        let kind = match &places.headed[..] {
            [one] => one,
            kinds => rng.choice(kinds)?,
        };
        let (at, observer) = rng.choice(kind)?;
        Some((observer, Hide::Header(*at)))
    }),
    ("in a refusal", |places, rng| within(&places.refusals, rng)),
    ("in a close reason", |places, rng| within(&places.endings, rng)),
    ("in a ping, a pong or trailers", |places, rng| within(&places.asides, rng)),
];

/// In which pieces a canary is hidden as it is.
const PIECES: [(&str, Draw); 3] = [
    ("cut over two fields of a message", |places, rng| {
        let message = rng.choice(&places.objects)?;
        Some((message.observer, Hide::Fields(message)))
    }),
    ("cut over two fields of two messages", |places, rng| {
        let (one, other) = rng.choice(&places.object_pairs)?;
        Some((one.observer, Hide::Answers(one, other)))
    }),
    ("cut short", |places, rng| {
        let message = rng.choice(&places.objects)?;
        Some((message.observer, Hide::CutShort(message)))
    }),
];

fn within<'c>(places: &[Place<'c>], rng: &mut fastrand::Rng) -> Option<(&'c UserName, Hide<'c>)> {
    let (at, observer) = rng.choice(places)?;
    Some((observer, Hide::Within(*at)))
}

impl Hide<'_> {
    fn edits(&self, case: &Case<'_>, text: &str, rng: &mut fastrand::Rng) -> Vec<Edit> {
        let history = case.history;
        let what = |at: usize| &history.observations[at].what;
        let replace = |at, bytes: Vec<u8>| Edit::Replace { at, what: with_bytes(what(at), bytes) };
        // In the middle third, where all encodings have the canary itself.
        let (head, tail) = text.split_at(rng.usize(text.len() / 3..text.len() * 2 / 3));
        let names = usize::from(matches!(self, Self::Members(..)));
        let shape = SHAPES[rng.usize(..SHAPES.len() - names)];
        let member = |message: &Message<'_>, string: &str| {
            let member = shape.replace('#', string);
            let added = member_in(case, message, &member);
            replace(message.at(), added.unwrap_or_default())
        };
        match *self {
            Self::Within(at) => {
                let (before, after) = {
                    let bytes = bytes(history, at);
                    // At the end nothing stands in a place of the message.
                    let at = rng.usize(..=bytes.len());
                    bytes.split_at(if case.has_sharing() { bytes.len() } else { at })
                };
                vec![replace(at, [before, text.as_bytes(), after].concat())]
            }
            Self::Header(at) => {
                let mut what = what(at).clone();
                if let What::Answer { headers, .. }
                | What::Connected { headers }
                | What::Refused { headers, .. } = &mut what
                {
                    *headers =
                        Raw::new([headers.bytes(), b"\nx-planted: ", text.as_bytes()].concat());
                }
                vec![Edit::Replace { at, what }]
            }
            // With one letter escaped, the raw bytes do not show it: the decoded text must.
            Self::Member(message) => vec![member(message, &quoted(text, Some(head.len())))],
            Self::Between(one, other) => vec![
                replace(one.at(), [bytes(history, one.at()), head.as_bytes()].concat()),
                replace(other.at(), [tail.as_bytes(), bytes(history, other.at())].concat()),
            ],
            Self::Members(one, other) => {
                vec![member(one, &quoted(head, None)), member(other, &quoted(tail, None))]
            }
            Self::Fields(message) => {
                let members = format!(r#""planted":"{head}","rest":"{tail}""#);
                let added = member_in(case, message, &members);
                vec![replace(message.at(), added.unwrap_or_default())]
            }
            Self::Answers(one, other) => {
                let added = |message, name, text| {
                    let added = member_in(case, message, &format!(r#""{name}":"{text}""#));
                    replace(message.at(), added.unwrap_or_default())
                };
                vec![added(one, "planted", head), added(other, "rest", tail)]
            }
            Self::CutShort(message) => {
                let member = format!(r#""planted":"{}...""#, &text[..CUT_SHORT]);
                let added = member_in(case, message, &member);
                vec![replace(message.at(), added.unwrap_or_default())]
            }
        }
    }
}

/// The message with one more member in its JSON object.
fn member_in(case: &Case<'_>, message: &Message<'_>, member: &str) -> Option<Vec<u8>> {
    case.in_json(message.at(), |json| with_member(json, member))
}

/// Where [`member_in`] adds a member: in the message itself, or in a new element of its array. Only
/// members in the same place are read as one text.
fn member_place(case: &Case<'_>, message: &Message<'_>) -> Option<usize> {
    let mut place = None;
    case.in_json(message.at(), |json| {
        place = tree(json).and_then(|tree| tree.as_array().map(Vec::len));
        None
    });
    place
}

/// The text as a JSON string, with the letter at that place written as an escape.
fn quoted(text: &str, escape: Option<usize>) -> String {
    let mut string = String::from("\"");
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escape == Some(at) => string.push_str(&format!("\\u{:04x}", u32::from(letter))),
            '"' | '\\' => string.extend(['\\', letter]),
            '\0'..='\x1F' => string.push_str(&format!("\\u{:04x}", u32::from(letter))),
            _ => string.push(letter),
        }
    }
    string + "\""
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::judge_control;
    use crate::notation::history;
    use partywall_core::dialect::Dialect;

    /// Pieces of a canary are put only where they are read as one text: a greeting that is an object
    /// and an event in an array have no place in common, nor have arrays of different lengths.
    #[test]
    fn a_canary_is_cut_only_over_members_in_the_same_place() {
        let mut dialect = Dialect::reference();
        dialect.strict = false;
        dialect.kind = "/0".into();
        (dialect.run, dialect.request) = ("/1/run".into(), "/1/id".into());
        let greeted = |user: &str| {
            format!(
                r#"{user} connects silently; {user} gets {{"sid":"abc"}};
                {user} gets ["joined",{{"user":"you"}}]; {user} gets ["left",{{"user":"x"}},1]"#
            )
        };
        let history = history(&[greeted("alice"), greeted("bob")].join(";"));
        let case = Case::new(&history, &dialect);
        assert_eq!(Places::of(&case).object_pairs.len(), 0);
        for seed in 0..20 {
            let tally = judge_control(&history, &dialect, seed);
            assert_eq!(tally.missed, Vec::<String>::new(), "seed {seed}");
        }
    }
}

//! Where users may rightly see each other's data: what stands there is no crossing.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::case::Case;
use super::edits::{Alteration, Edit, bytes, with_bytes, with_value};
use super::message::{Channel, Message};
use super::plant::unseen;
use super::seen::{Seen, owner_in};
use partywall_core::canary::{Owner, Sighting};
use partywall_core::finding::FindingKind;
use partywall_core::history::{Observation, What};
use partywall_core::ids::{ConnectionId, UserName};
use partywall_core::json::{self, Visitor};
use partywall_core::plan::UserPlan;
use partywall_core::protocol::Shared;
use partywall_core::reader::Json;

/// Between two texts that do not belong together.
const GAP: &str = "\0";

impl Case<'_> {
    /// Whether a canary stands where its owner and its observer may see each other's data.
    pub(super) fn is_shared_canary(&self, seen: &Seen<'_>) -> bool {
        let Some(owner) = self.person_at(seen.owner.user).filter(|_| self.has_sharing()) else {
            return false;
        };
        self.is_shared(seen.at(), (&owner.name, seen.observer), |bytes| {
            if seen.from != seen.n {
                // Of one that came in pieces it is not known where in messages it stands.
                return 1;
            }
            let is_it =
                |found: &&Sighting| owner_in(self.history.plan.campaign, found) == seen.owner;
            self.scanner.scan(bytes).iter().filter(is_it).count()
        })
    }

    /// Whether two users share anything at all.
    pub(super) fn has_sharing(&self) -> bool {
        !self.history.plan.protocol.sharing.is_empty()
    }

    /// Whether all that `count` counts in what came in there stands where these two may see each
    /// other's data.
    pub(super) fn is_shared(
        &self,
        at: usize,
        (victim, observer): (&UserName, &UserName),
        count: impl Fn(&[u8]) -> usize,
    ) -> bool {
        let between = self.sharing().filter(|own| own.is_between(victim, observer));
        let (paths, pointers): (Vec<_>, Vec<_>) =
            between.partition(|own| self.history.plan.protocol.has_path(own));
        let observation = &self.history.observations[at];
        if self.is_on_path(observation, &paths) {
            return true;
        }
        let Some(raw) = observation.what.inbound().filter(|_| !pointers.is_empty()) else {
            return false;
        };
        let headers = observation.what.headers().map_or(0, |headers| count(headers.bytes()));
        let message = self.messages.binary_search_by_key(&at, |message| message.at());
        let Ok(message) = message else { return false };
        let streamed = self.messages[message].channel == Channel::Stream;
        let Json::Text(text) = self.reader.payload(raw, streamed).json else { return false };
        // What stands beside the JSON, in a frame or in another field of a stream, is in no place.
        let beside = count(raw.bytes()) > count(text.as_bytes());
        let counted = |text: Option<String>| text.map(|text| count(text.as_bytes()));
        // What came in pieces stands nowhere as a whole: it is not known where in the message it does.
        let is_whole = counted(outside(&text, &[])).is_some_and(|all| all > 0);
        headers == 0 && !beside && is_whole && counted(outside(&text, &pointers)) == Some(0)
    }

    /// Whether a place in messages is one where these two may see each other's data.
    pub(super) fn is_shared_pointer(
        &self,
        at: usize,
        (victim, observer): (&UserName, &UserName),
        pointer: &str,
    ) -> bool {
        let mut between = self.sharing().filter(|own| own.is_between(victim, observer));
        between.any(|own| self.is_shared_place(at, own, pointer))
    }

    /// Whether the observer there may see anybody's data because of a path.
    pub(super) fn is_on_shared_path(&self, at: usize, observer: &UserName) -> bool {
        let paths = self.sharing().filter(|own| own.is_for(observer));
        let paths: Vec<_> = paths.filter(|own| self.history.plan.protocol.has_path(own)).collect();
        self.is_on_path(&self.history.observations[at], &paths)
    }

    /// Whether the message may rightly name others: in the places of users and runs too.
    pub(super) fn may_name_others(&self, message: &Message<'_>) -> bool {
        let (at, observer) = (message.at(), message.observer);
        let places = [&self.dialect.user, &self.dialect.run];
        self.has_sharing()
            && self
                .sharing()
                .filter(|own| own.is_for(observer))
                .any(|own| places.iter().any(|place| self.is_shared_place(at, own, place)))
    }

    fn is_shared_place(&self, at: usize, own: &Shared, pointer: &str) -> bool {
        match self.history.plan.protocol.has_path(own) {
            true => self.is_on_path(&self.history.observations[at], &[own]),
            false => !pointer.is_empty() && own.is_pointer(pointer),
        }
    }

    fn sharing(&self) -> impl Iterator<Item = &Shared> {
        self.history.plan.protocol.sharing.iter()
    }

    fn is_on_path(&self, observation: &Observation, paths: &[&Shared]) -> bool {
        if paths.is_empty() {
            return false;
        }
        let Some(on) = &observation.on else { return false };
        let path = self.path_of(on);
        path.is_some_and(|path| paths.iter().any(|own| own.is_path(path)))
    }

    /// The path that was asked for there; that of the event connection is the same for all but for
    /// what stands in its places.
    fn path_of(&self, on: &ConnectionId) -> Option<&str> {
        let events = self.history.plan.protocol.events.as_ref();
        self.paths.get(on).copied().or_else(|| events.map(|events| &*events.path))
    }
}

/// The path that was asked for in each HTTP exchange.
pub(super) fn paths<'h>(acts: &[(usize, &'h Observation)]) -> BTreeMap<&'h ConnectionId, &'h str> {
    let asked = acts.iter().filter_map(|(_, seen)| match &seen.what {
        What::Request { path, .. } => Some((seen.on.as_ref()?, &**path)),
        _ => None,
    });
    asked.collect()
}

/// For each place that some users share: the canary of another user to one of them there.
pub(super) fn to_outsiders(
    case: &Case<'_>,
    seen: &BTreeSet<(Owner, &UserName)>,
    rng: &mut fastrand::Rng,
) -> Vec<Alteration> {
    let all = &case.history.plan.protocol.sharing;
    let mint = case.history.plan.mint();
    let mut alterations = Vec::new();
    for own in all.iter().filter(|own| !own.users.is_empty()) {
        let is_path = case.history.plan.protocol.has_path(own);
        let there = case.messages.iter().filter_map(|message| {
            let within = own.users.contains(message.observer);
            let observation = &case.history.observations[message.at()];
            let leaf = match is_path {
                true => case.is_on_path(observation, &[own]).then_some(None),
                false => case
                    .payload(message)
                    .json
                    .as_text()
                    .and_then(|text| leaf_in(text, own))
                    .map(Some),
            };
            leaf.filter(|_| within).map(|leaf| (message.at(), message.observer, leaf))
        });
        let there: Vec<_> = there.collect();
        let Some((at, observer, leaf)) = rng.choice(&there) else { continue };
        let pointer = leaf.as_deref().unwrap_or_default();
        let other = |user: &&UserPlan| {
            user.name != **observer && !case.is_shared_pointer(*at, (&user.name, observer), pointer)
        };
        let others: Vec<_> = case.history.plan.users.iter().filter(other).collect();
        let Some(victim) = rng.choice(others) else { continue };
        let Some(owner) = unseen(victim, observer, seen) else { continue };
        let canary = mint.mint(owner);
        let planted = match leaf {
            None => Some([bytes(case.history, *at), canary.as_bytes()].concat()),
            Some(leaf) => case.in_json(*at, |json| with_value(json, leaf, canary.clone().into())),
        };
        let Some(planted) = planted else { continue };
        let what = with_bytes(&case.history.observations[*at].what, planted);
        alterations.push(Alteration {
            what: format!("canary of {} to {observer}, in what they do not share", victim.name),
            edits: vec![Edit::Replace { at: *at, what }],
            kind: FindingKind::Crossing,
            victim: victim.name.clone(),
            observer: (*observer).clone(),
        });
    }
    alterations
}

/// The pointer to a text in that place, if there is one.
fn leaf_in(text: &str, own: &Shared) -> Option<String> {
    let mut walk = Walk::of(std::slice::from_ref(&own));
    json::read(text, 0, &mut walk).then_some(walk.leaf)?
}

/// The texts and names in a JSON text that stand outside of those places; none if it is no JSON.
fn outside(text: &str, places: &[&Shared]) -> Option<String> {
    let mut walk = Walk::of(places);
    json::read(text, 0, &mut walk).then_some(walk.outside)
}

struct Walk<'p> {
    places: &'p [&'p Shared],
    /// Each place met so far, and whether it is shared.
    pointers: Vec<(String, bool)>,
    outside: String,
    /// The pointer to the first text in one of them.
    leaf: Option<String>,
}

impl<'p> Walk<'p> {
    fn of(places: &'p [&'p Shared]) -> Self {
        let pointers = vec![(String::new(), false)];
        Self { places, pointers, outside: String::new(), leaf: None }
    }

    fn below(&mut self, above: usize, name: &str) -> usize {
        let (above, shared) = &self.pointers[above];
        let name = name.replace('~', "~0").replace('/', "~1");
        let pointer = format!("{above}/{name}");
        let shared = *shared || self.places.iter().any(|own| own.is_pointer(&pointer));
        self.pointers.push((pointer, shared));
        self.pointers.len() - 1
    }

    fn take(&mut self, at: usize, text: &str) {
        if !self.pointers[at].1 {
            self.outside.push_str(text);
            self.outside.push_str(GAP);
        }
    }
}

impl<'j> Visitor<'j> for Walk<'_> {
    type Place = usize;

    fn object(&mut self, _: usize) {}

    fn member(&mut self, object: usize, _: Option<usize>, name: &str) -> usize {
        self.take(object, name);
        self.below(object, name)
    }

    fn element(&mut self, array: usize, index: usize) -> usize {
        self.below(array, &index.to_string())
    }

    fn text(&mut self, at: usize, text: Cow<'j, str>) {
        let (pointer, shared) = &self.pointers[at];
        if *shared {
            self.leaf.get_or_insert_with(|| pointer.clone());
        }
        self.take(at, &text);
    }

    fn number(&mut self, at: usize, number: u64) {
        self.take(at, &number.to_string());
    }
}

#[cfg(test)]
mod tests;

//! Names as keys: names in one history begin alike, and comparing thousands of them as texts costs
//! more than any oracle, so they are found by digests.

use std::borrow::Cow;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use siphasher::sip::SipHasher13;

use super::message::Place;
use partywall_core::canary::CampaignKey;

/// Numbers by name. They are only asked for by the name, so that no order shows. Names come from the
/// server: what they are found by is keyed, so that no server can make up thousands that look alike.
#[derive(Clone, Debug)]
pub(super) struct ByName<'h> {
    /// Each with its number, a place in some table of a case.
    names: Vec<(Cow<'h, str>, Place)>,
    /// Where in them each stands.
    places: HashTable<u32>,
    hasher: SipHasher13,
}

impl<'h> ByName<'h> {
    /// None so far, in a case of that campaign.
    pub(super) fn new(campaign: CampaignKey) -> Self {
        let key = campaign.seal("names", 0);
        let hasher = SipHasher13::new_with_keys(key, key);
        Self { names: Vec::new(), places: HashTable::new(), hasher }
    }

    /// The same, with room for about so many.
    #[must_use]
    pub(super) fn with_room(mut self, names: usize) -> Self {
        let Self { places, hasher, names: known } = &mut self;
        let hash = |place: &u32| hasher.hash(known[*place as usize].0.as_bytes());
        places.reserve(names, hash);
        known.reserve(names);
        self
    }

    pub(super) fn get(&self, name: &str) -> Option<usize> {
        let hash = self.hasher.hash(name.as_bytes());
        let is_it = |place: &u32| self.names[*place as usize].0 == name;
        let place = *self.places.find(hash, is_it)?;
        Some(self.names[place as usize].1.get())
    }

    /// The number of that name; one that has none is given what `next` says, the place in some table
    /// of a case.
    pub(super) fn get_or_add(
        &mut self,
        name: Cow<'h, str>,
        next: impl FnOnce(&str) -> usize,
    ) -> usize {
        let Self { names, places, hasher } = self;
        let hash = |name: &str| hasher.hash(name.as_bytes());
        let is_it = |place: &u32| names[*place as usize].0 == name;
        let hash_again = |place: &u32| hash(&names[*place as usize].0);
        match places.entry(hash(&name), is_it, hash_again) {
            Entry::Occupied(known) => names[*known.get() as usize].1.get(),
            Entry::Vacant(free) => {
                let number = next(&name);
                free.insert(names.len() as u32);
                names.push((name, Place::new(number)));
                number
            }
        }
    }

    /// How many names have a number.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }
}

/// A run's id in that life of the process that gave it: another life may give it again.
pub(super) fn in_life(id: Cow<'_, str>, life: u32) -> Cow<'_, str> {
    match life {
        0 => id,
        // No id that a server gives holds that character in front of a number by chance.
        life => Cow::Owned(format!("{id}\0{life}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_equal_as_their_texts_are() {
        let names = (0..2000).flat_map(|n| [format!("user-{n}/socket1"), format!("r{n}")]);
        let names: Vec<String> = names.chain(["".into(), "\0".into(), "\0\0".into()]).collect();
        let digests: std::collections::BTreeSet<_> =
            names.iter().map(|name| partywall_core::ids::digest(name.as_bytes())).collect();
        assert_eq!(digests.len(), names.len(), "names that begin alike have one digest");
        let mut numbers = ByName::new(CampaignKey::from_seed(1)).with_room(names.len() / 8);
        for (at, name) in names.iter().enumerate() {
            assert_eq!(numbers.get(name), None);
            assert_eq!(numbers.get_or_add(name.into(), |_| at), at);
            assert_eq!(numbers.get_or_add(name.into(), |_| unreachable!("it has one")), at);
        }
        let all: Vec<_> = names.iter().map(|name| numbers.get(name)).collect();
        assert_eq!(all, (0..names.len()).map(Some).collect::<Vec<_>>());
    }
}

//! Names as keys of maps: their digests are compared first.
//!
//! Names in one history begin alike, and comparing thousands of them as texts costs more than any
//! oracle. The order is of no meaning, but always the same.

use std::borrow::Cow;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// A name, by its digest. Two names with one digest are told apart by their text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key<'h> {
    digest: u64,
    text: Cow<'h, str>,
}

impl<'h> Key<'h> {
    pub(super) fn of(text: &'h str) -> Self {
        Self::from(Cow::Borrowed(text))
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

impl<'h> From<Cow<'h, str>> for Key<'h> {
    fn from(text: Cow<'h, str>) -> Self {
        Self { digest: digest(text.as_bytes()), text }
    }
}

/// Numbers by name. They are only asked for by the name, so that no order shows.
#[derive(Debug, Default)]
pub(super) struct ByName<'h>(HashTable<(Key<'h>, usize)>);

impl<'h> ByName<'h> {
    pub(super) fn get(&self, key: &Key<'_>) -> Option<usize> {
        self.0.find(key.digest, |(own, _)| own == key).map(|(_, number)| *number)
    }

    /// The number of that name; one that has none is given what `next` says.
    pub(super) fn get_or_add(
        &mut self,
        key: Key<'h>,
        next: impl FnOnce(&Key<'_>) -> usize,
    ) -> usize {
        match self.0.entry(key.digest, |(own, _)| *own == key, |(own, _)| own.digest) {
            Entry::Occupied(known) => known.get().1,
            Entry::Vacant(free) => {
                let number = next(&key);
                free.insert((key, number));
                number
            }
        }
    }

    /// How many names have a number.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// A run's id in that life of the process that gave it: another life may give it again.
pub(super) fn in_life(id: Cow<'_, str>, life: u32) -> Key<'_> {
    match life {
        0 => Key::from(id),
        // No id that a server gives holds that character in front of a number by chance.
        life => Key::from(Cow::Owned(format!("{id}\0{life}"))),
    }
}

/// A number that two texts hardly ever share.
pub(super) fn digest(text: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |sum: u64, word: u64| (sum ^ word).wrapping_mul(ODD).rotate_left(29);
    let (words, rest) = text.as_chunks::<8>();
    let sum = words.iter().fold(text.len() as u64, |sum, word| mix(sum, u64::from_le_bytes(*word)));
    mix(sum, rest.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_equal_as_their_texts_are() {
        let names = (0..2000).flat_map(|n| [format!("user-{n}/socket1"), format!("r{n}")]);
        let names: Vec<String> = names.chain(["".into(), "\0".into(), "\0\0".into()]).collect();
        let keys: std::collections::BTreeSet<_> = names.iter().map(|name| Key::of(name)).collect();
        assert_eq!(keys.len(), names.len());
        let digests: std::collections::BTreeSet<_> = keys.iter().map(|key| key.digest).collect();
        assert_eq!(digests.len(), names.len(), "names that begin alike have one digest");
        assert!(keys.contains(&Key::from(Cow::Owned("r7".to_owned()))));
        assert_eq!(Key::of("r7").text(), "r7");
        let mut numbers = ByName::default();
        for (at, name) in names.iter().enumerate() {
            assert_eq!(numbers.get(&Key::of(name)), None);
            assert_eq!(numbers.get_or_add(Key::of(name), |_| at), at);
            assert_eq!(numbers.get_or_add(Key::of(name), |_| unreachable!("it has one")), at);
        }
        let all: Vec<_> = names.iter().map(|name| numbers.get(&Key::of(name))).collect();
        assert_eq!(all, (0..names.len()).map(Some).collect::<Vec<_>>());
    }
}

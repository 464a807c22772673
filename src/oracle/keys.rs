//! Names as keys of maps: their digests are compared first.
//!
//! Names in one history begin alike, and comparing thousands of them as texts costs more than any
//! oracle. The order is of no meaning, but always the same.

use std::borrow::Cow;

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
    }
}

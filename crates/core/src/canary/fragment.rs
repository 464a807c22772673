//! Canaries of which only a part is there: cut over two texts, or cut short.

use super::mint::{CANARY_LEN, Mint, Owner, fits};

/// The fewest characters of a canary that name it, where they are not those of another too.
pub const LEAST_FRAGMENT: usize = 12;

/// The beginnings of canaries in the text that break off before their end, each with whether the text
/// ends with it.
pub fn heads(text: &[u8]) -> impl Iterator<Item = (&[u8], bool)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let found = memchr::memchr2(b'p', b'P', text.get(from..)?)?;
            let start = from + found;
            let length = fitting(&text[start..], 0);
            from = start + 1;
            // The magic alone is of no use, and what is whole is read elsewhere.
            if (5..CANARY_LEN).contains(&length) {
                from = start + length;
                return Some((&text[start..start + length], start + length == text.len()));
            }
        }
    })
}

/// What the text begins with, if that may be the rest of a canary that was cut.
pub fn tail(text: &[u8]) -> Option<&[u8]> {
    let digits = fitting(text, CANARY_LEN - LONGEST_TAIL);
    (1..=LONGEST_TAIL).contains(&digits).then(|| &text[..digits])
}

/// A head has the magic and a digit at least.
const LONGEST_TAIL: usize = CANARY_LEN - 5;

/// How many characters of the text fit into a canary from that place on; one more than a canary has
/// room for is none of it.
fn fitting(text: &[u8], place: usize) -> usize {
    let fitting = |(at, byte): &(usize, &u8)| fits(**byte, place + at);
    text.iter().take(CANARY_LEN + 1 - place).enumerate().take_while(fitting).count()
}

/// The canaries that one campaign may have planted, to look up of which a part may be.
#[derive(Clone, Debug)]
pub struct Planted(Vec<(String, Owner)>);

impl Planted {
    /// Those of these owners.
    pub fn new(mint: &Mint, owners: impl Iterator<Item = Owner>) -> Self {
        let mut all: Vec<_> = owners.map(|owner| (mint.mint(owner), owner)).collect();
        all.sort_unstable();
        Self(all)
    }

    /// Whose canaries begin with that text, in any case of its letters.
    pub fn beginning_with(&self, head: &[u8]) -> &[(String, Owner)] {
        let head = head.to_ascii_lowercase();
        let from = self.0.partition_point(|(canary, _)| canary.as_bytes() < &head[..]);
        let rest = &self.0[from..];
        &rest[..rest.partition_point(|(canary, _)| canary.as_bytes().starts_with(&head))]
    }
}

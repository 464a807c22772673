//! Finds the places where a canary may start, by what its magic looks like in each form.

use aho_corasick::packed;
use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};

use super::encoding::Alignment;
use Shape::{Base64, Percent, Plain, UnicodeEscape};

/// How a candidate is to be decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    Plain,
    Percent,
    UnicodeEscape,
    Base64(Alignment),
}

impl Shape {
    /// The byte right before the [`SPELLINGS`] of this shape, where it is always the same.
    const fn before(self) -> Option<u8> {
        match self {
            Self::Percent => Some(b'%'),
            Self::UnicodeEscape => Some(b'u'),
            Self::Plain | Self::Base64(_) => None,
        }
    }

    /// The bytes of the canary before the [`SPELLINGS`] of this shape.
    fn lead(self) -> usize {
        match self {
            Self::Plain => 0,
            Self::Percent => "%70%".len(),
            Self::UnicodeEscape => r"\u".len(),
            // What has bits of the `p`.
            Self::Base64(Alignment::Zero | Alignment::One) => 1,
            Self::Base64(Alignment::Two) => 2,
        }
    }
}

/// What is searched for: of each form, with `p` and `w` in either case, a part of the
/// magic that is rare in text of that form. (`%70` is every `p` of percent-encoded text,
/// but a `w` before a digit is rare.) The escaped `p` ends with the first backslash of the
/// next character, for there may be more of them.
///
/// The order makes the search several times as fast on some texts: the vectorised search
/// has 8 buckets, puts pattern n into bucket n mod 8, and compares whatever is alike in
/// some byte with any pattern of the bucket. So the two cases of one spelling are 8 apart,
/// where they differ in one byte, and no two forms share a bucket.
const SPELLINGS: [(&[u8], Shape); 14] = [
    (b"pw10", Plain),
    (b"77%31%30", Percent),
    (br"0070\", UnicodeEscape),
    (b"HcxM", Base64(Alignment::Zero)),
    (b"B3MT", Base64(Alignment::One)),
    (b"dzEw", Base64(Alignment::Two)),
    (b"pW10", Plain),
    (b"Pw10", Plain),
    (b"PW10", Plain),
    (b"57%31%30", Percent),
    (br"0050\", UnicodeEscape),
    (b"FcxM", Base64(Alignment::Zero)),
    (b"BXMT", Base64(Alignment::One)),
    (b"VzEw", Base64(Alignment::Two)),
];

/// The bytes of the longest spelling.
pub(super) const LONGEST_SPELLING: usize = {
    let mut longest = 0;
    let mut place = 0;
    while place < SPELLINGS.len() {
        let length = SPELLINGS[place].0.len();
        longest = if length > longest { length } else { longest };
        place += 1;
    }
    longest
};

/// A place where a magic was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Where the spelling was found; the search goes on after this byte.
    pub(super) found: usize,
    /// Where the canary would start.
    pub(super) start: usize,
    pub(super) shape: Shape,
}

/// The search for all spellings at once.
#[derive(Debug)]
pub(super) enum Finder {
    /// Vectorised.
    Packed(packed::Searcher),
    /// For machines without the vector instructions.
    Automaton(AhoCorasick),
}

impl Finder {
    pub(super) fn new() -> Self {
        match packed::Searcher::new(SPELLINGS.map(|(spelling, _)| spelling)) {
            Some(searcher) => Self::Packed(searcher),
            None => Self::automaton(),
        }
    }

    fn automaton() -> Self {
        let automaton = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::DFA))
            .match_kind(MatchKind::LeftmostFirst)
            .build(SPELLINGS.map(|(spelling, _)| spelling))
            .expect("a handful of short patterns fits into an automaton");
        Self::Automaton(automaton)
    }

    /// The first spelling that starts at `from` or later, and whose canary's first bytes are there.
    pub(super) fn find(&self, bytes: &[u8], mut from: usize) -> Option<Place> {
        loop {
            let (found, shape) = self.find_spelling(bytes, from)?;
            if let Some(start) = place_of(found, shape) {
                return Some(Place { found, start, shape });
            }
            from = found + 1;
        }
    }

    /// The first spelling that starts at `from` or later. No spelling is a prefix of
    /// another, so going on one byte after it misses none.
    pub(super) fn find_spelling(&self, bytes: &[u8], from: usize) -> Option<(usize, Shape)> {
        let found = match self {
            Self::Packed(searcher) => searcher.find_in(bytes, (from..bytes.len()).into()),
            Self::Automaton(automaton) => automaton.find(Input::new(bytes).range(from..)),
        }?;
        Some((found.start(), SPELLINGS[found.pattern().as_usize()].1))
    }
}

/// Where the canary starts whose spelling is found there; a canary whose first bytes are not there
/// is none.
pub(super) fn place_of(found: usize, shape: Shape) -> Option<usize> {
    found.checked_sub(shape.lead())
}

/// Whether a spelling ends at the front of `piece` that begins before it; `before` has the last
/// bytes of what came before.
pub(super) fn is_cut(before: [u8; LONGEST_SPELLING], piece: &[u8]) -> bool {
    piece.first().is_some_and(|&first| GOES_ON[usize::from(first)])
        && SPELLINGS.iter().any(|(spelling, _)| {
            let cut_at =
                |at: usize| piece.starts_with(&spelling[at..]) && before.ends_with(&spelling[..at]);
            (1..spelling.len()).any(cut_at)
        })
}

/// Whether the end of that text may be the beginning of a canary's spelling, by its last two bytes.
/// Where it is not, none is cut behind it, whatever comes next.
pub(super) fn may_hang(text: &[u8]) -> bool {
    let pair = |(one, two): (u8, u8)| PAIRS[usize::from(one)][usize::from(two) >> 6] >> (two & 63);
    match text {
        [.., one, two] => BEGINS[usize::from(*two)] || pair((*one, *two)) & 1 == 1,
        [one] => BEGINS_ALONE[usize::from(*one)],
        [] => false,
    }
}

/// The bytes that a spelling begins with, whatever stands before them. Numbers, with which ids mostly
/// end, begin a spelling only behind one certain byte, so that the [`PAIRS`] have them.
const BEGINS: [bool; 256] = beginnings(false);

/// The bytes that a spelling begins with where nothing is known of what stands before them.
const BEGINS_ALONE: [bool; 256] = beginnings(true);

const fn beginnings(all: bool) -> [bool; 256] {
    let mut table = [false; 256];
    let mut place = 0;
    while place < SPELLINGS.len() {
        let (spelling, shape) = SPELLINGS[place];
        if all || shape.before().is_none() {
            table[spelling[0] as usize] = true;
        }
        place += 1;
    }
    table
}

/// The pairs of bytes that stand in a spelling before its last byte, or of which the second begins one
/// behind the first, a bit for each.
static PAIRS: [[u64; 4]; 256] = {
    let mut table = [[0; 4]; 256];
    let mut place = 0;
    while place < SPELLINGS.len() {
        let (spelling, shape) = SPELLINGS[place];
        if let Some(before) = shape.before() {
            let two = spelling[0];
            table[before as usize][(two >> 6) as usize] |= 1 << (two & 63);
        }
        let mut at = 1;
        while at + 1 < spelling.len() {
            let (one, two) = (spelling[at - 1] as usize, spelling[at]);
            table[one][(two >> 6) as usize] |= 1 << (two & 63);
            at += 1;
        }
        place += 1;
    }
    table
};

/// The bytes that stand in a spelling, but for its first.
const GOES_ON: [bool; 256] = {
    let mut table = [false; 256];
    let mut place = 0;
    while place < SPELLINGS.len() {
        let spelling = SPELLINGS[place].0;
        let mut at = 1;
        while at < spelling.len() {
            table[spelling[at] as usize] = true;
            at += 1;
        }
        place += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::super::{Encoding, HexCase};
    use super::*;

    fn places(finder: &Finder, text: &str) -> Vec<(usize, Shape)> {
        let mut places = Vec::new();
        let mut from = 0;
        while let Some(place) = finder.find(text.as_bytes(), from) {
            places.push((place.start, place.shape));
            from = place.found + 1;
        }
        places
    }

    #[test]
    fn no_spelling_hides_another() {
        for (one, _) in SPELLINGS {
            let starts = SPELLINGS.iter().filter(|(other, _)| other.starts_with(one)).count();
            assert_eq!(starts, 1);
            assert!((4..=LONGEST_SPELLING).contains(&one.len()));
        }
        assert_eq!(LONGEST_SPELLING, 8);
    }

    #[test]
    fn what_may_go_on_as_a_spelling_hangs() {
        for (spelling, shape) in SPELLINGS {
            let lead = shape.before().map(|byte| vec![byte]);
            for at in 1..spelling.len() {
                for before in ["", "x", "words and "] {
                    let before = [before.as_bytes(), lead.as_deref().unwrap_or_default()].concat();
                    let text = [&before, &spelling[..at]].concat();
                    assert!(may_hang(&text), "{:?}", String::from_utf8_lossy(&text));
                }
                // What stands before it came with the piece before.
                assert!(may_hang(&spelling[..at]));
            }
        }
        let ids = ["user-10", "r7", "thread-5", "run_0"];
        let texts = ["", "x", "{}", "agent_thinking", "triage", "user-1", "a_w", "\"}"];
        for text in ids.into_iter().chain(texts) {
            assert!(!may_hang(text.as_bytes()), "{text}");
        }
    }

    /// On machines where the vectorised search exists, nothing else runs the automaton.
    #[test]
    fn both_searches_find_every_case_of_the_magic_in_every_form() {
        for finder in [Finder::new(), Finder::automaton()] {
            for magic in ["pw10", "pW10", "Pw10", "PW10"] {
                let hex = HexCase::Lower;
                let found = |encoding: Encoding| places(&finder, &encoding.encode(magic));
                assert_eq!(found(Encoding::Plain), [(0, Plain)]);
                assert_eq!(found(Encoding::Percent { hex }), [(0, Percent)]);
                assert_eq!(found(Encoding::UnicodeEscape { hex }), [(0, UnicodeEscape)]);
                for alignment in Alignment::ALL {
                    let encoding = Encoding::Base64 { url: false, padded: false, alignment };
                    // After the filler's group, a character for each byte before.
                    let start = 4 + alignment.bytes_before();
                    assert_eq!(found(encoding), [(start, Base64(alignment))]);
                }
                assert_eq!(places(&finder, "70\\ cxM 0070 0070\\"), [(11, UnicodeEscape)]);
                assert_eq!(places(&finder, "0070\\ 0050\\"), [(4, UnicodeEscape)]);
            }
        }
    }
}

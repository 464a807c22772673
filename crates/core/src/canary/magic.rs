//! Finds the places where a canary may start, by what its magic looks like in each form.

use aho_corasick::packed;
use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};

use super::encoding::Alignment;
use Shape::{Base32, Base64, Base64Twice, Entity, Hex, Percent, Plain, UnicodeEscape, Utf16};

/// How a candidate is to be decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    Plain,
    Percent,
    UnicodeEscape,
    Base64(Alignment),
    Hex,
    /// With the bytes before it in its group of five.
    Base32(u8),
    /// The canary's alignment in the inner text, and the inner text's in the outer.
    Base64Twice(Alignment, Alignment),
    Utf16,
    Entity,
}

impl Shape {
    /// The bytes of which one stands right before that spelling, where no other can.
    const fn before(self, spelling: &[u8]) -> &'static [u8] {
        let lower = spelling[1].is_ascii_lowercase();
        match self {
            Self::Percent => b"%",
            Self::UnicodeEscape => b"u",
            Self::Hex => b"0",
            Self::Utf16 => b"\0",
            Self::Base32(bytes_before) => match (bytes_before, lower) {
                (0, false) => b"B",
                (0, true) => b"b",
                (1, false) => b"HF",
                (1, true) => b"hf",
                (2, false) => b"A",
                (2, true) => b"a",
                (3, false) => b"DC",
                (3, true) => b"dc",
                (_, false) => b"OK",
                (_, true) => b"ok",
            },
            Self::Base64Twice(inner, outer) => match (inner, outer) {
                (Alignment::Zero, Alignment::Zero) => b"hZ",
                (Alignment::One, Alignment::Zero) => b"IJ",
                (Alignment::One, Alignment::Two) => b"Q",
                (Alignment::Two, Alignment::Zero) => b"kW",
                (Alignment::Two, Alignment::Two) => b"RZ",
                _ => b"",
            },
            Self::Plain | Self::Base64(_) | Self::Entity => b"",
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
            Self::Hex => "70".len(),
            Self::Base32(bytes_before) => 2 + usize::from(matches!(bytes_before, 1 | 3 | 4)),
            Self::Base64Twice(Alignment::Zero, Alignment::Two)
            | Self::Base64Twice(Alignment::Two, Alignment::Zero) => 4,
            Self::Base64Twice(Alignment::Two, Alignment::Two) => 5,
            Self::Base64Twice(..) => 3,
            Self::Utf16 => 2,
            // The `&`, or the last byte of how that is written.
            Self::Entity => 1,
        }
    }
}

/// What is searched for: of each form, with `p` and `w` in either case, a part of the
/// magic that is rare in text of that form. (`%70` is every `p` of percent-encoded text,
/// but a `w` before a digit is rare.) The escaped `p` ends with the first backslash of the
/// next character, for there may be more of them.
///
/// The order makes the search several times as fast on some texts: the vectorised search
/// has few buckets, puts pattern n into bucket n modulo their number, and compares whatever is
/// alike in some byte with any pattern of the bucket. This order was the fastest of some hundred
/// random ones on chat events, English, random bytes, base64 and percent-encoded text.
const SPELLINGS: [(&[u8], Shape); 51] = [
    (b"omjq", Base32(1)),
    (b"#112;", Entity),
    (b"jNNVE", Base64Twice(Alignment::One, Alignment::Two)),
    (b"XGEY", Base32(3)),
    (b"YTVR", Base64Twice(Alignment::One, Alignment::Zero)),
    (b"lhNVE", Base64Twice(Alignment::One, Alignment::Two)),
    (b"#x50;", Entity),
    (b"W\x001\0", Utf16),
    (b"dzEw", Base64(Alignment::Two)),
    (b"#X70;", Entity),
    (br"0070\", UnicodeEscape),
    (b"B3MT", Base64(Alignment::One)),
    (b"#80;", Entity),
    (b"BXMT", Base64(Alignment::One)),
    (b"VnpFd", Base64Twice(Alignment::Two, Alignment::One)),
    (b"pw10", Plain),
    (b"VzEw", Base64(Alignment::Two)),
    (b"WE1UQ", Base64Twice(Alignment::One, Alignment::One)),
    (b"vzrg", Base32(2)),
    (b"#x70;", Entity),
    (b"ZHpFd", Base64Twice(Alignment::Two, Alignment::One)),
    (b"M01UQ", Base64Twice(Alignment::One, Alignment::One)),
    (b"77%31%30", Percent),
    (br"0050\", UnicodeEscape),
    (b"Pw10", Plain),
    (b"773130", Hex),
    (b"LTCM", Base32(0)),
    (b"HcxM", Base64(Alignment::Zero)),
    (b"6RXd", Base64Twice(Alignment::Two, Alignment::Two)),
    (b"jeE1", Base64Twice(Alignment::Zero, Alignment::Zero)),
    (b"zTVR", Base64Twice(Alignment::One, Alignment::Zero)),
    (b"5zrg", Base32(2)),
    (b"4yta", Base32(4)),
    (b"Y3hN", Base64Twice(Alignment::Zero, Alignment::One)),
    (b"5ZRG", Base32(2)),
    (b"N4TU", Base64Twice(Alignment::Zero, Alignment::Two)),
    (b"3tcm", Base32(0)),
    (b"PW10", Plain),
    (b"ltcm", Base32(0)),
    (b"VZRG", Base32(2)),
    (b"57%31%30", Percent),
    (b"4YTA", Base32(4)),
    (b"573130", Hex),
    (b"3TCM", Base32(0)),
    (b"xgey", Base32(3)),
    (b"pW10", Plain),
    (b"OMJQ", Base32(1)),
    (b"ekV3", Base64Twice(Alignment::Two, Alignment::Zero)),
    (b"w\x001\0", Utf16),
    (b"FcxM", Base64(Alignment::Zero)),
    (b"#X50;", Entity),
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

/// The most bytes from a canary's start to the end of its spelling.
pub(super) const LONGEST_START: usize = "%70%77%31%30".len();

/// A place where a magic was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Where the spelling was found; the search goes on after this byte.
    pub(super) found: usize,
    /// Where the canary would start.
    pub(super) start: usize,
    /// Where the spelling ends.
    pub(super) end: usize,
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
            let (found, end, shape) = self.first(bytes, from)?;
            if let Some(start) = place_of(found, shape) {
                return Some(Place { found, start, end, shape });
            }
            from = found + 1;
        }
    }

    /// The first spelling that starts at `from` or later. No spelling is a prefix of
    /// another, so going on one byte after it misses none.
    pub(super) fn find_spelling(&self, bytes: &[u8], from: usize) -> Option<(usize, Shape)> {
        self.first(bytes, from).map(|(found, _, shape)| (found, shape))
    }

    fn first(&self, bytes: &[u8], from: usize) -> Option<(usize, usize, Shape)> {
        let found = match self {
            Self::Packed(searcher) => searcher.find_in(bytes, (from..bytes.len()).into()),
            Self::Automaton(automaton) => automaton.find(Input::new(bytes).range(from..)),
        }?;
        Some((found.start(), found.end(), SPELLINGS[found.pattern().as_usize()].1))
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
    piece.first().is_some_and(|&first| has(&JOINED, before[LONGEST_SPELLING - 1], first))
        && SPELLINGS.iter().any(|(spelling, _)| {
            let cut_at =
                |at: usize| piece.starts_with(&spelling[at..]) && before.ends_with(&spelling[..at]);
            (1..spelling.len()).any(cut_at)
        })
}

/// Whether the end of that text may be the beginning of a canary's spelling, by its last three bytes.
/// Where it is not, none is cut behind it, whatever comes next.
pub(super) fn may_hang(text: &[u8]) -> bool {
    match text {
        [.., one, two] if BEGINS[usize::from(*two)] || has(&FIRST, *one, *two) => true,
        [.., zero, one, two] => has(&LATER, *one, *two) && has(&JOINED, *zero, *one),
        [one, two] => has(&LATER, *one, *two),
        [one] => BEGINS_ALONE[usize::from(*one)],
        [] => false,
    }
}

/// The bytes that a spelling begins with, whatever stands before them. Numbers, with which ids mostly
/// end, begin a spelling only behind certain bytes, so that the [`FIRST`] pairs have them.
const BEGINS: [bool; 256] = beginnings(false);

/// The bytes that a spelling begins with where nothing is known of what stands before them.
const BEGINS_ALONE: [bool; 256] = beginnings(true);

const fn beginnings(all: bool) -> [bool; 256] {
    let mut table = [false; 256];
    let mut place = 0;
    while place < SPELLINGS.len() {
        let (spelling, shape) = SPELLINGS[place];
        if all || shape.before(spelling).is_empty() {
            table[spelling[0] as usize] = true;
        }
        place += 1;
    }
    table
}

/// Pairs of bytes, a bit for each.
type Pairs = [[u64; 4]; 256];

fn has(pairs: &Pairs, one: u8, two: u8) -> bool {
    pairs[usize::from(one)][usize::from(two) >> 6] >> (two & 63) & 1 == 1
}

/// The pairs of bytes with which a spelling begins, or of which the second begins one behind the first.
static FIRST: Pairs = {
    let mut table = [[0; 4]; 256];
    let mut place = 0;
    while place < SPELLINGS.len() {
        let (spelling, shape) = SPELLINGS[place];
        let (befores, two) = (shape.before(spelling), spelling[0]);
        let mut at = 0;
        while at < befores.len() {
            table[befores[at] as usize][(two >> 6) as usize] |= 1 << (two & 63);
            at += 1;
        }
        add_pairs(&mut table, spelling, 1, 2);
        place += 1;
    }
    table
};

/// The other pairs of bytes that stand in a spelling before its last byte.
static LATER: Pairs = {
    let mut table = [[0; 4]; 256];
    let mut place = 0;
    while place < SPELLINGS.len() {
        let spelling = SPELLINGS[place].0;
        add_pairs(&mut table, spelling, 2, spelling.len() - 1);
        place += 1;
    }
    table
};

/// The pairs of bytes that stand in a spelling: across a cut in it, one does.
static JOINED: Pairs = {
    let mut table = [[0; 4]; 256];
    let mut place = 0;
    while place < SPELLINGS.len() {
        let spelling = SPELLINGS[place].0;
        add_pairs(&mut table, spelling, 1, spelling.len());
        place += 1;
    }
    table
};

/// Adds the pairs whose second byte has one of those places in the spelling.
const fn add_pairs(table: &mut Pairs, spelling: &[u8], from: usize, to: usize) {
    let mut at = from;
    while at < to {
        let (one, two) = (spelling[at - 1] as usize, spelling[at]);
        table[one][(two >> 6) as usize] |= 1 << (two & 63);
        at += 1;
    }
}

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
        let starts = SPELLINGS.iter().map(|(spelling, shape)| shape.lead() + spelling.len());
        assert_eq!(starts.max(), Some(LONGEST_START));
    }

    #[test]
    fn what_may_go_on_as_a_spelling_hangs() {
        for (spelling, shape) in SPELLINGS {
            let leads: Vec<_> = shape.before(spelling).iter().map(|&byte| vec![byte]).collect();
            let leads = if leads.is_empty() { vec![vec![]] } else { leads };
            for at in 1..spelling.len() {
                for (before, lead) in ["", "x", "words and "]
                    .iter()
                    .flat_map(|before| leads.iter().map(move |l| (before, l)))
                {
                    let text = [before.as_bytes(), lead, &spelling[..at]].concat();
                    assert!(may_hang(&text), "{:?}", String::from_utf8_lossy(&text));
                }
                // What stands before it came with the piece before.
                assert!(may_hang(&spelling[..at]));
            }
        }
        let ids = ["user-10", "r7", "thread-5", "run_0"];
        let texts = ["", "y", "{}", "agent_thinking", "triage", "user-1", "a_w", "\"}"];
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

//! Text that comes in pieces, where hardly ever a canary is cut: each piece is searched alone, and
//! whether something may stand across a cut is known without keeping the pieces.
//!
//! What may be cut is then read as a whole, or as a [`Stream`](super::Stream).

use super::magic::{LONGEST_SPELLING, is_cut, may_hang, place_of};
use super::scan::{Candidate, Genuine, Reading, Scanner, Sighting, Window};

/// The last canary that one scanner found: what answers a request mostly has the same one in each
/// message, and to check its tag costs as much as to find it. It is genuine for that scanner alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Last(Option<Genuine>);

/// Whether a magic may begin at the end of that text. Where none does, what comes before the next
/// piece is of no matter: its [`Tail`] may be forgotten.
pub fn hangs(text: &str) -> bool {
    may_hang(text.as_bytes())
}

/// The end of a text that comes in pieces, as far as a magic may begin in it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tail([u8; LONGEST_SPELLING]);

impl Tail {
    /// A piece of that length or more is all that counts of the text so far.
    pub const LENGTH: usize = LONGEST_SPELLING;

    /// Takes the next piece, and says whether a magic stands across its beginning.
    pub fn take(&mut self, piece: &[u8]) -> bool {
        let cut = is_cut(self.0, piece);
        match piece.last_chunk() {
            Some(last) => self.0 = *last,
            None => {
                self.0.rotate_left(piece.len());
                let kept = LONGEST_SPELLING - piece.len();
                self.0[kept..].copy_from_slice(piece);
            }
        }
        cut
    }
}

impl Scanner {
    /// Shows the canaries that stand in one piece, and says whether a magic does that is not one of
    /// theirs: its canary may begin before the piece or end after it. Of the canaries of a text,
    /// those that no piece has as a whole are only where this or [`Tail::take`] says so.
    pub fn scan_piece(&self, piece: &[u8], last: &mut Last, mut see: impl FnMut(Sighting)) -> bool {
        let window = Window { bytes: piece, base: 0 };
        let (mut from, mut in_part) = (0, false);
        while let Some((found, shape)) = self.find_spelling(piece, from) {
            let read = |start: usize| {
                self.read_again(window, Candidate::new(start as u64, shape), &mut last.0)
            };
            match place_of(found, shape).map(read) {
                Some(Reading::Genuine(sighting)) => see(sighting),
                _ => in_part = true,
            }
            from = found + 1;
        }
        self.cut_by_wraps(window, 0, |candidate| {
            match self.read_again(window, candidate, &mut last.0) {
                Reading::Genuine(sighting) => see(sighting),
                _ => in_part = true,
            }
        });
        in_part
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CampaignKey, Encoding, Field, Mint, Owner};
    use super::*;

    /// Whatever is cut anywhere is either found in a piece or told of.
    #[test]
    fn no_cut_hides_a_canary() {
        let key = CampaignKey::from_seed(3);
        let (mint, scanner) = (Mint::new(key), Scanner::new(key));
        let owner = Owner { user: 7, run: 2, field: Field::Prompt };
        let (mut told, mut last) = (0, Last::default());
        for encoding in Encoding::all() {
            let text = format!("<{}>", encoding.encode(&mint.mint(owner)));
            assert_eq!(scanner.scan(text.as_bytes()).len(), 1);
            for first in 0..=text.len() {
                for second in [first, first + 1, first + 2, first + 7, first + 40] {
                    let second = second.min(text.len());
                    let pieces = [&text[..first], &text[first..second], &text[second..]];
                    let (mut tail, mut found, mut cut) = (Tail::default(), 0, false);
                    for piece in pieces {
                        cut |= tail.take(piece.as_bytes());
                        cut |= scanner.scan_piece(piece.as_bytes(), &mut last, |_| found += 1);
                    }
                    assert!(found == 1 || cut, "{encoding}: {pieces:?}");
                    told += usize::from(found == 0);
                }
            }
        }
        assert!(told > 1000, "hardly anything was cut");
    }

    #[test]
    fn what_is_whole_is_not_told_of() {
        let key = CampaignKey::from_seed(3);
        let (mint, scanner) = (Mint::new(key), Scanner::new(key));
        let canary = mint.mint(Owner { user: 7, run: 2, field: Field::Prompt });
        let (mut tail, mut last) = (Tail::default(), Last::default());
        for piece in [canary.as_str(), "agent_started", "write", "10", "the pw", "11", ""] {
            assert!(!tail.take(piece.as_bytes()), "{piece}");
            assert!(!scanner.scan_piece(piece.as_bytes(), &mut last, |_| ()), "{piece}");
        }
        assert!(scanner.scan_piece(b"pw10 alone", &mut last, |_| ()));
        assert!(!tail.take(b"p") && !tail.take(b"w1") && tail.take(b"0"));
    }

    /// What is nearly the last canary is none, and each has its own owner.
    #[test]
    fn only_the_whole_of_the_last_canary_is_taken_for_it() {
        let key = CampaignKey::from_seed(3);
        let (mint, scanner) = (Mint::new(key), Scanner::new(key));
        let canaries = [1, 2].map(|user| mint.mint(Owner { user, run: 2, field: Field::Prompt }));
        let mut last = Last::default();
        let mut owners = |text: &str| {
            let mut users = Vec::new();
            scanner.scan_piece(text.as_bytes(), &mut last, |seen| users.push(seen.owner.user));
            users
        };
        let [one, other] = &canaries;
        assert_eq!(owners(&format!("{one} {one} {other} {one}")), [1, 1, 2, 1]);
        for at in 4..one.len() {
            let mut forged = one.clone();
            let digit = if forged.as_bytes()[at] == b'0' { "1" } else { "0" };
            forged.replace_range(at..=at, digit);
            assert_eq!(owners(&format!("{one} {forged}")), [1], "{forged}");
        }
    }
}

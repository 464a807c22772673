//! Finds canaries in text that comes in pieces.

use super::magic::LONGEST_SPELLING;
use super::mint::CANARY_LEN;
use super::scan::{Candidate, LONGEST, Reading, Scanner, Sighting, Window, in_order};

/// Scans a stream of chunks as if it were one text: a canary may be split over any number
/// of them, and is reported once, by the chunk that completes it.
///
/// Between chunks it keeps the last few hundred bytes (at most twice the longest encoded
/// canary), however long the stream is. Each place is searched once and each candidate is
/// read a few times at most, so that no text and no way to split it makes the cost grow
/// faster than the text.
#[derive(Clone, Debug)]
pub struct Stream {
    search: Search,
    /// The last bytes of the stream so far.
    tail: Vec<u8>,
    /// Offset of the tail in the stream.
    base: u64,
}

impl Stream {
    /// An empty stream.
    pub fn new(scanner: Scanner) -> Self {
        let search = Search { scanner, searched: 0, unwrapped: 0, open: Vec::new() };
        Self { search, tail: Vec::new(), base: 0 }
    }

    /// Takes the next bytes, and reports the canaries that they complete. Offsets count
    /// from the start of the stream.
    pub fn feed(&mut self, chunk: &[u8]) -> Vec<Sighting> {
        let mut sightings = Vec::new();
        let chunk_base = self.base + self.tail.len() as u64;
        // What starts in the tail ends in this much of the chunk.
        let seam = &chunk[..chunk.len().min(LONGEST)];
        self.tail.extend_from_slice(seam);
        self.search.advance(Window { bytes: &self.tail, base: self.base }, &mut sightings);

        if seam.len() < chunk.len() {
            // The rest of a long chunk is scanned where it lies: no copy.
            self.search.advance(Window { bytes: chunk, base: chunk_base }, &mut sightings);
            let kept = chunk.len() - LONGEST;
            self.tail.clear();
            self.tail.extend_from_slice(&chunk[kept..]);
            self.base = chunk_base + kept as u64;
        } else if self.tail.len() > 2 * LONGEST {
            // Not on every feed, else a stream of single bytes would move all of the
            // tail for each.
            let surplus = self.tail.len() - LONGEST;
            self.tail.drain(..surplus);
            self.base += surplus as u64;
        }
        sightings
    }
}

/// How far the search in a stream has come.
#[derive(Clone, Debug)]
struct Search {
    scanner: Scanner,
    /// Every candidate whose magic is found before this offset is known.
    searched: u64,
    /// The same of those whose magic is cut by a break in the line, by the place of the break.
    unwrapped: u64,
    /// Candidates that need more bytes, by their place, each with the offset that the
    /// stream must reach before it is of any use to read it again.
    open: Vec<(Candidate, u64)>,
}

impl Search {
    /// Goes on up to the end of `window`, which starts before whatever is not settled.
    fn advance(&mut self, window: Window<'_>, sightings: &mut Vec<Sighting>) {
        let Self { scanner, unwrapped, open, .. } = self;
        let end = window.base + window.bytes.len() as u64;
        open.retain_mut(|(candidate, due)| {
            *due > end || Self::is_short(scanner.read(window, *candidate), due, sightings)
        });

        let from = (*unwrapped).max(window.base);
        let wraps = scanner.cut_by_wraps(window, from, |candidate| {
            let mut due = 0;
            if Self::is_short(scanner.read(window, candidate), &mut due, sightings) {
                open.push((candidate, due));
            }
        });
        *unwrapped = wraps.searched;
        self.search_direct(window, end, sightings);
        in_order(sightings);
    }

    /// The same for magics that stand in one.
    fn search_direct(&mut self, window: Window<'_>, end: u64, sightings: &mut Vec<Sighting>) {
        let Self { scanner, searched, open, .. } = self;
        // A canary that starts in fewer bytes than this is not complete yet.
        if end < *searched + CANARY_LEN as u64 {
            return;
        }
        // What starts later may be cut: it is left to the next search as a whole.
        let limit = end - (LONGEST_SPELLING as u64 - 1);
        while let Some((found, candidate)) = scanner.next_candidate(window, *searched)
            && found < limit
        {
            let mut due = 0;
            if Self::is_short(scanner.read(window, candidate), &mut due, sightings) {
                open.push((candidate, due));
            }
            *searched = found + 1;
        }
        *searched = limit;
    }

    /// Reports what was read. If it takes more bytes, says so and since when to try again.
    fn is_short(reading: Reading, due: &mut u64, sightings: &mut Vec<Sighting>) -> bool {
        match reading {
            Reading::Genuine(sighting) => sightings.push(sighting),
            Reading::Short(needed) => {
                *due = needed;
                return true;
            }
            Reading::Nothing => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::CampaignKey;
    use super::*;

    #[test]
    fn what_is_kept_does_not_grow() {
        for part in ["pw10", "cHcxM", r"\u0070", r"\\\\u0070", "x"] {
            for size in [1, 5, LONGEST, LONGEST + 1, 10_000] {
                let mut stream = Stream::new(Scanner::new(CampaignKey::from_seed(1)));
                for chunk in part.repeat(60_000 / part.len()).as_bytes().chunks(size) {
                    stream.feed(chunk);
                    assert!(stream.tail.len() <= 2 * LONGEST);
                    assert!(stream.search.open.len() <= LONGEST);
                }
                assert!(stream.tail.capacity() <= 8 * LONGEST);
            }
        }
    }
}

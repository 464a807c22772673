//! Which texts may hold a canary that was cut: the texts of one field of one run on one connection
//! are one text, since streamed answers come in pieces.
//!
//! To keep and sort all of them would cost more than all the rest of judging, and hardly ever is
//! anything cut. So only the ends of the pieces are kept, and where something may be cut the texts
//! are read again.

use std::collections::BTreeMap;

use super::leaves::Path;
use crate::trial::canary::Tail;

/// The texts of each run on each connection.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// For each run the first connection that it came on, and its place for that.
    first: Vec<Option<(usize, usize)>>,
    /// The other places, by connection and run.
    places: BTreeMap<(usize, Option<usize>), usize>,
    /// For each connection, where its last message stood: mostly the next one stands there too.
    last: Vec<Option<(Option<usize>, usize)>>,
    runs: Vec<RunTexts>,
    /// The most fields of a run so far: the next one has as many.
    most: usize,
}

/// So many fields of a run are looked through one by one; a server may make up any number.
const FEW: usize = 24;

/// The texts of one run on one connection.
#[derive(Debug, Default)]
pub(super) struct RunTexts {
    /// How the text of each field ends so far: of the first few fields, then of the others.
    ends: Vec<(Path, Tail)>,
    more: BTreeMap<Path, Tail>,
    /// Whether a canary may stand there in pieces.
    pub(super) may_be_cut: bool,
}

impl Texts {
    /// Where the texts of that run on that connection are.
    pub(super) fn place(&mut self, line: usize, run: Option<usize>) -> usize {
        if self.last.len() <= line {
            self.last.resize(line + 1, None);
        }
        if let Some((_, place)) = self.last[line].filter(|(last, _)| *last == run) {
            return place;
        }
        let next = self.runs.len();
        if let Some(run) = run.filter(|run| self.first.len() <= *run) {
            self.first.resize(run + 1, None);
        }
        let place = match run.map(|run| self.first[run].get_or_insert((line, next))) {
            Some((first, place)) if *first == line => *place,
            _ => *self.places.entry((line, run)).or_insert(next),
        };
        if place == next {
            let before = next.checked_sub(1).map_or(0, |before| self.runs[before].ends.len());
            self.most = self.most.max(before);
            self.runs.push(RunTexts { ends: Vec::with_capacity(self.most), ..RunTexts::default() });
        }
        self.last[line] = Some((run, place));
        place
    }

    pub(super) fn at(&mut self, place: usize) -> &mut RunTexts {
        &mut self.runs[place]
    }
}

impl RunTexts {
    /// Takes the next text of a field; `nth` is its number in its message.
    pub(super) fn take(&mut self, nth: usize, path: Path, text: &str) {
        let known = match self.ends.get(nth) {
            // Messages of one server are alike.
            Some((field, _)) if *field == path => Some(nth),
            _ => self.ends.iter().position(|(field, _)| *field == path),
        };
        let end = match known {
            Some(place) => &mut self.ends[place].1,
            None if self.ends.len() == FEW => self.more.entry(path).or_default(),
            None => &mut self.ends.push_mut((path, Tail::default())).1,
        };
        self.may_be_cut |= end.take(text.as_bytes());
    }
}

//! Which texts may hold a canary that was cut: the texts of one field of one run on one connection
//! are one text, since streamed answers come in pieces.
//!
//! To keep and sort all of them would cost more than all the rest of judging, and hardly ever is
//! anything cut. So only the ends of the pieces are kept, of those behind which something may be cut,
//! and where something is, the texts are read again.

use std::collections::BTreeMap;

use super::message::Place;
use partywall_core::canary::{Tail, hangs};
use partywall_core::members::Member as Path;

/// The texts of each run on each connection.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// For each run the first connection that it came on, and its place for that.
    first: Vec<(Place, Place)>,
    /// The other places, by connection and run.
    places: BTreeMap<(usize, Option<usize>), usize>,
    runs: Vec<RunTexts>,
}

/// So many fields of a run whose text may go on are kept at hand; a server may make up any number.
const FEW: usize = 2;

/// The texts of one run on one connection. There are as many as runs, so they are kept small.
#[derive(Debug, Default)]
pub(super) struct RunTexts {
    /// Of the fields whose text so far may be the beginning of a magic, how it ends.
    ends: [(Path, Tail); FEW],
    /// How many of them there are.
    held: u8,
    /// Whether a canary may stand there in pieces.
    pub(super) may_be_cut: bool,
    /// Those that there was no room for.
    #[expect(clippy::box_collection, reason = "all take up its room, and hardly any has one")]
    more: Option<Box<BTreeMap<Path, Tail>>>,
}

impl Texts {
    /// Where the texts of that run on that connection are.
    pub(super) fn place(&mut self, line: usize, run: Option<usize>) -> usize {
        let next = self.runs.len();
        if let Some(run) = run.filter(|run| self.first.len() <= *run) {
            self.first.resize(run + 1, (Place::NONE, Place::NONE));
        }
        let place = match run.map(|run| &mut self.first[run]) {
            Some(first) if first.0 == Place::NONE => {
                *first = (Place::new(line), Place::new(next));
                next
            }
            Some((first, place)) if first.get() == line => place.get(),
            _ => *self.places.entry((line, run)).or_insert(next),
        };
        if place == next {
            self.runs.push(RunTexts::default());
        }
        place
    }

    pub(super) fn at(&mut self, place: usize) -> &mut RunTexts {
        &mut self.runs[place]
    }
}

impl RunTexts {
    /// Takes the next text of a field.
    pub(super) fn take(&mut self, path: Path, text: &str) {
        let hangs = hangs(text);
        if hangs || self.held > 0 {
            self.take_end(path, text, hangs);
        }
    }

    fn take_end(&mut self, path: Path, text: &str, hangs: bool) {
        let held = usize::from(self.held);
        if let Some(place) = self.ends[..held].iter().position(|(field, _)| *field == path) {
            self.may_be_cut |= self.ends[place].1.take(text.as_bytes());
            // Of a shorter one, what came before may still count.
            if !hangs && text.len() >= Tail::LENGTH && self.more.is_none() {
                self.ends.swap(place, held - 1);
                self.held -= 1;
            }
            return;
        }
        if let Some(end) = self.more.as_mut().and_then(|more| more.get_mut(&path)) {
            self.may_be_cut |= end.take(text.as_bytes());
        } else if hangs {
            // What came before did not hang, so nothing is cut here.
            let mut end = Tail::default();
            end.take(text.as_bytes());
            match self.ends.get_mut(held) {
                Some(free) => {
                    *free = (path, end);
                    self.held += 1;
                }
                None => _ = self.more.get_or_insert_default().insert(path, end),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use partywall_core::canary::{CampaignKey, Field, Mint, Owner};

    #[test]
    fn the_texts_of_a_run_are_small() {
        assert!(size_of::<RunTexts>() <= 40, "{} bytes", size_of::<RunTexts>());
    }

    /// Pieces of many fields in turn: where a magic is cut, it is told.
    #[test]
    fn a_magic_that_is_cut_in_any_field_is_told() {
        let canary = Mint::new(CampaignKey::from_seed(1)).mint(Owner {
            user: 1,
            run: 1,
            field: Field::Prompt,
        });
        let paths = Path::some::<9>();
        let pieces = ["started", "id 7", "p", "", "x", "a longer text", "0070", "d", "end 5"];
        for cut in 1..4 {
            for field in 0..paths.len() {
                for between in [0, 1, 3] {
                    let mut texts = RunTexts::default();
                    for (at, path) in paths.iter().enumerate() {
                        texts.take(*path, pieces[at % pieces.len()]);
                    }
                    let other = |texts: &mut RunTexts| {
                        for (at, path) in paths.iter().enumerate().filter(|(at, _)| *at != field) {
                            texts.take(*path, pieces[(at + between) % pieces.len()]);
                        }
                    };
                    texts.take(paths[field], &canary[..cut]);
                    other(&mut texts);
                    for _ in 0..between {
                        texts.take(paths[field], "");
                    }
                    assert!(!texts.may_be_cut, "nothing is cut so far");
                    texts.take(paths[field], &canary[cut..]);
                    assert!(texts.may_be_cut, "cut at {cut} in field {field}");
                }
            }
        }
    }
}

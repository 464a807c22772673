//! Finds canaries in bytes.
//!
//! A vectorised search finds where the magic stands in any of its spellings; only there
//! a canary is decoded, and only if its tag is right does it count. So a text without
//! canaries costs what the search costs.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::decode::{Decoded, LONGEST_ENCODED, decode};
use super::key::CampaignKey;
use super::magic::{Finder, LONGEST_START, Shape};
use super::mint::{CANARY_LEN, Claim, Mint, Owner, fits};
use super::wrap::{LONGEST_WRAP, MOST_WRAPS, Seam, Unwrapped, next_wrap};

/// The most bytes that a canary's reading looks at.
pub(super) const LONGEST: usize = LONGEST_ENCODED + MOST_WRAPS * LONGEST_WRAP;

/// How a canary that was found is written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// As it is, in any case.
    Plain,
    /// Every byte as `%XX`.
    Percent,
    /// Every character as `\uXXXX`.
    UnicodeEscape,
    /// Inside base64.
    Base64,
    /// Inside base64 of base64.
    Base64Twice,
    /// Inside base32.
    Base32,
    /// Every byte as two hexadecimal digits.
    Hex,
    /// Every character as an HTML entity, by its number.
    Entity,
    /// In UTF-16, of either byte order.
    Utf16,
}

/// A genuine canary, and where it stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Sighting {
    /// Whose canary it is.
    pub owner: Owner,
    /// The round of the campaign that it was planted in.
    pub round: u32,
    /// That campaign, by [`CampaignKey::campaign_stamp`]; 0 is the scanner's, without a nonce.
    pub campaign: u32,
    /// The owner, by [`name_digest`](super::name_digest); 0 where the canary does not say it.
    pub person: u32,
    /// Offset of its first byte from the start of the stream. In base64, neighbours may
    /// share the first and the last character.
    pub start: u64,
    /// Offset after its last byte.
    pub end: u64,
    /// How it is written there.
    pub form: Form,
}

/// A place where a canary may start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    /// Offset in the stream.
    pub(super) start: u64,
    shape: Shape,
}

impl Candidate {
    pub(super) fn new(start: u64, shape: Shape) -> Self {
        Self { start, shape }
    }
}

/// A part of the stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window<'a> {
    pub(super) bytes: &'a [u8],
    /// Offset of the bytes in the stream.
    pub(super) base: u64,
}

/// What reading a candidate came to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reading {
    /// A canary.
    Genuine(Sighting),
    /// The bytes end too early: it takes all up to that offset in the stream to say more.
    Short(u64),
    /// No canary of this campaign.
    Nothing,
}

/// A canary whose tag is right, and what it says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Genuine {
    canary: [u8; CANARY_LEN],
    says: Claim,
}

/// Finds the canaries of one campaign. A clone shares its tables.
#[derive(Clone, Debug)]
pub struct Scanner {
    tables: Arc<Tables>,
}

#[derive(Debug)]
struct Tables {
    mint: Mint,
    finder: Finder,
}

impl Scanner {
    /// A scanner for the canaries minted with that key, in whatever round, and for those of all
    /// campaigns with a nonce.
    pub fn new(key: CampaignKey) -> Self {
        Self { tables: Arc::new(Tables { mint: Mint::new(key), finder: Finder::new() }) }
    }

    /// All canaries in `bytes`, by their place. For text that comes in pieces there is
    /// [`Stream`](super::Stream).
    pub fn scan(&self, bytes: &[u8]) -> Vec<Sighting> {
        let mut sightings = Vec::new();
        let window = Window { bytes, base: 0 };
        let mut see = |candidate| {
            if let Reading::Genuine(sighting) = self.read(window, candidate) {
                sightings.push(sighting);
            }
        };
        let mut from = 0;
        while let Some((found, candidate)) = self.next_candidate(window, from) {
            see(candidate);
            from = found + 1;
        }
        let cut = self.cut_by_wraps(window, 0, &mut see);
        if cut.found {
            in_order(&mut sightings);
        }
        sightings
    }

    /// Gives the candidates whose magic is cut by a break in the line, of the breaks at the offset
    /// `from` in the stream or later.
    pub(super) fn cut_by_wraps(
        &self,
        window: Window<'_>,
        from: u64,
        mut see: impl FnMut(Candidate),
    ) -> Wraps {
        let Window { bytes, base } = window;
        let mut wraps = Wraps { found: false, searched: base + bytes.len() as u64 };
        let mut at = (from - base) as usize;
        while let Some((start, end)) = next_wrap(bytes, at) {
            let Some(end) = end.filter(|end| end + LONGEST_START <= bytes.len()) else {
                wraps.searched = base + start as u64;
                break;
            };
            let seam = Seam::of(bytes, start, end);
            let mut next = 0;
            while let Some(place) = self.tables.finder.find(seam.bytes(), next) {
                if place.start < seam.before && place.end > seam.before {
                    wraps.found = true;
                    let start = start - (seam.before - place.start);
                    see(Candidate { start: base + start as u64, shape: place.shape });
                }
                next = place.found + 1;
            }
            at = end;
        }
        wraps
    }

    /// The first candidate whose magic is found at the offset `from` in the stream or
    /// later, and where it is found; the search goes on one byte after that.
    pub(super) fn next_candidate(&self, window: Window<'_>, from: u64) -> Option<(u64, Candidate)> {
        let place = self.tables.finder.find(window.bytes, (from - window.base) as usize)?;
        let candidate = Candidate { start: window.base + place.start as u64, shape: place.shape };
        Some((window.base + place.found as u64, candidate))
    }

    /// The first spelling of the magic at that offset or later.
    pub(super) fn find_spelling(&self, bytes: &[u8], from: usize) -> Option<(usize, Shape)> {
        self.tables.finder.find_spelling(bytes, from)
    }

    /// Decodes a candidate and checks its tag.
    pub(super) fn read(&self, window: Window<'_>, candidate: Candidate) -> Reading {
        self.read_by(window, candidate, |canary| self.tables.mint.read_bytes(canary))
    }

    /// The same, where the last canary that was genuine mostly comes again.
    pub(super) fn read_again(
        &self,
        window: Window<'_>,
        candidate: Candidate,
        last: &mut Option<Genuine>,
    ) -> Reading {
        self.read_by(window, candidate, |canary| match last {
            Some(last) if last.canary == *canary => Some(last.says),
            _ => {
                let says = self.tables.mint.read_bytes(canary)?;
                *last = Some(Genuine { canary: *canary, says });
                Some(says)
            }
        })
    }

    fn read_by(
        &self,
        window: Window<'_>,
        candidate: Candidate,
        mut check: impl FnMut(&[u8; CANARY_LEN]) -> Option<Claim>,
    ) -> Reading {
        let Candidate { start, shape } = candidate;
        let text = &window.bytes[(start - window.base) as usize..];
        let mut genuine = |canary: &[u8; CANARY_LEN], length| {
            let Claim { owner, round, campaign, person } = check(canary)?;
            let (end, form) = (start + length as u64, form(shape));
            Some(Reading::Genuine(Sighting { owner, round, campaign, person, start, end, form }))
        };
        match decode(text, shape) {
            Decoded::Text(canary, length) => {
                if let Some(genuine) = genuine(&canary, length) {
                    return genuine;
                }
                // A backslash stands for the last character of base64, or begins a break.
                let may_break = text[length - 1] == b'\\';
                if !may_break && (0..CANARY_LEN).all(|place| fits(canary[place], place)) {
                    return Reading::Nothing;
                }
            }
            Decoded::Short(length) => return Reading::Short(start + length as u64),
            Decoded::Nothing => {}
        }
        // It may be wrapped.
        let (text, may_go_on) = (&text[..text.len().min(LONGEST)], text.len() < LONGEST);
        let Some(whole) = Unwrapped::of(text) else { return Reading::Nothing };
        let needed = match decode(&whole.bytes, shape) {
            Decoded::Text(canary, length) => {
                let genuine = genuine(&canary, whole.length_in_text(length));
                return genuine.unwrap_or(Reading::Nothing);
            }
            Decoded::Short(length) => text.len() - whole.open + length - whole.bytes.len(),
            Decoded::Nothing if whole.open > 0 => 0,
            Decoded::Nothing => return Reading::Nothing,
        };
        match may_go_on {
            true => Reading::Short(start + needed.max(text.len() + 1) as u64),
            false => Reading::Nothing,
        }
    }
}

/// What a search for breaks in lines came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wraps {
    /// Whether there was a candidate.
    pub(super) found: bool,
    /// The breaks before that offset in the stream are done.
    pub(super) searched: u64,
}

/// Sorts them by their place. What is found with a break and, by what its last byte happens to be,
/// from the end of the break on too, is one.
pub(super) fn in_order(sightings: &mut Vec<Sighting>) {
    sightings.sort_by_key(|sighting| sighting.start);
    sightings.dedup_by_key(|sighting| (sighting.owner, sighting.end));
}

fn form(shape: Shape) -> Form {
    match shape {
        Shape::Plain => Form::Plain,
        Shape::Percent => Form::Percent,
        Shape::UnicodeEscape => Form::UnicodeEscape,
        Shape::Base64(_) => Form::Base64,
        Shape::Base64Twice(..) => Form::Base64Twice,
        Shape::Base32(_) => Form::Base32,
        Shape::Hex => Form::Hex,
        Shape::Entity => Form::Entity,
        Shape::Utf16 => Form::Utf16,
    }
}

//! Finds canaries in bytes.
//!
//! A vectorised search finds where the magic stands in any of its spellings; only there
//! a canary is decoded, and only if its tag is right does it count. So a text without
//! canaries costs what the search costs.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::encoding::Alignment;
use super::key::CampaignKey;
use super::magic::{Finder, Shape};
use super::mint::{CANARY_LEN, Claim, Mint, Owner, fits};

/// A `\uXXXX` in JSON in JSON starts with four backslashes.
const MOST_BACKSLASHES: usize = 4;

/// The most bytes that a canary's reading looks at: all characters escaped, two JSON
/// strings deep. The first escape is read from its last backslash on.
pub(super) const LONGEST: usize = 6 + (CANARY_LEN - 1) * (MOST_BACKSLASHES + 5);

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
        let mut from = 0;
        while let Some((found, candidate)) = self.next_candidate(window, from) {
            if let Reading::Genuine(sighting) = self.read(window, candidate) {
                sightings.push(sighting);
            }
            from = found + 1;
        }
        sightings
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
        check: impl FnOnce(&[u8; CANARY_LEN]) -> Option<Claim>,
    ) -> Reading {
        let Candidate { start, shape } = candidate;
        let text = &window.bytes[(start - window.base) as usize..];
        let decoded = match shape {
            Shape::Plain => fixed(text, |text| Some(*text)),
            Shape::Percent => fixed(text, percent),
            Shape::UnicodeEscape => unicode_escape(text),
            Shape::Base64(Alignment::Zero) => fixed(text, |text| base64::<48>(text, 0)),
            Shape::Base64(alignment) => {
                fixed(text, |text| base64::<49>(text, alignment.bits_before()))
            }
        };
        match decoded {
            Decoded::Text(canary, length) => match check(&canary) {
                Some(Claim { owner, round, campaign, person }) => {
                    let (end, form) = (start + length as u64, form(shape));
                    Reading::Genuine(Sighting { owner, round, campaign, person, start, end, form })
                }
                None => Reading::Nothing,
            },
            Decoded::Short(length) => Reading::Short(start + length as u64),
            Decoded::Nothing => Reading::Nothing,
        }
    }
}

fn form(shape: Shape) -> Form {
    match shape {
        Shape::Plain => Form::Plain,
        Shape::Percent => Form::Percent,
        Shape::UnicodeEscape => Form::UnicodeEscape,
        Shape::Base64(_) => Form::Base64,
    }
}

/// What the bytes at a candidate spell.
enum Decoded {
    /// A text, and how many bytes it took.
    Text([u8; CANARY_LEN], usize),
    /// It takes at least that many bytes.
    Short(usize),
    Nothing,
}

/// Decodes a form whose length is known before.
fn fixed<const N: usize>(
    text: &[u8],
    decode: impl FnOnce(&[u8; N]) -> Option<[u8; CANARY_LEN]>,
) -> Decoded {
    match text.first_chunk() {
        None => Decoded::Short(N),
        Some(encoded) => decode(encoded).map_or(Decoded::Nothing, |text| Decoded::Text(text, N)),
    }
}

fn percent(text: &[u8; 3 * CANARY_LEN]) -> Option<[u8; CANARY_LEN]> {
    let mut canary = [0; CANARY_LEN];
    for (byte, escape) in canary.iter_mut().zip(text.chunks_exact(3)) {
        *byte = match *escape {
            [b'%', high, low] => hex_byte(high, low)?,
            _ => return None,
        };
    }
    Some(canary)
}

fn hex_byte(high: u8, low: u8) -> Option<u8> {
    let value = |digit| char::from(digit).to_digit(16).map(|value| value as u8);
    Some(value(high)? << 4 | value(low)?)
}

fn unicode_escape(text: &[u8]) -> Decoded {
    let mut canary = [0; CANARY_LEN];
    let mut at = 0;
    for (place, byte) in canary.iter_mut().enumerate() {
        let short = at + (CANARY_LEN - place) * 6;
        let backslashes =
            text[at..].iter().take(MOST_BACKSLASHES).take_while(|&&byte| byte == b'\\').count();
        let Some(escape) = text[at + backslashes..].first_chunk::<5>() else {
            return Decoded::Short(short.max(text.len() + 1));
        };
        let character = match *escape {
            [b'u', b'0', b'0', high, low] if backslashes > 0 => hex_byte(high, low),
            _ => None,
        };
        match character {
            Some(character) if fits(character, place) => *byte = character,
            _ => return Decoded::Nothing,
        }
        at += backslashes + 5;
    }
    Decoded::Text(canary, at)
}

/// Decodes base64 whose first character has `foreign` bits of the byte before.
fn base64<const N: usize>(text: &[u8; N], foreign: usize) -> Option<[u8; CANARY_LEN]> {
    let mut canary = [0; CANARY_LEN];
    let mut bytes = canary.iter_mut();
    let mut bits = 0_u32;
    let mut count = 0;
    for (place, &character) in text.iter().enumerate() {
        let value = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            // Only the last character can be one of the other two, by the bits of the
            // byte after the canary. What counts of it is the same for both, so it does
            // not matter if it is escaped (`\/` in JSON, `%2B` in URLs).
            b'+' | b'-' | b'/' | b'_' | b'\\' | b'%' if place + 1 == N => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += if place == 0 { 6 - foreign } else { 6 };
        if count >= 8 {
            count -= 8;
            *bytes.next()? = (bits >> count) as u8;
        }
    }
    Some(canary)
}

//! A second scanner, slow and simple: tries every offset in every form, with other
//! decoders than the library's. The two must agree on any bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use partywall::trial::canary::{CANARY_LEN, CampaignKey, Form, Mint, Sighting};

/// All canaries in `bytes`, by their place.
pub(crate) fn brute_force(key: CampaignKey, bytes: &[u8]) -> Vec<Sighting> {
    let mint = Mint::new(key);
    let mut sightings = Vec::new();
    for start in 0..bytes.len() {
        let text = &bytes[start..];
        let mut judge = |form, spelled: Option<(Vec<u8>, usize)>| {
            let Some((canary, length)) = spelled else { return };
            let Ok(canary) = String::from_utf8(canary) else { return };
            if let Some(owner) = mint.read(&canary) {
                let end = (start + length) as u64;
                sightings.push(Sighting {
                    owner,
                    round: key.round(),
                    campaign: key.campaign_stamp(),
                    person: 0,
                    start: start as u64,
                    end,
                    form,
                });
            }
        };
        judge(Form::Plain, text.get(..CANARY_LEN).map(|text| (text.to_vec(), CANARY_LEN)));
        judge(Form::Percent, escapes(text, percent));
        judge(Form::UnicodeEscape, escapes(text, unicode).filter(|_| text[1] == b'u'));
        for bytes_before in 0..3 {
            judge(Form::Base64, in_base64(text, bytes_before));
        }
    }
    sightings
}

fn escapes(text: &[u8], one: impl Fn(&[u8]) -> Option<(u8, usize)>) -> Option<(Vec<u8>, usize)> {
    let mut spelled = Vec::new();
    let mut at = 0;
    for _ in 0..CANARY_LEN {
        let (byte, length) = one(&text[at..])?;
        spelled.push(byte);
        at += length;
    }
    Some((spelled, at))
}

fn percent(text: &[u8]) -> Option<(u8, usize)> {
    let digits = text.get(..3)?.strip_prefix(b"%")?;
    Some((byte(digits)?, 3))
}

fn unicode(text: &[u8]) -> Option<(u8, usize)> {
    (1..=4).find_map(|backslashes| {
        let escape = text.get(..backslashes + 5)?;
        let digits = escape.strip_prefix(&br"\\\\"[..backslashes])?.strip_prefix(b"u00")?;
        Some((byte(digits)?, escape.len()))
    })
}

fn byte(digits: &[u8]) -> Option<u8> {
    let digits = str::from_utf8(digits).ok().filter(|digits| !digits.contains('+'))?;
    u8::from_str_radix(digits, 16).ok()
}

/// Makes the characters of the canary a whole text of 13 groups, and decodes that.
fn in_base64(text: &[u8], bytes_before: usize) -> Option<(Vec<u8>, usize)> {
    let length = if bytes_before == 0 { 48 } else { 49 };
    let mut groups = b"A".repeat(bytes_before);
    groups.extend_from_slice(text.get(..length)?);
    if bytes_before > 0 {
        let last = groups.last_mut()?;
        if matches!(*last, b'-' | b'_' | b'+' | b'\\' | b'%') {
            *last = b'/';
        }
    }
    groups.resize(52, b'A');
    let decoded = STANDARD_NO_PAD.decode(groups).ok()?;
    Some((decoded[bytes_before..][..CANARY_LEN].to_vec(), length))
}

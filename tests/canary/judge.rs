//! A second scanner, slow and simple: tries every offset in every form, with other
//! decoders than the library's. The two must agree on any bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use partywall::trial::canary::{CANARY_LEN, CampaignKey, Form, Mint, Sighting};

/// All canaries in `bytes`, by their place.
pub(crate) fn brute_force(key: CampaignKey, bytes: &[u8]) -> Vec<Sighting> {
    let mut sightings = unwrapped(key, bytes, &(0..=bytes.len()).collect::<Vec<_>>());
    // And those that breaks in lines stand in.
    let (whole, places) = without_breaks(bytes);
    if whole.len() < bytes.len() {
        let across = unwrapped(key, &whole, &places);
        sightings.extend(across.into_iter().filter(|sighting| {
            let length = places.partition_point(|&place| (place as u64) < sighting.end)
                - places.partition_point(|&place| (place as u64) < sighting.start);
            (length as u64) < sighting.end - sighting.start
        }));
        sightings.sort_by_key(|sighting| sighting.start);
        // The last byte of a break may do for the first of the canary, of which not all bits count.
        sightings.dedup_by_key(|sighting| (sighting.owner, sighting.end));
    }
    sightings
}

/// The text without the breaks in its lines, and where each byte of it stands.
fn without_breaks(bytes: &[u8]) -> (Vec<u8>, Vec<usize>) {
    let (mut whole, mut places, mut at) = (Vec::new(), Vec::new(), 0);
    while at < bytes.len() {
        let soft = usize::from(bytes[at] == b'=');
        match line_break(&bytes[at + soft..]) {
            Some(first) => {
                at += soft + first;
                at += usize::from(bytes.get(at) == Some(&0));
                if let Some(second) = line_break(&bytes[at..]) {
                    at += second;
                    at += usize::from(bytes.get(at) == Some(&0));
                }
                let blanks = bytes[at..].iter().take(12);
                at += blanks.take_while(|&&byte| byte == b' ' || byte == b'\t').count();
            }
            None => {
                whole.push(bytes[at]);
                places.push(at);
                at += 1;
            }
        }
    }
    places.push(bytes.len());
    (whole, places)
}

fn line_break(text: &[u8]) -> Option<usize> {
    if matches!(text, [b'\r' | b'\n', ..]) {
        return Some(1);
    }
    let ends: [&[u8]; 6] = [b"r", b"n", b"u000a", b"u000A", b"u000d", b"u000D"];
    let escapes = (1..=4).flat_map(|backslashes| ends.map(|end| (backslashes, end)));
    let mut escapes = escapes.map(|(backslashes, end)| [&br"\\\\"[..backslashes], end].concat());
    escapes.find(|escape| text.starts_with(escape)).map(|escape| escape.len())
}

/// All canaries that stand in one line, whose bytes stand at those places.
fn unwrapped(key: CampaignKey, bytes: &[u8], places: &[usize]) -> Vec<Sighting> {
    let mint = Mint::new(key);
    let mut sightings = Vec::new();
    for start in 0..bytes.len() {
        let text = &bytes[start..];
        let mut judge = |form, spelled: Option<(Vec<u8>, usize)>| {
            let Some((canary, length)) = spelled else { return };
            let Ok(canary) = String::from_utf8(canary) else { return };
            if let Some(owner) = mint.read(&canary) {
                let end = places[start + length - 1] as u64 + 1;
                sightings.push(Sighting {
                    owner,
                    round: key.round(),
                    campaign: key.campaign_stamp(),
                    person: 0,
                    start: places[start] as u64,
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
            for outer in 0..3 {
                judge(Form::Base64Twice, in_base64_twice(text, bytes_before, outer));
            }
        }
        for bytes_before in 0..5 {
            judge(Form::Base32, in_base32(text, bytes_before));
        }
        judge(Form::Hex, in_hex(text));
        judge(Form::Utf16, in_utf16(text));
        judge(Form::Entity, in_entities(text));
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

/// The inner text is decoded as a whole, then the canary in it.
fn in_base64_twice(text: &[u8], inner: usize, outer: usize) -> Option<(Vec<u8>, usize)> {
    let inner_length: usize = if inner == 0 { 48 } else { 49 };
    let length = (8 * inner_length + outer * 8 % 6).div_ceil(6);
    let mut groups = b"A".repeat(outer);
    groups.extend_from_slice(text.get(..length)?);
    if let Some(last) = groups.last_mut().filter(|last| b"-_+\\%".contains(last)) {
        *last = b'/';
    }
    groups.resize(groups.len().next_multiple_of(4), b'A');
    let decoded = STANDARD_NO_PAD.decode(groups).ok()?;
    let (canary, _) = in_base64(&decoded[outer..][..inner_length], inner)?;
    Some((canary, length))
}

fn in_base32(text: &[u8], bytes_before: usize) -> Option<(Vec<u8>, usize)> {
    let foreign = bytes_before * 8 % 5;
    let length = (288 + foreign).div_ceil(5);
    let digit = |&digit: &u8| {
        let digit = digit.to_ascii_uppercase();
        let value = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|&one| one == digit)?;
        Some(format!("{value:05b}"))
    };
    let bits = text.get(..length)?.iter().map(digit).collect::<Option<String>>()?;
    let bytes = bits.as_bytes()[foreign..][..288].chunks(8);
    let bytes = bytes.map(|byte| u8::from_str_radix(str::from_utf8(byte).unwrap(), 2).unwrap());
    Some((bytes.collect(), length))
}

fn in_hex(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let digits = text.get(..2 * CANARY_LEN)?;
    Some((digits.chunks(2).map(byte).collect::<Option<_>>()?, digits.len()))
}

fn in_utf16(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let length = 2 * CANARY_LEN - 1;
    let units = text.get(..length)?;
    let zeros = units.iter().skip(1).step_by(2).all(|&zero| zero == 0);
    zeros.then(|| (units.iter().step_by(2).copied().collect(), length))
}

/// The first is read from the byte before its `#` on.
fn in_entities(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut spelled, mut at) = (Vec::new(), 1);
    for place in 0..CANARY_LEN {
        let ampersands: [&[u8]; 6] =
            [b"&amp;", b"&", br"\u0026", br"\\u0026", br"\\\u0026", br"\\\\u0026"];
        if place > 0 {
            at += ampersands.iter().find(|all| text[at..].starts_with(all))?.len();
        }
        let end = at + text[at..].iter().take(8).position(|&byte| byte == b';')?;
        let number = str::from_utf8(&text[at..end]).ok()?.strip_prefix('#')?;
        let (radix, digits) = match number.strip_prefix(['x', 'X']) {
            Some(digits) => (16, digits),
            None => (10, number),
        };
        let fits = digits.len() <= 4 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        spelled.push(u8::from_str_radix(Some(digits).filter(|_| fits)?, radix).ok()?);
        at = end + 1;
    }
    Some((spelled, at))
}

//! Decodes what stands at a place where a canary may start.

use super::magic::Shape;
use super::mint::{CANARY_LEN, fits};

/// A `\uXXXX` in JSON in JSON starts with four backslashes.
const MOST_BACKSLASHES: usize = 4;

/// The most bytes that a canary's encoding takes: all characters as HTML entities whose `&` is
/// escaped, two JSON strings deep.
pub(super) const LONGEST_ENCODED: usize = CANARY_LEN * (MOST_BACKSLASHES + 10);

/// What the bytes at a candidate spell.
pub(super) enum Decoded {
    /// A text, and how many bytes it took.
    Text([u8; CANARY_LEN], usize),
    /// It takes at least that many bytes.
    Short(usize),
    Nothing,
}

pub(super) fn decode(text: &[u8], shape: Shape) -> Decoded {
    match shape {
        Shape::Plain => fixed(text, |text| Some(*text)),
        Shape::Percent => fixed(text, percent),
        Shape::UnicodeEscape => one_by_one(text, unicode_escape),
        Shape::Entity => one_by_one(text, entity),
        Shape::Utf16 => utf16(text),
        Shape::Hex => {
            let bytes = packed(text.iter().map(|&digit| hex(digit)), 4, 0);
            spelled(bytes, text, 2 * CANARY_LEN)
        }
        Shape::Base32(bytes_before) => {
            let foreign = usize::from(bytes_before) * 8 % 5;
            let bytes = packed(text.iter().map(|&digit| base32(digit)), 5, foreign);
            spelled(bytes, text, length_of(CANARY_LEN, 5, foreign))
        }
        Shape::Base64(alignment) => {
            let foreign = alignment.bits_before();
            let bytes = packed(text.iter().map(|&character| base64(character)), 6, foreign);
            spelled(bytes, text, length_of(CANARY_LEN, 6, foreign))
        }
        Shape::Base64Twice(inner, outer) => {
            let (foreign, of_inner) = (outer.bits_before(), inner.bits_before());
            let characters = packed(text.iter().map(|&character| base64(character)), 6, foreign);
            let bytes = packed(characters.map(|character| base64(character?)), 6, of_inner);
            let length = length_of(length_of(CANARY_LEN, 6, of_inner), 6, foreign);
            spelled(bytes, text, length)
        }
    }
}

/// How many characters of so many bits spell those bytes behind the foreign bits.
fn length_of(bytes: usize, width: usize, foreign: usize) -> usize {
    (8 * bytes + foreign).div_ceil(width)
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

/// The canary of those bytes, which take `length` bytes of the text.
fn spelled(bytes: impl Iterator<Item = Option<u8>>, text: &[u8], length: usize) -> Decoded {
    let mut canary = [0; CANARY_LEN];
    let mut place = 0;
    for byte in bytes.take(CANARY_LEN) {
        match byte {
            Some(byte) if fits(byte, place) => canary[place] = byte,
            _ => return Decoded::Nothing,
        }
        place += 1;
    }
    // The last character may lack where the last byte has come.
    if place < CANARY_LEN || text.len() < length {
        return Decoded::Short(length);
    }
    Decoded::Text(canary, length)
}

/// The bytes of which each value has so many bits, the first behind foreign ones. What is no value
/// is none, and so is every byte with bits of it.
fn packed(
    values: impl Iterator<Item = Option<u8>>,
    width: usize,
    foreign: usize,
) -> impl Iterator<Item = Option<u8>> {
    let mut values = values.fuse();
    let (mut bits, mut count, mut skip) = (0_u32, 0, foreign);
    std::iter::from_fn(move || {
        while count < 8 {
            let Some(value) = values.next()? else { return Some(None) };
            bits = bits << width | u32::from(value);
            count += width - skip;
            skip = 0;
        }
        count -= 8;
        Some(Some((bits >> count) as u8))
    })
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

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

fn hex_byte(high: u8, low: u8) -> Option<u8> {
    Some(hex(high)? << 4 | hex(low)?)
}

/// Of RFC 4648, in either case.
fn base32(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a'),
        b'2'..=b'7' => Some(digit - b'2' + 26),
        _ => None,
    }
}

fn base64(character: u8) -> Option<u8> {
    Some(match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        // Only the last character can be one of the other two, by the bits of the byte after the
        // canary. What counts of it is the same for both, so it does not matter if it is escaped
        // (`\/` in JSON, `%2B` in URLs).
        b'+' | b'-' | b'/' | b'_' | b'\\' | b'%' => 63,
        _ => return None,
    })
}

/// Every second byte; those between are zero, in either order.
fn utf16(text: &[u8]) -> Decoded {
    let mut canary = [0; CANARY_LEN];
    for (place, byte) in canary.iter_mut().enumerate() {
        let zero = place == 0 || text.get(2 * place - 1).is_none_or(|&zero| zero == 0);
        match text.get(2 * place) {
            None if zero => return Decoded::Short(2 * CANARY_LEN - 1),
            Some(&character) if zero && fits(character, place) => *byte = character,
            _ => return Decoded::Nothing,
        }
    }
    Decoded::Text(canary, 2 * CANARY_LEN - 1)
}

/// One character of a form in which they are of different lengths.
enum Character {
    /// The character, and how many bytes it took.
    Is(u8, usize),
    /// The text ends in it; each of the others takes at least so many bytes.
    Cut(usize),
    Wrong,
}

fn one_by_one(text: &[u8], read: impl Fn(&[u8], usize) -> Character) -> Decoded {
    let mut canary = [0; CANARY_LEN];
    let mut at = 0;
    for (place, own) in canary.iter_mut().enumerate() {
        match read(&text[at..], place) {
            Character::Is(character, length) if fits(character, place) => {
                *own = character;
                at += length;
            }
            Character::Cut(shortest) => {
                return Decoded::Short((at + (CANARY_LEN - place) * shortest).max(text.len() + 1));
            }
            _ => return Decoded::Nothing,
        }
    }
    Decoded::Text(canary, at)
}

fn backslashes(text: &[u8]) -> usize {
    text.iter().take(MOST_BACKSLASHES).take_while(|&&byte| byte == b'\\').count()
}

fn unicode_escape(text: &[u8], _: usize) -> Character {
    let backslashes = backslashes(text);
    let Some(escape) = text[backslashes..].first_chunk::<5>() else { return Character::Cut(6) };
    match *escape {
        [b'u', b'0', b'0', high, low] if backslashes > 0 => match hex_byte(high, low) {
            Some(character) => Character::Is(character, backslashes + 5),
            None => Character::Wrong,
        },
        _ => Character::Wrong,
    }
}

/// `&#112;` or `&#x70;`, whose `&` may be escaped. The first is read from its last byte on.
fn entity(text: &[u8], place: usize) -> Character {
    const SHORTEST: usize = "&#49;".len();
    let backslashes = backslashes(text);
    let ampersand: &[u8] = match text.get(backslashes) {
        _ if place == 0 => &text[..text.len().min(1)],
        None => return Character::Cut(SHORTEST),
        Some(b'u') if backslashes > 0 => b"u0026",
        Some(b'&') if backslashes == 0 && text.get(1) == Some(&b'a') => b"&amp;",
        _ => b"&",
    };
    let backslashes = if place == 0 { 0 } else { backslashes };
    let rest = &text[backslashes..];
    let Some(digits) = rest.strip_prefix(ampersand) else {
        let is_cut = ampersand.starts_with(rest);
        return if is_cut { Character::Cut(SHORTEST) } else { Character::Wrong };
    };
    let (radix, digits) = match digits {
        [] | [b'#'] => return Character::Cut(SHORTEST),
        [b'#', b'x' | b'X', digits @ ..] => (16, digits),
        [b'#', digits @ ..] => (10, digits),
        _ => return Character::Wrong,
    };
    let length = digits.iter().take(4).take_while(|digit| digit.is_ascii_hexdigit()).count();
    let Some(b';') = digits.get(length) else {
        let is_cut = digits.len() == length && length < 4;
        return if is_cut { Character::Cut(SHORTEST) } else { Character::Wrong };
    };
    let number = str::from_utf8(&digits[..length]).ok();
    match number.and_then(|number| u8::from_str_radix(number, radix).ok()) {
        Some(character) => {
            let all = text.len() - digits.len() + length + 1;
            Character::Is(character, all)
        }
        None => Character::Wrong,
    }
}

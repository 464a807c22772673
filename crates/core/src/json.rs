//! Reads a JSON text in one pass: what stands where is told to a visitor, and no tree is built.
//!
//! It takes what `serde_json` takes and refuses what that refuses, and is a few times as fast on the
//! short messages that servers send. What is written in an unusual way (escapes, fractions) is
//! handed to `serde_json` itself.

use std::borrow::Cow;

use super::members::Begin;

/// So deep may objects and arrays be nested, as in `serde_json`.
const DEEPEST: u8 = 127;

/// The longest run of digits that is read here; every number of that length fits.
const MOST_DIGITS: usize = 18;

/// Is told what stands in a text, in its order. What is told of a text that turns out to be no JSON
/// is not to be used.
pub trait Visitor<'j> {
    /// A place in the text.
    type Place: Copy;

    /// An object begins.
    fn object(&mut self, at: Self::Place);

    /// A member of an object begins; gives its place. `last` is the member before it.
    fn member(&mut self, object: Self::Place, last: Option<Self::Place>, name: &str)
    -> Self::Place;

    /// The member that mostly comes after `last`, and how it mostly begins. Nothing else than its name
    /// may be written like that, so the name holds neither quotes nor backslashes. If it does begin like
    /// that, it is not told as a [`member`](Self::member).
    fn expected(
        &self,
        _object: Self::Place,
        _last: Option<Self::Place>,
    ) -> Option<(&Begin, Self::Place)> {
        None
    }

    /// An element of an array may follow; gives its place. Told once more than there are elements.
    fn element(&mut self, array: Self::Place, index: usize) -> Self::Place;

    /// A string.
    fn text(&mut self, at: Self::Place, text: Cow<'j, str>);

    /// A whole number that is not negative. What else is no string, object or array is not told.
    fn number(&mut self, at: Self::Place, number: u64);
}

/// Reads the text; false if it is no JSON, or nested deeper than anybody nests.
pub fn read<'j, V: Visitor<'j>>(text: &'j str, root: V::Place, visitor: &mut V) -> bool {
    let mut input = Input { text, bytes: text.as_bytes(), at: 0, room: DEEPEST, visitor };
    let whole = input.value(root).is_some();
    input.skip_space();
    whole && input.at == text.len()
}

struct Input<'j, 'v, V> {
    text: &'j str,
    bytes: &'j [u8],
    at: usize,
    /// How much deeper it may still be nested.
    room: u8,
    visitor: &'v mut V,
}

impl<'j, V: Visitor<'j>> Input<'j, '_, V> {
    fn value(&mut self, place: V::Place) -> Option<()> {
        self.skip_space();
        match *self.bytes.get(self.at)? {
            b'"' => {
                let text = self.string()?;
                self.visitor.text(place, text);
                Some(())
            }
            b'{' => self.nested(|input| input.object(place)),
            b'[' => self.nested(|input| input.array(place)),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => self.number(place),
        }
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Option<()>) -> Option<()> {
        self.room = self.room.checked_sub(1)?;
        self.at += 1;
        read(self)?;
        self.room += 1;
        Some(())
    }

    fn object(&mut self, place: V::Place) -> Option<()> {
        self.visitor.object(place);
        let mut last = None;
        if self.takes(b'}') {
            return Some(());
        }
        loop {
            self.skip_space();
            let member = match self.expected_member(place, last) {
                Some(member) => member,
                None => self.member(place, last)?,
            };
            self.value(member)?;
            last = Some(member);
            if !self.another_before(b'}')? {
                return Some(());
            }
        }
    }

    /// Goes on behind the colon of the member that mostly comes next, if it does come.
    fn expected_member(&mut self, object: V::Place, last: Option<V::Place>) -> Option<V::Place> {
        let (begin, member) = self.visitor.expected(object, last)?;
        self.at += begin.length_in(self.bytes.get(self.at..)?)?;
        Some(member)
    }

    /// Goes on behind the colon of the next member.
    fn member(&mut self, object: V::Place, last: Option<V::Place>) -> Option<V::Place> {
        if self.bytes.get(self.at) != Some(&b'"') {
            return None;
        }
        let name = self.string()?;
        let member = self.visitor.member(object, last, &name);
        self.takes(b':').then_some(member)
    }

    fn array(&mut self, place: V::Place) -> Option<()> {
        let mut index = 0;
        let mut element = self.visitor.element(place, index);
        if self.takes(b']') {
            return Some(());
        }
        loop {
            self.value(element)?;
            index += 1;
            element = self.visitor.element(place, index);
            if !self.another_before(b']')? {
                return Some(());
            }
        }
    }

    /// Whether another one follows; nothing if neither a comma nor the end does.
    fn another_before(&mut self, end: u8) -> Option<bool> {
        if self.takes(b',') {
            return Some(true);
        }
        self.takes(end).then_some(false)
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    /// Goes on behind that byte, if it comes next.
    fn takes(&mut self, byte: u8) -> bool {
        if self.bytes.get(self.at) != Some(&byte) {
            self.skip_space();
            if self.bytes.get(self.at) != Some(&byte) {
                return false;
            }
        }
        self.at += 1;
        true
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.bytes[self.at..].starts_with(word.as_bytes()).then(|| self.at += word.len())
    }

    fn number(&mut self, place: V::Place) -> Option<()> {
        let rest = &self.bytes[self.at..];
        let belongs = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let length = rest.iter().take_while(belongs).count();
        let written = &self.text[self.at..self.at + length];
        let digits = &rest[..length];
        let plain = (1..=MOST_DIGITS).contains(&length)
            && digits.iter().all(u8::is_ascii_digit)
            && (length == 1 || digits[0] != b'0');
        let number = match plain {
            true => Some(digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'))),
            false => serde_json::from_str::<serde_json::Number>(written).ok()?.as_u64(),
        };
        if let Some(number) = number {
            self.visitor.number(place, number);
        }
        self.at += length;
        Some(())
    }

    /// Reads the string whose first quote comes next.
    fn string(&mut self) -> Option<Cow<'j, str>> {
        let begin = self.at + 1;
        let end = begin + plain_length(&self.bytes[begin..]);
        match self.bytes.get(end)? {
            b'"' => {
                self.at = end + 1;
                Some(Cow::Borrowed(&self.text[begin..end]))
            }
            b'\\' => self.escaped(end),
            _ => None,
        }
    }

    /// Reads the string whose first quote comes next, and whose first backslash stands there.
    fn escaped(&mut self, backslash: usize) -> Option<Cow<'j, str>> {
        let mut end = backslash;
        while self.bytes.get(end)? == &b'\\' {
            end += 2;
            end += plain_length(self.bytes.get(end..)?);
        }
        // What is no quote there, or no escape before it, is refused below.
        let text = serde_json::from_str(self.text.get(self.at..=end)?).ok()?;
        self.at = end + 1;
        Some(Cow::Owned(text))
    }
}

/// Whether the two are equal; names are short, and the library's comparison takes longer to begin.
pub fn same(one: &[u8], other: &[u8]) -> bool {
    // Those that come first and those that come last, which overlap.
    fn ends<const N: usize>(bytes: &[u8]) -> (Option<&[u8; N]>, Option<&[u8; N]>) {
        (bytes.first_chunk(), bytes.last_chunk())
    }
    match one.len() {
        length if length != other.len() => false,
        0..4 => one.iter().zip(other).all(|(one, other)| one == other),
        4..8 => ends::<4>(one) == ends::<4>(other),
        8..16 => ends::<8>(one) == ends::<8>(other),
        16..=32 => ends::<16>(one) == ends::<16>(other),
        _ => one == other,
    }
}

/// Names and ids are mostly not longer, in bytes; so many are looked at together, since to guess how
/// long each is costs more.
const SHORT: usize = 16;

/// How many bytes there are before the first quote, backslash or control character.
fn plain_length(bytes: &[u8]) -> usize {
    let mut length = 0;
    while let Some(chunk) = bytes[length..].first_chunk::<SHORT>() {
        let both = u128::from_le_bytes(*chunk);
        let [one, other] = [both as u64, (both >> 64) as u64].map(specials);
        let found = u128::from(other) << 64 | u128::from(one);
        if found != 0 {
            return length + found.trailing_zeros() as usize / 8;
        }
        length += SHORT;
        if length == SHORT {
            length += plain_chunks(&bytes[length..]);
        }
    }
    let rest = &bytes[length..];
    length + rest.iter().take_while(|&&byte| !is_special(byte)).count()
}

/// How many bytes there are in the chunks before the first one that holds a quote, a backslash or a
/// control character: the compiler has the processor look at a chunk at once.
fn plain_chunks(bytes: &[u8]) -> usize {
    let chunks = bytes.as_chunks::<32>().0.iter();
    let plain = |chunk: &&[u8; 32]| {
        chunk.iter().fold(0, |found, &byte| found | u8::from(is_special(byte))) == 0
    };
    32 * chunks.take_while(plain).count()
}

fn is_special(byte: u8) -> bool {
    (byte < b' ') | (byte == b'"') | (byte == b'\\')
}

/// The first of eight bytes that is a quote, a backslash or a control character.
pub(super) fn first_special(word: u64) -> Option<usize> {
    let found = specials(word);
    (found != 0).then(|| found.trailing_zeros() as usize / 8)
}

/// The highest bit of each of eight bytes that is a quote, a backslash or a control character; of those
/// behind the first one perhaps others, too.
fn specials(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGH: u64 = ONES << 7;
    // The lowest bit that is set is right: a borrow only goes upwards.
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let quote = zero(word ^ (ONES * u64::from(b'"')));
    let backslash = zero(word ^ (ONES * u64::from(b'\\')));
    let control = word.wrapping_sub(ONES * u64::from(b' ')) & !word;
    (quote | backslash | control) & HIGH
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use serde_json::Value;

    /// Makes the tree again, and expects the members that it met before to come again.
    #[derive(Default)]
    struct Flat {
        values: Vec<(usize, String)>,
        names: Vec<String>,
        /// By object and the member before: how the next one begins, and its place.
        next: BTreeMap<(usize, Option<usize>), (Begin, usize)>,
    }

    impl Flat {
        fn read(&mut self, json: &[u8]) -> Option<Vec<(String, String)>> {
            self.values.clear();
            if self.names.is_empty() {
                self.names.push(String::new());
            }
            let whole = std::str::from_utf8(json).is_ok_and(|text| read(text, 0, self));
            let named =
                self.values.iter().map(|(at, value)| (self.names[*at].clone(), value.clone()));
            whole.then(|| named.collect())
        }
    }

    impl<'j> Visitor<'j> for Flat {
        type Place = usize;

        fn object(&mut self, at: usize) {
            self.values.push((at, "{}".into()));
        }

        fn member(&mut self, object: usize, last: Option<usize>, name: &str) -> usize {
            self.names.push(format!("{}/{name}", self.names[object]));
            let place = self.names.len() - 1;
            if serde_json::to_string(name).expect("a string").len() == name.len() + 2 {
                self.next.insert((object, last), (Begin::of(name), place));
            }
            place
        }

        fn expected(&self, object: usize, last: Option<usize>) -> Option<(&Begin, usize)> {
            self.next.get(&(object, last)).map(|(begin, place)| (begin, *place))
        }

        fn element(&mut self, array: usize, index: usize) -> usize {
            let name = format!("{}#{index}", self.names[array]);
            match self.names.iter().position(|known| *known == name) {
                Some(known) => known,
                None => {
                    self.names.push(name);
                    self.names.len() - 1
                }
            }
        }

        fn text(&mut self, at: usize, text: Cow<'j, str>) {
            self.values.push((at, format!("{text:?}")));
        }

        fn number(&mut self, at: usize, number: u64) {
            self.values.push((at, number.to_string()));
        }
    }

    /// The same by `serde_json`, whose trees keep only the last of two members with one name.
    fn read_there(json: &[u8]) -> Option<Vec<(String, String)>> {
        fn walk(value: &Value, at: String, found: &mut Vec<(String, String)>) {
            match value {
                Value::Object(members) => {
                    found.push((at.clone(), "{}".into()));
                    for (name, value) in members {
                        walk(value, format!("{at}/{name}"), found);
                    }
                }
                Value::Array(elements) => {
                    for (index, value) in elements.iter().enumerate() {
                        walk(value, format!("{at}#{index}"), found);
                    }
                }
                Value::String(text) => found.push((at, format!("{text:?}"))),
                Value::Number(number) => {
                    found.extend(number.as_u64().map(|number| (at, number.to_string())));
                }
                Value::Bool(_) | Value::Null => {}
            }
        }
        let mut found = Vec::new();
        walk(&serde_json::from_slice(json).ok()?, String::new(), &mut found);
        Some(found)
    }

    /// Whether it is read alike here and there, before and after others like it were read.
    fn agree(json: &[u8], others: &[&[u8]]) {
        let sorted = |found: Option<Vec<(String, String)>>| {
            found.map(|found| found.into_iter().collect::<BTreeMap<_, _>>())
        };
        let there = sorted(read_there(json));
        let mut flat = Flat::default();
        for read_before in [&[][..], others] {
            read_before.iter().for_each(|other| _ = flat.read(other));
            let here = sorted(flat.read(json));
            assert_eq!(here, there, "{:?}", String::from_utf8_lossy(json));
        }
    }

    const TEXTS: &[&str] = &[
        r#"{"type":"agent_started","user_id":"user-1","sequence":12,"nested":{"a":[1,"b",{}]}}"#,
        "{\"ee\":\"\\u00e9\\n\\\\\\\"\",\"\\u0061a\":\"\\ud83d\\ude00 é\", \"cc\" : [ ] , \"dd\":{ } }",
        r#"[0,7,18446744073709551615,18446744073709551616,-1,-0,1.5,1e3,123456789012345678,true]"#,
        r#" { "a" : null , "b" : false , "long" : "abcdefghijklmnopqrstuvwxyz0123456789" } "#,
        "\"just a text\"",
        "17",
        "\t[[[[\"deep\"]]]]\r\n",
    ];

    #[test]
    fn each_text_and_what_becomes_of_it_by_one_byte_is_read_as_serde_json_reads_it() {
        let bytes = b"\"\\{}[]:,0123456789.eE+-truefalsnul \t\n\x00\x1f\x7f\x80\xc3\xa9\xffu/a";
        for text in TEXTS {
            let whole = text.as_bytes();
            agree(whole, &[whole]);
            assert!(Flat::default().read(whole).is_some());
            for at in 0..=text.len() {
                agree(&text.as_bytes()[..at], &[whole]);
                for &byte in bytes {
                    let mut changed = text.as_bytes().to_vec();
                    changed.insert(at, byte);
                    agree(&changed, &[whole, &changed.clone(), whole]);
                    if at < text.len() {
                        changed.remove(at + 1);
                        agree(&changed, &[whole]);
                    }
                }
            }
        }
    }

    #[test]
    fn so_deep_and_no_deeper() {
        for depth in [126, 127, 128, 129, 1 << 20] {
            agree(format!("{}{}", "[".repeat(depth), "]".repeat(depth)).as_bytes(), &[]);
            agree(format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth)).as_bytes(), &[]);
            let wide = vec!["[[]]"; depth.min(300)].join(",");
            agree(format!("[{wide}]").as_bytes(), &[]);
        }
        assert!(Flat::default().read("[".repeat(1 << 20).as_bytes()).is_none());
    }

    #[test]
    fn names_are_the_same_if_all_their_bytes_are() {
        for length in 0..70 {
            let name: Vec<u8> = (0..length).map(|at| b'!' + at as u8).collect();
            assert!(same(&name, &name.clone()));
            for at in 0..length {
                let mut other = name.clone();
                other[at] ^= 1;
                assert!(!same(&name, &other), "{length} at {at}");
            }
            assert!(!same(&name, &[&name[..], b"x"].concat()));
        }
    }

    #[test]
    fn the_first_special_byte_is_found_wherever_it_stands() {
        for special in 0..=255_u8 {
            for at in 0..140 {
                for filler in [b' ', b'a', 0x7f, 0x80, 0xff] {
                    let mut bytes = [filler; 140];
                    bytes[at] = special;
                    let ends = |&byte: &u8| byte < b' ' || byte == b'"' || byte == b'\\';
                    let expected = bytes.iter().position(ends).unwrap_or(140);
                    assert_eq!(plain_length(&bytes), expected, "{special} at {at}");
                }
            }
        }
    }
}

//! What stands at a few JSON pointers of a text, in one pass and without building a tree.

use std::borrow::Cow;

use super::json::{self, Visitor};

/// A few JSON pointers, taken apart. An empty one, and what is no pointer, finds nothing.
#[derive(Clone, Debug)]
pub struct Pointers<const N: usize>([Vec<Token>; N]);

#[derive(Clone, Debug)]
struct Token {
    name: String,
    /// The same as the number of an array's element.
    index: Option<usize>,
}

impl<const N: usize> Default for Pointers<N> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Vec::new()))
    }
}

impl<const N: usize> Pointers<N> {
    /// Takes the pointers apart. At most eight.
    pub fn new(pointers: [&str; N]) -> Self {
        const { assert!(N <= 8) };
        Self(pointers.map(|pointer| match pointer.strip_prefix('/') {
            None => Vec::new(),
            Some(rest) => rest.split('/').map(Token::new).collect(),
        }))
    }

    /// The text or the whole number, not negative, that stands at each, of two with one name the
    /// last; none if the text is no JSON.
    pub fn read<'j>(&self, text: &'j str) -> Option<[Option<Cow<'j, str>>; N]> {
        let found = std::array::from_fn(|_| None);
        let mut walk = Walk { pointers: &self.0, found };
        let root = Place { on_the_way: u8::MAX, depth: 0 };
        json::read(text, root, &mut walk).then_some(walk.found)
    }
}

impl Token {
    fn new(token: &str) -> Self {
        let name = token.replace("~1", "/").replace("~0", "~");
        // As `serde_json` has it: no sign, and no zero before another digit.
        let is_number = token.bytes().all(|byte| byte.is_ascii_digit())
            && (token.len() == 1 || !token.starts_with('0'));
        let index = token.parse().ok().filter(|_| is_number);
        Self { name, index }
    }
}

/// The pointers that lead through a place, a bit for each, and how deep it is.
#[derive(Clone, Copy)]
struct Place {
    on_the_way: u8,
    depth: u8,
}

struct Walk<'p, 'j, const N: usize> {
    pointers: &'p [Vec<Token>; N],
    found: [Option<Cow<'j, str>>; N],
}

impl<'j, const N: usize> Walk<'_, 'j, N> {
    fn below(&self, place: Place, is_it: impl Fn(&Token) -> bool) -> Place {
        let mut on_the_way = 0;
        if place.on_the_way != 0 {
            for (at, tokens) in self.pointers.iter().enumerate() {
                let leads_on = place.on_the_way & (1 << at) != 0
                    && tokens.get(usize::from(place.depth)).is_some_and(&is_it);
                on_the_way |= u8::from(leads_on) << at;
            }
        }
        Place { on_the_way, depth: place.depth.saturating_add(1) }
    }

    fn found(&mut self, place: Place, value: Cow<'j, str>) {
        if place.on_the_way == 0 {
            return;
        }
        for (at, tokens) in self.pointers.iter().enumerate() {
            let ends = !tokens.is_empty() && tokens.len() == usize::from(place.depth);
            if ends && place.on_the_way & (1 << at) != 0 {
                self.found[at] = Some(value.clone());
            }
        }
    }
}

impl<'j, const N: usize> Visitor<'j> for Walk<'_, 'j, N> {
    type Place = Place;

    fn object(&mut self, _: Place) {}

    fn member(&mut self, object: Place, _: Option<Place>, name: &str) -> Place {
        self.below(object, |token| token.name == name)
    }

    fn element(&mut self, array: Place, index: usize) -> Place {
        self.below(array, |token| token.index == Some(index))
    }

    fn text(&mut self, at: Place, text: Cow<'j, str>) {
        self.found(at, text);
    }

    fn number(&mut self, at: Place, number: u64) {
        if at.on_the_way != 0 {
            self.found(at, Cow::Owned(number.to_string()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn each_finds_what_a_tree_would() {
        let pointers = ["/a", "/b/1/c", "/x~1y", "/0/run", "/a~0", "", "no pointer", "/b/01"];
        let texts = [
            r#"{"a":"one","b":[{"c":"no"},{"c":7}],"x/y":"slash","a~":"tilde"}"#,
            r#"{"b":[0,{"d":{},"c":"\u0041\n"}],"a":"first","a":"last"}"#,
            r#"[{"run":"r1"},{"a":"no"}]"#,
            r#"{"0":{"run":"by name"},"a":{"a":"deeper"},"b":{"1":{"c":"c"}}}"#,
            r#"{"a":true,"b":null,"x/y":[]}"#,
            "\"text\"",
            "17",
        ];
        let mut found = 0;
        for text in texts {
            let read = Pointers::new(pointers).read(text).expect("JSON");
            let tree: Value = serde_json::from_str(text).expect("JSON");
            for (pointer, here) in pointers.iter().zip(read) {
                let there = match tree.pointer(pointer).filter(|_| !pointer.is_empty()) {
                    Some(Value::String(text)) => Some(text.clone()),
                    Some(Value::Number(number)) => Some(number.to_string()),
                    _ => None,
                };
                assert_eq!(here.as_deref(), there.as_deref(), "{pointer} in {text}");
                found += usize::from(there.is_some());
            }
        }
        assert_eq!(found, 9);
        assert!(Pointers::new(["/a"]).read("{\"a\":1").is_none());
    }
}

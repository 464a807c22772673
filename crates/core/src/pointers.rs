//! What stands at a few JSON pointers of a text, in one pass and without building a tree.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use super::json::{self, Visitor};
use super::members::{Begin, Member, Members};

/// Members of longer names, in bytes, are not known again, but for those that a pointer names.
const LONGEST_NAME: usize = 64;

/// A few JSON pointers. An empty one, and what is no pointer, finds nothing. Clones share what they
/// have learnt of the texts so far, which changes nothing but how fast the next is read.
#[derive(Clone, Debug)]
pub struct Pointers<const N: usize> {
    pointers: [String; N],
    places: Arc<Mutex<Places>>,
}

/// What stands at a pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'j> {
    /// A text.
    Text(Cow<'j, str>),
    /// A whole number, not negative.
    Number(u64),
}

impl<'j> Found<'j> {
    /// It as text.
    pub fn into_text(self) -> Cow<'j, str> {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => Cow::Owned(number.to_string()),
        }
    }

    /// The same, whether the text stays or not.
    pub fn into_owned(self) -> Found<'static> {
        match self {
            Self::Text(text) => Found::Text(Cow::Owned(text.into_owned())),
            Self::Number(number) => Found::Number(number),
        }
    }

    /// It as a number, also where it is written as a text.
    pub fn number(&self) -> Option<u64> {
        match self {
            Self::Text(text) => text.parse().ok(),
            Self::Number(number) => Some(*number),
        }
    }
}

/// The members that texts had so far; those that pointers lead to are the first.
#[derive(Debug, Default)]
struct Places {
    members: Members,
    /// Of each of the first members what is asked for there.
    asked: Vec<Asked>,
}

#[derive(Clone, Debug, Default)]
struct Asked {
    /// The pointers that end there, a bit for each.
    ends: u8,
    /// The elements that are asked for, where an array stands there.
    elements: Vec<(usize, Member)>,
}

impl<const N: usize> Default for Pointers<N> {
    fn default() -> Self {
        Self::new([""; N])
    }
}

impl<const N: usize> Pointers<N> {
    /// Takes the pointers apart. At most eight.
    pub fn new(pointers: [&str; N]) -> Self {
        const { assert!(N <= 8) };
        let places = Arc::new(Mutex::new(Places::of(&pointers)));
        Self { pointers: pointers.map(str::to_owned), places }
    }

    /// The text or the whole number, not negative, that stands at each, of two with one name the
    /// last; none if the text is no JSON.
    pub fn read<'j>(&self, text: &'j str) -> Option<[Option<Found<'j>>; N]> {
        // One that was left in the middle of a text has learnt less, and nothing wrong.
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.members.is_full() {
            // What fills it never comes again.
            *places = Places::of(&self.pointers);
        }
        let mut walk = Walk { places: &mut places, found: std::array::from_fn(|_| None) };
        json::read(text, Member::ROOT, &mut walk).then_some(walk.found)
    }
}

impl Places {
    fn of(pointers: &[impl AsRef<str>]) -> Self {
        let tokens = |pointer: &str| -> Vec<String> {
            let named = pointer.strip_prefix('/').map(|rest| rest.split('/'));
            let plain = |token: &str| token.replace("~1", "/").replace("~0", "~");
            named.into_iter().flatten().map(plain).collect()
        };
        let pointers: Vec<_> = pointers.iter().map(|pointer| tokens(pointer.as_ref())).collect();
        let longest = pointers.iter().flatten().map(String::len).max().unwrap_or_default();
        let members = Members::of_names_up_to(longest.max(LONGEST_NAME));
        let mut places = Self { asked: vec![Asked::default(); members.count()], members };
        for (number, tokens) in pointers.iter().enumerate().filter(|(_, own)| !own.is_empty()) {
            let place = tokens.iter().fold(Member::ROOT, |at, token| places.ask(at, token));
            if place == Member::ELSEWHERE {
                // A pointer of thousands of names: no text is nested as deep.
                continue;
            }
            places.asked[place.number()].ends |= 1 << number;
        }
        places
    }

    /// The place of that name, or of the element of that number.
    fn ask(&mut self, at: Member, token: &str) -> Member {
        let child = self.members.child(at, token);
        self.asked.resize(self.members.count(), Asked::default());
        // As `serde_json` has it: no sign, and no zero before another digit.
        let is_number = token.bytes().all(|byte| byte.is_ascii_digit())
            && (token.len() == 1 || !token.starts_with('0'));
        if let (true, Ok(index)) = (is_number, token.parse()) {
            let elements = &mut self.asked[at.number()].elements;
            if !elements.contains(&(index, child)) {
                elements.push((index, child));
            }
        }
        child
    }
}

struct Walk<'p, 'j, const N: usize> {
    places: &'p mut Places,
    found: [Option<Found<'j>>; N],
}

impl<'j, const N: usize> Walk<'_, 'j, N> {
    fn found(&mut self, place: Member, value: Found<'j>) {
        let ends = self.places.asked.get(place.number()).map_or(0, |asked| asked.ends);
        if ends.is_power_of_two() {
            self.found[ends.trailing_zeros() as usize] = Some(value);
        } else if ends != 0 {
            for (at, found) in self.found.iter_mut().enumerate() {
                if ends & (1 << at) != 0 {
                    *found = Some(value.clone());
                }
            }
        }
    }
}

impl<'j, const N: usize> Visitor<'j> for Walk<'_, 'j, N> {
    type Place = Member;

    fn object(&mut self, _: Member) {}

    fn member(&mut self, object: Member, last: Option<Member>, name: &str) -> Member {
        self.places.members.next_child(object, last, name)
    }

    fn expected(&self, object: Member, last: Option<Member>) -> Option<(&Begin, Member)> {
        self.places.members.expected(object, last)
    }

    fn element(&mut self, array: Member, index: usize) -> Member {
        let asked = self.places.asked.get(array.number());
        let elements = asked.map_or(&[][..], |asked| &asked.elements);
        let element = elements.iter().find(|(own, _)| *own == index);
        element.map_or(Member::ELSEWHERE, |(_, member)| *member)
    }

    fn text(&mut self, at: Member, text: Cow<'j, str>) {
        self.found(at, Found::Text(text));
    }

    fn number(&mut self, at: Member, number: u64) {
        self.found(at, Found::Number(number));
    }
}

#[cfg(test)]
mod tests {
    use super::super::members::MOST_PLACES;
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
        let pointers_of = Pointers::new(pointers);
        for text in texts.into_iter().chain(texts) {
            let read = pointers_of.read(text).expect("JSON");
            let tree: Value = serde_json::from_str(text).expect("JSON");
            for (pointer, here) in pointers.iter().zip(read) {
                let here = here.map(Found::into_text);
                let there = match tree.pointer(pointer).filter(|_| !pointer.is_empty()) {
                    Some(Value::String(text)) => Some(text.clone()),
                    Some(Value::Number(number)) => Some(number.to_string()),
                    _ => None,
                };
                assert_eq!(here.as_deref(), there.as_deref(), "{pointer} in {text}");
                found += usize::from(there.is_some());
            }
        }
        assert_eq!(found, 18);
        assert!(Pointers::new(["/a"]).read("{\"a\":1").is_none());
    }

    #[test]
    fn what_a_server_makes_up_hides_nothing() {
        let long = "n".repeat(LONGEST_NAME + 1);
        let pointers = Pointers::new([&format!("/{long}"), "/a/*", "/a/0", "/a/0"]);
        for made_up in 0..2 * MOST_PLACES {
            let text = format!(r#"{{"x{made_up}":1,"{long}":"long","a":["first","second"]}}"#);
            let read = pointers.read(&text).expect("JSON");
            let read = read.map(|found| found.map(|found| found.into_text().into_owned()));
            // An element has no name, and two pointers may lead to one place.
            let expected = [Some("long"), None, Some("first"), Some("first")];
            assert_eq!(read.each_ref().map(Option::as_deref), expected, "{made_up}");
        }
        let other = pointers.read(r#"{"a":{"*":2,"0":3}}"#).expect("JSON");
        let numbers = other.map(|found| found.and_then(|found| found.number()));
        assert_eq!(numbers, [None, Some(2), Some(3), Some(3)]);
    }
}

//! The string leaves of a JSON text, in one pass and without building a tree.
//!
//! A tree would keep only the last of two members with the same name, and would cost more than all
//! oracles together.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::seen::owner_in;
use crate::trial::canary::{Owner, Scanner};

/// A place in JSON messages: member names from the root. All elements of an array share one place,
/// so that a text which comes in pieces is one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Path(u32);

const ROOT: Path = Path(0);

/// Where everything is put once a server has used up all places.
const ELSEWHERE: Path = Path(1);

/// No place at all: what a dialect does not name stands nowhere.
pub(super) const NOWHERE: Path = Path(u32::MAX);

/// What an array's elements are called; an object's member of that name shares the place.
const ELEMENT: &str = "*";

/// So many places are told apart. The names are the server's, and it may never stop making them up.
const MOST_PLACES: usize = 4096;

/// What stands at a leaf, of what the oracles ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value<'h> {
    Text(Cow<'h, str>),
    Number(u64),
}

/// All places seen so far, as a tree of names.
#[derive(Debug)]
pub(super) struct Paths {
    nodes: Vec<Node>,
    scanner: Scanner,
    /// The round of the trial that is read.
    round: u32,
}

#[derive(Debug, Default)]
struct Node {
    children: BTreeMap<Box<str>, Path>,
    /// Whether the dialect asks for single elements of an array that stands here.
    indexed: bool,
    /// The canaries in the name itself: it is read once, however often it comes.
    in_name: Vec<Owner>,
}

impl Paths {
    pub(super) fn new(scanner: Scanner, round: u32) -> Self {
        Self { nodes: vec![Node::default(), Node::default()], scanner, round }
    }

    /// The place that a JSON pointer names.
    pub(super) fn pointer(&mut self, pointer: &str) -> Path {
        let mut at = ROOT;
        for token in pointer.split('/').skip(1) {
            if token.bytes().all(|byte| byte.is_ascii_digit()) {
                self.node(at).indexed = true;
            }
            at = self.child(at, &token.replace("~1", "/").replace("~0", "~"));
        }
        at
    }

    fn node(&mut self, at: Path) -> &mut Node {
        &mut self.nodes[at.0 as usize]
    }

    fn child(&mut self, at: Path, name: &str) -> Path {
        if let Some(&child) = self.nodes[at.0 as usize].children.get(name) {
            return child;
        }
        if at == ELSEWHERE || self.nodes.len() >= MOST_PLACES {
            return ELSEWHERE;
        }
        let child = Path(self.nodes.len() as u32);
        let in_name = self.canaries_in(name);
        self.nodes.push(Node { in_name, ..Node::default() });
        self.node(at).children.insert(name.into(), child);
        child
    }

    fn element(&mut self, at: Path, index: usize) -> Path {
        if self.nodes[at.0 as usize].indexed {
            let wanted = &self.nodes[at.0 as usize].children;
            if let Some(&child) = wanted.get(index.to_string().as_str()) {
                return child;
            }
        }
        self.child(at, ELEMENT)
    }

    fn canaries_in(&self, name: &str) -> Vec<Owner> {
        let sightings = self.scanner.scan(name.as_bytes());
        sightings.iter().map(|sighting| owner_in(self.round, sighting)).collect()
    }
}

/// What one JSON text holds.
#[derive(Debug, Default)]
pub(super) struct Leaves<'h> {
    /// Strings and whole numbers, in order.
    pub(super) values: Vec<(Path, Value<'h>)>,
    /// The canaries in names of members.
    pub(super) in_names: Vec<Owner>,
    /// Whether the text is an object.
    pub(super) is_object: bool,
}

impl Leaves<'_> {
    /// The same, apart from the text that it was read from.
    pub(super) fn into_owned<'o>(self) -> Leaves<'o> {
        let owned = |value| match value {
            Value::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Value::Number(number) => Value::Number(number),
        };
        let values = self.values.into_iter().map(|(path, value)| (path, owned(value)));
        Leaves { values: values.collect(), in_names: self.in_names, is_object: self.is_object }
    }
}

/// Reads a JSON text; nothing if it is none, or nested deeper than anybody nests.
pub(super) fn read<'h>(paths: &mut Paths, bytes: &'h [u8]) -> Option<Leaves<'h>> {
    let mut leaves = Leaves::default();
    let mut input = serde_json::Deserializer::from_slice(bytes);
    Walk { paths, at: ROOT, leaves: &mut leaves }.deserialize(&mut input).ok()?;
    input.end().ok()?;
    Some(leaves)
}

struct Walk<'w, 'h> {
    paths: &'w mut Paths,
    at: Path,
    leaves: &'w mut Leaves<'h>,
}

impl<'h> Walk<'_, 'h> {
    fn leaf(self, value: Value<'h>) {
        self.leaves.values.push((self.at, value));
    }
}

impl<'h> DeserializeSeed<'h> for Walk<'_, 'h> {
    type Value = ();

    fn deserialize<D: Deserializer<'h>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_any(self)
    }
}

impl<'h> Visitor<'h> for Walk<'_, 'h> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_borrowed_str<E>(self, text: &'h str) -> Result<(), E> {
        self.leaf(Value::Text(Cow::Borrowed(text)));
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.leaf(Value::Text(Cow::Owned(text.into())));
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.leaf(Value::Number(number));
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'h>>(self, mut input: A) -> Result<(), A::Error> {
        let Self { paths, at, leaves } = self;
        let mut index = 0;
        loop {
            let at = paths.element(at, index);
            if input.next_element_seed(Walk { paths, at, leaves })?.is_none() {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_map<A: MapAccess<'h>>(self, mut input: A) -> Result<(), A::Error> {
        let Self { paths, at, leaves } = self;
        leaves.is_object |= at == ROOT;
        loop {
            let name = Name { paths, at, in_names: &mut leaves.in_names };
            let Some(at) = input.next_key_seed(name)? else { return Ok(()) };
            input.next_value_seed(Walk { paths, at, leaves })?;
        }
    }
}

/// Reads a member's name and says which place it is.
struct Name<'w> {
    paths: &'w mut Paths,
    at: Path,
    in_names: &'w mut Vec<Owner>,
}

impl<'h> DeserializeSeed<'h> for Name<'_> {
    type Value = Path;

    fn deserialize<D: Deserializer<'h>>(self, input: D) -> Result<Path, D::Error> {
        input.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Path;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a member's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Path, E> {
        let child = self.paths.child(self.at, name);
        if child == ELSEWHERE {
            self.in_names.extend(self.paths.canaries_in(name));
        } else {
            self.in_names.extend_from_slice(&self.paths.node(child).in_name);
        }
        Ok(child)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::canary::{CampaignKey, Field, Mint};

    fn paths() -> Paths {
        Paths::new(Scanner::new(CampaignKey::from_seed(7)), 0)
    }

    fn texts(leaves: &Leaves<'_>, at: Path) -> Vec<String> {
        let text = |(path, value): &(Path, Value<'_>)| match value {
            Value::Text(text) if *path == at => Some(text.to_string()),
            Value::Number(number) if *path == at => Some(number.to_string()),
            _ => None,
        };
        leaves.values.iter().filter_map(text).collect()
    }

    #[test]
    fn pointers_reach_members_elements_and_escaped_names() {
        let mut paths = paths();
        let pointers = ["/a", "/b/1/c", "/x~1y", "/a~0"].map(|pointer| paths.pointer(pointer));
        let json = br#"{"a":"\u0041","a":2,"b":[{"c":"no"},{"c":"yes"}],"x/y":"slash","a~":"~"}"#;
        let leaves = read(&mut paths, json).expect("JSON");
        let found = pointers.map(|pointer| texts(&leaves, pointer));
        assert_eq!(found, [vec!["A", "2"], vec!["yes"], vec!["slash"], vec!["~"]]);
        assert!(leaves.is_object);
    }

    #[test]
    fn a_canary_in_a_name_is_seen_each_time_also_when_places_have_run_out() {
        let owner = Owner { user: 1, run: 1, field: Field::Prompt };
        let canary = Mint::new(CampaignKey::from_seed(7)).mint(owner);
        let json = format!(r#"{{"\u0070{}":1}}"#, &canary[1..]);
        let mut paths = paths();
        for _ in 0..2 {
            assert_eq!(read(&mut paths, json.as_bytes()).expect("JSON").in_names, [owner]);
        }
        let mut full = self::paths();
        for name in 0..2 * MOST_PLACES {
            read(&mut full, format!(r#"{{"{name}":""}}"#).as_bytes()).expect("JSON");
        }
        assert_eq!(full.nodes.len(), MOST_PLACES);
        assert_eq!(read(&mut full, json.as_bytes()).expect("JSON").in_names, [owner]);
    }

    #[test]
    fn what_is_no_json_is_refused() {
        let deep = "[".repeat(1 << 20);
        for text in ["", "{", "{}x", "\"\\ud800\"", "\u{0}", &deep] {
            assert!(read(&mut paths(), text.as_bytes()).is_none());
        }
        assert!(read(&mut paths(), b"\"\xff\"").is_none());
    }
}

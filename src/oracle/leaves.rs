//! The string leaves of a JSON text, in one pass and without building a tree.
//!
//! A tree would keep only the last of two members with the same name, and would cost more than all
//! oracles together.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::seen::owner_in;
use crate::trial::canary::{Owner, Scanner};
use crate::trial::json::{self, Visitor};
use crate::trial::reader::{Json, Payload};

/// A place in JSON messages: member names from the root. All elements of an array share one place,
/// so that a text which comes in pieces is one text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Path(u32);

#[cfg(test)]
impl Path {
    /// Some places.
    pub(super) fn some<const N: usize>() -> [Self; N] {
        std::array::from_fn(|at| Self(at as u32))
    }
}

const ROOT: Path = Path(0);

/// Where everything is put once a server has used up all places.
const ELSEWHERE: Path = Path(1);

/// No place at all: what a dialect does not name stands nowhere.
const NOWHERE: Path = Path(u32::MAX);

/// What an array's elements are called; an object's member of that name shares the place.
const ELEMENT: &str = "*";

/// So many places are told apart. The names are the server's, and it may never stop making them up.
const MOST_PLACES: usize = 4096;

/// What the dialect asks for at a place: a set, since two pointers may name one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Roles(pub(super) u8);

impl Roles {
    pub(super) fn has(self, role: Self) -> bool {
        self.0 & role.0 != 0
    }

    /// Each of them alone.
    pub(super) fn each(self) -> impl Iterator<Item = Self> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let lowest = left & left.wrapping_neg();
            left ^= lowest;
            (lowest != 0).then_some(Self(lowest))
        })
    }
}

/// What stands at a leaf, of what the oracles ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value<'h> {
    Text(Cow<'h, str>),
    Number(u64),
}

impl<'h> Value<'h> {
    /// It as an id: servers write ids as texts or as numbers.
    pub(super) fn as_id(&self) -> Cow<'h, str> {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => Cow::Owned(number.to_string()),
        }
    }
}

/// All places seen so far, as a tree of names.
#[derive(Debug)]
pub(super) struct Paths {
    nodes: Vec<Node>,
    scanner: Scanner,
    /// The round of the trial that is read.
    round: u32,
}

#[derive(Debug)]
struct Node {
    parent: Path,
    name: Box<str>,
    children: BTreeMap<Box<str>, Path>,
    /// Which child came first in the last object that stood here, and which sibling came after this
    /// node: messages of one server are alike, so mostly the same one comes again.
    first: Path,
    next: Path,
    /// Whether the dialect asks for single elements of an array that stands here.
    indexed: bool,
    roles: Roles,
    /// The canaries in the name itself: it is read once, however often it comes.
    in_name: Vec<Owner>,
}

impl Node {
    fn new(parent: Path, name: &str, in_name: Vec<Owner>) -> Self {
        Self {
            parent,
            name: name.into(),
            children: BTreeMap::new(),
            first: NOWHERE,
            next: NOWHERE,
            indexed: false,
            roles: Roles::default(),
            in_name,
        }
    }
}

impl Paths {
    pub(super) fn new(scanner: Scanner, round: u32) -> Self {
        let nobodys = || Node::new(NOWHERE, "", Vec::new());
        Self { nodes: vec![nobodys(), nobodys()], scanner, round }
    }

    /// Gives the place that a JSON pointer names a further role; an empty one names nothing.
    pub(super) fn ask(&mut self, pointer: &str, role: Roles) {
        if pointer.starts_with('/') {
            let at = self.pointer(pointer);
            self.node(at).roles.0 |= role.0;
        }
    }

    /// What the dialect asks for there.
    pub(super) fn roles(&self, at: Path) -> Roles {
        self.nodes[at.0 as usize].roles
    }

    fn pointer(&mut self, pointer: &str) -> Path {
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
        self.nodes.push(Node::new(at, name, in_name));
        self.node(at).children.insert(name.into(), child);
        child
    }

    /// The same, where `last` was the sibling before it.
    fn next_child(&mut self, at: Path, last: Option<Path>, name: &str) -> Path {
        let guess = match last {
            Some(last) => self.nodes[last.0 as usize].next,
            None => self.nodes[at.0 as usize].first,
        };
        if let Some(node) = self.nodes.get(guess.0 as usize)
            && node.parent == at
            && same(node.name.as_bytes(), name.as_bytes())
        {
            return guess;
        }
        let child = self.child(at, name);
        match last {
            Some(last) => self.node(last).next = child,
            None => self.node(at).first = child,
        }
        child
    }

    fn element(&mut self, at: Path, index: usize) -> Path {
        if self.nodes[at.0 as usize].indexed {
            let wanted = &self.nodes[at.0 as usize].children;
            if let Some(&child) = wanted.get(index.to_string().as_str()) {
                return child;
            }
        }
        self.next_child(at, None, ELEMENT)
    }

    fn canaries_in(&self, name: &str) -> Vec<Owner> {
        let sightings = self.scanner.scan(name.as_bytes());
        sightings.iter().map(|sighting| owner_in(self.round, sighting)).collect()
    }
}

/// Whether the two are equal; names are short, and the library's comparison takes longer to begin.
fn same(one: &[u8], other: &[u8]) -> bool {
    let ends = |bytes: &[u8]| {
        let word = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes));
        (word(bytes.first_chunk()), word(bytes.last_chunk()))
    };
    match one.len() {
        length if length != other.len() => false,
        8..=16 => ends(one) == ends(other),
        0..8 => one.iter().zip(other).all(|(one, other)| one == other),
        _ => one == other,
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

impl<'h> Leaves<'h> {
    /// Puts what this text holds in the place of what another one held; nothing, and false, if it
    /// is no JSON, or nested deeper than anybody nests.
    fn read(&mut self, paths: &mut Paths, text: &'h str) -> bool {
        self.clear();
        let whole = json::read(text, ROOT, &mut Walk { paths, leaves: self });
        if !whole {
            self.clear();
        }
        whole
    }

    /// The same, whether the text stays or not.
    pub(super) fn take(&mut self, paths: &mut Paths, payload: &Payload<'h>) -> bool {
        match &payload.json {
            Json::Text(Cow::Borrowed(json)) => self.read(paths, json),
            Json::Text(Cow::Owned(json)) => self.read_owned(paths, json),
            Json::Bytes(_) => {
                self.clear();
                false
            }
        }
    }

    fn read_owned(&mut self, paths: &mut Paths, text: &str) -> bool {
        let mut leaves = Leaves::default();
        let whole = leaves.read(paths, text);
        self.clear();
        let owned = |(path, value)| match value {
            Value::Text(text) => (path, Value::Text(Cow::Owned(Cow::<str>::into_owned(text)))),
            Value::Number(number) => (path, Value::Number(number)),
        };
        self.values.extend(leaves.values.into_iter().map(owned));
        (self.in_names, self.is_object) = (leaves.in_names, leaves.is_object);
        whole
    }

    fn clear(&mut self) {
        self.values.clear();
        self.in_names.clear();
        self.is_object = false;
    }
}

struct Walk<'w, 'h> {
    paths: &'w mut Paths,
    leaves: &'w mut Leaves<'h>,
}

impl<'h> Visitor<'h> for Walk<'_, 'h> {
    type Place = Path;

    fn object(&mut self, at: Path) {
        self.leaves.is_object |= at == ROOT;
    }

    fn member(&mut self, object: Path, last: Option<Path>, name: &str) -> Path {
        let child = self.paths.next_child(object, last, name);
        if child == ELSEWHERE {
            self.leaves.in_names.extend(self.paths.canaries_in(name));
        } else {
            self.leaves.in_names.extend_from_slice(&self.paths.node(child).in_name);
        }
        child
    }

    fn element(&mut self, array: Path, index: usize) -> Path {
        self.paths.element(array, index)
    }

    fn text(&mut self, at: Path, text: Cow<'h, str>) {
        self.leaves.values.push((at, Value::Text(text)));
    }

    fn number(&mut self, at: Path, number: u64) {
        self.leaves.values.push((at, Value::Number(number)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::canary::{CampaignKey, Field, Mint};

    fn paths() -> Paths {
        Paths::new(Scanner::new(CampaignKey::from_seed(7)), 0)
    }

    fn read<'h>(paths: &mut Paths, text: &'h str) -> Option<Leaves<'h>> {
        let mut leaves = Leaves::default();
        leaves.read(paths, text).then_some(leaves)
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
        let json = r#"{"a":"\u0041","a":2,"b":[{"c":"no"},{"c":"yes"}],"x/y":"slash","a~":"~"}"#;
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
            assert_eq!(read(&mut paths, &json).expect("JSON").in_names, [owner]);
        }
        let mut full = self::paths();
        for name in 0..2 * MOST_PLACES {
            read(&mut full, &format!(r#"{{"{name}":""}}"#)).expect("JSON");
        }
        assert_eq!(full.nodes.len(), MOST_PLACES);
        assert_eq!(read(&mut full, &json).expect("JSON").in_names, [owner]);
    }

    #[test]
    fn names_are_the_same_if_all_their_bytes_are() {
        for length in 0..20 {
            let name: Vec<u8> = (0..length).map(|at| b'a' + at as u8).collect();
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
    fn what_is_no_json_is_refused() {
        let deep = "[".repeat(1 << 20);
        for text in ["", "{", "{}x", "\"\\ud800\"", "\u{0}", &deep] {
            assert!(read(&mut paths(), text).is_none());
        }
    }
}

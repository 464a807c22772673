//! The string leaves of a JSON text, in one pass and without building a tree.
//!
//! A tree would keep only the last of two members with the same name, and would cost more than all
//! oracles together.

use std::borrow::Cow;

use super::seen::owner_in;
use partywall_core::canary::{CampaignKey, Owner, Scanner};
use partywall_core::json::{self, Visitor};
use partywall_core::lenient;
use partywall_core::members::{Begin, Member as Path, Members};
use partywall_core::reader::{Json, Payload};

/// What an array's elements are called; an object's member of that name shares the place.
const ELEMENT: &str = "*";

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

/// All places seen so far, and what is to be known of each.
#[derive(Debug)]
pub(super) struct Paths {
    members: Members,
    notes: Vec<Note>,
    scanner: Scanner,
    /// The key of the trial that is read.
    trial: CampaignKey,
}

/// What is to be known of a place.
#[derive(Clone, Debug, Default)]
struct Note {
    /// Whether the dialect asks for single elements of an array that stands here.
    indexed: bool,
    roles: Roles,
    /// The canaries in the name itself: it is read once, however often it comes.
    in_name: Vec<Owner>,
}

impl Paths {
    pub(super) fn new(scanner: Scanner, trial: CampaignKey) -> Self {
        let members = Members::default();
        let notes = vec![Note::default(); members.count()];
        Self { members, notes, scanner, trial }
    }

    /// Gives the place that a JSON pointer names a further role; an empty one names nothing.
    pub(super) fn ask(&mut self, pointer: &str, role: Roles) {
        if pointer.starts_with('/') {
            let at = self.pointer(pointer);
            self.notes[at.number()].roles.0 |= role.0;
        }
    }

    /// What the dialect asks for there.
    pub(super) fn roles(&self, at: Path) -> Roles {
        self.notes[at.number()].roles
    }

    fn pointer(&mut self, pointer: &str) -> Path {
        let mut at = Path::ROOT;
        for token in pointer.split('/').skip(1) {
            if token.bytes().all(|byte| byte.is_ascii_digit()) {
                self.notes[at.number()].indexed = true;
            }
            at = self.members.child(at, &token.replace("~1", "/").replace("~0", "~"));
            self.look_at(at);
        }
        at
    }

    /// The child of that name, where `last` was the sibling before it.
    fn next_child(&mut self, at: Path, last: Option<Path>, name: &str) -> Path {
        let child = self.members.next_child(at, last, name);
        self.look_at(child);
        child
    }

    /// Notes what is to be known of a place that may be new.
    fn look_at(&mut self, at: Path) {
        if self.notes.len() < self.members.count() {
            let in_name = self.canaries_in(self.members.name(at));
            if !in_name.is_empty() {
                self.members.never_expect(at);
            }
            self.notes.push(Note { in_name, ..Note::default() });
        }
    }

    fn element(&mut self, at: Path, index: usize) -> Path {
        if self.notes[at.number()].indexed
            && let Some(child) = self.members.known(at, index.to_string().as_str())
        {
            return child;
        }
        self.next_child(at, None, ELEMENT)
    }

    fn canaries_in(&self, name: &str) -> Vec<Owner> {
        let sightings = self.scanner.scan(name.as_bytes());
        sightings.iter().map(|sighting| owner_in(self.trial, sighting)).collect()
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
        let whole = json::read(text, Path::ROOT, &mut Walk { paths, leaves: self });
        if !whole {
            self.clear();
        }
        whole
    }

    /// The same, whether the text stays or not, and also where only a lenient parser takes it.
    pub(super) fn take(&mut self, paths: &mut Paths, payload: &Payload<'h>) -> bool {
        let whole = match &payload.json {
            Json::Text(Cow::Borrowed(json)) => self.read(paths, json),
            Json::Text(Cow::Owned(json)) => self.read_owned(paths, json),
            Json::Bytes(_) => {
                self.clear();
                false
            }
        };
        let strict = || lenient::strict(payload.json.as_text()?);
        whole || strict().is_some_and(|strict| self.read_owned(paths, &strict))
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
        self.leaves.is_object |= at == Path::ROOT;
    }

    fn member(&mut self, object: Path, last: Option<Path>, name: &str) -> Path {
        let child = self.paths.next_child(object, last, name);
        if child == Path::ELSEWHERE {
            self.leaves.in_names.extend(self.paths.canaries_in(name));
        } else {
            self.leaves.in_names.extend_from_slice(&self.paths.notes[child.number()].in_name);
        }
        child
    }

    fn expected(&self, object: Path, last: Option<Path>) -> Option<(&Begin, Path)> {
        self.paths.members.expected(object, last)
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
    use partywall_core::canary::{Field, Mint};
    use partywall_core::members::MOST_PLACES;

    fn paths() -> Paths {
        Paths::new(Scanner::new(CampaignKey::from_seed(7)), CampaignKey::from_seed(7))
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
        for json in [&json, &format!(r#"{{"{canary}":1}}"#)] {
            let mut paths = paths();
            for _ in 0..3 {
                assert_eq!(read(&mut paths, json).expect("JSON").in_names, [owner]);
            }
        }
        let mut full = paths();
        for name in 0..2 * MOST_PLACES {
            read(&mut full, &format!(r#"{{"{name}":""}}"#)).expect("JSON");
        }
        assert_eq!((full.members.count(), full.notes.len()), (MOST_PLACES, MOST_PLACES));
        assert_eq!(read(&mut full, &json).expect("JSON").in_names, [owner]);
    }

    #[test]
    fn what_is_no_json_is_refused() {
        let deep = "[".repeat(1 << 20);
        for text in ["", "{", "{}x", "\"\\ud800\"", "\u{0}", &deep] {
            assert!(read(&mut paths(), text).is_none());
        }
    }
}

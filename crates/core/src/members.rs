//! The members of the objects in JSON texts, as they were met: messages of one server are alike, so
//! mostly the same ones come again in the same order, and need not be read to be known.

use std::collections::BTreeMap;

/// A place in JSON texts: names of members from the root. All elements of an array share one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member(u32);

/// So many places are told apart. The names are the server's, and it may never stop making them up.
pub const MOST_PLACES: usize = 4096;

impl Member {
    /// Where each text begins.
    pub const ROOT: Self = Self(0);

    /// Where everything is put once a server has used up all places.
    pub const ELSEWHERE: Self = Self(1);

    /// The first that is met.
    pub const FIRST: Self = Self(2);

    /// No place at all.
    const NOWHERE: Self = Self(u32::MAX);

    /// The number of the place, in the order in which they were met.
    pub fn number(self) -> usize {
        self.0 as usize
    }
}

impl Member {
    /// The first places, for tests that need some and not what stands there.
    #[doc(hidden)]
    pub fn some<const N: usize>() -> [Self; N] {
        std::array::from_fn(|at| Self(at as u32))
    }
}

/// All places that were met so far, as a tree of names.
#[derive(Debug)]
pub struct Members {
    nodes: Vec<Node>,
    /// The length of the longest name that has a place of its own, in bytes.
    longest: usize,
}

/// How a member begins in a text: its name with quotes and colon. It is compared with what comes next
/// some bytes at once, since that is done for each member of each message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begin {
    text: Box<str>,
    /// The first bytes, and which bits of them count.
    first: [u64; 2],
    counts: [u64; 2],
}

/// So many bytes are compared at once.
const AT_ONCE: usize = 16;

impl Begin {
    /// How a member of this name begins where the name is written as it is.
    pub fn of(name: &str) -> Self {
        let text: Box<str> = format!("\"{name}\":").into();
        let mut bytes = [[0; AT_ONCE]; 2];
        for (at, byte) in text.bytes().enumerate().take(AT_ONCE) {
            (bytes[0][at], bytes[1][at]) = (byte, u8::MAX);
        }
        let [first, counts] = bytes.map(|bytes| words(&bytes));
        Self { text, first, counts }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.text[1..self.text.len() - 2]
    }

    /// How many of those bytes it is, if they begin like that.
    pub fn length_in(&self, bytes: &[u8]) -> Option<usize> {
        let length = self.text.len();
        let Some(first) = bytes.first_chunk() else {
            return bytes.starts_with(self.text.as_bytes()).then_some(length);
        };
        let [[one, other], first, counts] = [words(first), self.first, self.counts];
        let differs = ((one ^ first[0]) & counts[0]) | ((other ^ first[1]) & counts[1]);
        let rest = || bytes.get(..length) == Some(self.text.as_bytes());
        (differs == 0 && (length <= AT_ONCE || rest())).then_some(length)
    }
}

fn words(bytes: &[u8; AT_ONCE]) -> [u64; 2] {
    let both = u128::from_le_bytes(*bytes);
    [both as u64, (both >> 64) as u64]
}

#[derive(Debug)]
struct Node {
    parent: Member,
    begin: Begin,
    /// Whether it is mostly written like that, and nobody wants to be told of the name.
    may_be_expected: bool,
    children: BTreeMap<Box<str>, Member>,
    /// Which child came first in the last object that stood here, and which sibling came after this
    /// node.
    first: Member,
    next: Member,
}

impl Node {
    fn new(parent: Member, name: &str) -> Self {
        let is_plain = |c: char| c >= ' ' && c != '"' && c != '\\';
        Self {
            parent,
            begin: Begin::of(name),
            may_be_expected: name.chars().all(is_plain),
            children: BTreeMap::new(),
            first: Member::NOWHERE,
            next: Member::NOWHERE,
        }
    }
}

impl Default for Members {
    fn default() -> Self {
        let nobodys = [Member::ROOT, Member::ELSEWHERE].map(|_| Node::new(Member::NOWHERE, ""));
        Self { nodes: nobodys.into(), longest: usize::MAX }
    }
}

impl Members {
    /// The same, but longer names than that, in bytes, stand elsewhere: the names are the server's, and
    /// one may fill a message.
    #[must_use]
    pub fn of_names_up_to(longest: usize) -> Self {
        Self { longest, ..Self::default() }
    }

    /// Whether there is room for another place.
    pub fn is_full(&self) -> bool {
        self.nodes.len() >= MOST_PLACES
    }

    /// How many places there are.
    pub fn count(&self) -> usize {
        self.nodes.len()
    }

    /// The name of a place, without those above it.
    pub fn name(&self, at: Member) -> &str {
        self.nodes[at.number()].begin.name()
    }

    /// The member of that name, if it was met.
    pub fn known(&self, at: Member, name: &str) -> Option<Member> {
        self.nodes[at.number()].children.get(name).copied()
    }

    /// The member of that name.
    pub fn child(&mut self, at: Member, name: &str) -> Member {
        if let Some(child) = self.known(at, name) {
            return child;
        }
        if at == Member::ELSEWHERE || self.is_full() || name.len() > self.longest {
            return Member::ELSEWHERE;
        }
        let child = Member(self.nodes.len() as u32);
        self.nodes.push(Node::new(at, name));
        self.nodes[at.number()].children.insert(name.into(), child);
        child
    }

    /// The same, where `last` came before it.
    pub fn next_child(&mut self, at: Member, last: Option<Member>, name: &str) -> Member {
        if let Some((node, likely)) = self.likely(at, last)
            && node.begin.name() == name
        {
            return likely;
        }
        let child = self.child(at, name);
        match last {
            Some(last) => self.nodes[last.number()].next = child,
            None => self.nodes[at.number()].first = child,
        }
        child
    }

    /// From here on that place is not [expected](Self::expected): each time its name is to be told.
    pub fn never_expect(&mut self, at: Member) {
        self.nodes[at.number()].may_be_expected = false;
    }

    /// What mostly comes after `last`, and how it mostly begins; see
    /// [`Visitor::expected`](super::json::Visitor::expected).
    pub fn expected(&self, at: Member, last: Option<Member>) -> Option<(&Begin, Member)> {
        let (node, likely) = self.likely(at, last)?;
        node.may_be_expected.then_some((&node.begin, likely))
    }

    fn likely(&self, at: Member, last: Option<Member>) -> Option<(&Node, Member)> {
        let likely = match last {
            Some(last) => self.nodes[last.number()].next,
            None => self.nodes[at.number()].first,
        };
        let node = self.nodes.get(likely.number())?;
        (node.parent == at).then_some((node, likely))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_after_a_member_is_expected_again() {
        let mut members = Members::default();
        let mut read = |names: [&str; 3]| {
            let mut last = None;
            let mut hits = 0;
            for name in names {
                let expected = members.expected(Member::ROOT, last).map(|(_, member)| member);
                let member = members.next_child(Member::ROOT, last, name);
                hits += usize::from(expected == Some(member));
                last = Some(member);
            }
            hits
        };
        assert_eq!([read(["type", "run", "text"]), read(["type", "run", "text"])], [0, 3]);
        assert_eq!([read(["type", "other", "text"]), read(["type", "run", "text"])], [1, 2]);
    }

    #[test]
    fn a_name_that_is_not_written_as_it_is_is_not_expected() {
        for (name, is_plain) in [("a", true), ("a\"b", false), ("a\\", false), ("\n", false)] {
            let mut members = Members::default();
            let member = members.next_child(Member::ROOT, None, name);
            assert_eq!(members.name(member), name);
            let begin = Begin::of(name);
            let expected = members.expected(Member::ROOT, None);
            assert_eq!(expected, is_plain.then_some((&begin, member)));
            members.never_expect(member);
            assert_eq!(members.expected(Member::ROOT, None), None);
        }
    }

    #[test]
    fn what_begins_like_a_member_begins_so_with_all_its_bytes() {
        for length in 0..40 {
            let name: String = ('a'..='z').cycle().take(length).collect();
            let (begin, text) = (Begin::of(&name), format!("\"{name}\":"));
            for rest in ["", "1", "1,\"other\":\"a longer text\"}"] {
                let whole = format!("{text}{rest}");
                assert_eq!(begin.length_in(whole.as_bytes()), Some(text.len()), "{whole}");
                for at in 0..text.len() {
                    let mut other = whole.clone().into_bytes();
                    other[at] ^= 1;
                    assert_eq!(begin.length_in(&other), None, "{length} at {at}");
                    assert_eq!(begin.length_in(&whole.as_bytes()[..at]), None, "{whole} to {at}");
                }
            }
        }
    }

    #[test]
    fn long_names_have_no_place_where_nobody_wants_them() {
        let mut members = Members::of_names_up_to(4);
        assert_ne!(members.child(Member::ROOT, "type"), Member::ELSEWHERE);
        assert_eq!(members.child(Member::ROOT, "types"), Member::ELSEWHERE);
    }

    #[test]
    fn a_server_that_makes_names_up_fills_no_memory() {
        let mut members = Members::default();
        let known = members.child(Member::ROOT, "type");
        for name in 0..2 * MOST_PLACES {
            let member = members.next_child(Member::ROOT, None, &name.to_string());
            members.next_child(member, None, "below");
        }
        assert_eq!(members.count(), MOST_PLACES);
        assert_eq!(members.child(Member::ROOT, "type"), known);
        assert_eq!(members.child(Member::ELSEWHERE, "type"), Member::ELSEWHERE);
    }
}

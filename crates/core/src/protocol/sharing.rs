//! Where users may rightly see each other's data: public places, and what some of them share.

use serde::{Deserialize, Serialize};

use crate::ids::UserName;

/// A place where some users, or all, may see each other's data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shared {
    /// The path of requests or of the event connection; where the scenario has no such path, a place
    /// in JSON messages with all that is below it. `*` stands for any text.
    pub place: String,
    /// Between whom; among all users where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<UserName>,
}

impl Shared {
    /// Whether these two may see each other's data there.
    pub fn is_between(&self, one: &UserName, other: &UserName) -> bool {
        self.users.is_empty() || (self.users.contains(one) && self.users.contains(other))
    }

    /// Whether that user may see another's data there.
    pub fn is_for(&self, user: &UserName) -> bool {
        self.users.is_empty() || self.users.contains(user)
    }

    /// Whether a request to that path, or a connection, is such a place.
    pub fn is_path(&self, path: &str) -> bool {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        matches(&self.place, path)
    }

    /// Whether what stands at that pointer in a message is in such a place.
    pub fn is_pointer(&self, pointer: &str) -> bool {
        let ends = pointer.match_indices('/').map(|(at, _)| at).filter(|at| *at > 0);
        let mut upto = ends.chain([pointer.len()]).map(|end| &pointer[..end]);
        upto.any(|above| matches(&self.place, above))
    }
}

impl Shared {
    /// Whether a path that is made of that template may be such a place.
    pub(super) fn may_be_path(&self, template: &str) -> bool {
        let path = template.split('?').next().unwrap_or_default();
        // What stands for a place may be anything, as what a star stands for.
        let mut pattern = String::new();
        let mut rest = path;
        while let Some((before, after)) = rest.split_once("{{") {
            pattern.push_str(before);
            pattern.push('*');
            rest = after.split_once("}}").map_or("", |(_, rest)| rest);
        }
        pattern.push_str(rest);
        overlap(self.place.as_bytes(), pattern.as_bytes())
    }
}

/// Whether the text is of that pattern, in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

/// Whether some text is of both patterns.
fn overlap(one: &[u8], other: &[u8]) -> bool {
    match (one, other) {
        ([], rest) | (rest, []) => rest.iter().all(|byte| *byte == b'*'),
        ([b'*', after @ ..], _) => (0..=other.len()).any(|taken| overlap(after, &other[taken..])),
        (_, [b'*', after @ ..]) => (0..=one.len()).any(|taken| overlap(&one[taken..], after)),
        ([first, one @ ..], [second, other @ ..]) => first == second && overlap(one, other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(place: &str) -> Shared {
        Shared { place: place.into(), users: Vec::new() }
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, yes, no) in [
            ("/lobby/*", "/lobby/1?page=2", "/lobby"),
            ("/lobby", "/lobby?x=/a", "/lobby/1"),
            ("/a/*/b", "/a/x/y/b", "/a/x/b/c"),
            ("/a*b*", "/axxb", "/a"),
        ] {
            assert!(shared(pattern).is_path(yes) && !shared(pattern).is_path(no), "{pattern}");
        }
    }

    #[test]
    fn a_place_in_a_message_holds_what_is_below_it() {
        let members = shared("/members");
        assert!(members.is_pointer("/members") && members.is_pointer("/members/0/name"));
        assert!(!members.is_pointer("/membership") && !members.is_pointer("/a/members"));
        let names = shared("/members/*/name");
        assert!(names.is_pointer("/members/3/name") && !names.is_pointer("/members/3/mail"));
    }

    #[test]
    fn a_place_is_a_path_where_users_ask_for_such_a_one() {
        let may = |place: &str, path: &str| shared(place).may_be_path(path);
        assert!(
            may("/lobby/*", "/lobby/{{ thread }}") && may("/lobby/1", "/lobby/{{ thread }}?a=1")
        );
        assert!(may("/rooms/red", "/rooms/red") && may("/*", "/rooms/red"));
        assert!(!may("/members", "/rooms/{{ thread }}") && !may("/lobby/*", "/lobby"));
    }
}

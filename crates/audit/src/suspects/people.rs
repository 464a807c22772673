//! Names that tell users apart.

/// What tells users apart, as a word of a name.
const WHOSE: [&str; 19] = [
    "user",
    "username",
    "uid",
    "tenant",
    "account",
    "session",
    "request",
    "owner",
    "principal",
    "identity",
    "token",
    "context",
    "ctx",
    "customer",
    "workspace",
    "org",
    "organization",
    "organisation",
    "team",
];

/// Those of them that name a person.
const USERS: [&str; 7] = ["user", "username", "uid", "tenant", "principal", "identity", "customer"];

/// Words behind one of them that still leave it the name of one: `user_id`, not `user_agent`.
const OF_ONE: [&str; 14] = [
    "id", "ids", "uuid", "key", "name", "email", "info", "data", "obj", "model", "pk", "ref",
    "slug", "hash",
];

/// Words that tell users apart only where they are all of a name, or its last word: a
/// `token_count` is no token, and an `identity` in front of anything else is mathematics.
const ALONE: [&str; 4] = ["identity", "token", "context", "ctx"];

/// Words in front of those that make something else of them: `max_tokens`, `is_identity`.
const NOT_ONE: [&str; 10] = ["is", "has", "max", "min", "num", "n", "pad", "eos", "bos", "next"];

/// Whether a name tells users apart: `user_id`, `currentUser`.
pub(super) fn tells_whose(name: &str) -> bool {
    any_word(name, &WHOSE)
}

/// Whether a name is that of a user: `user_id`, `tenant`.
pub(super) fn names_one(name: &str) -> bool {
    any_word(name, &USERS)
}

fn any_word(name: &str, whose: &[&str]) -> bool {
    let words = words(name);
    (0..words.len()).any(|at| {
        let word = words[at].as_str();
        let behind = &words[at + 1..];
        let is_whole = behind.is_empty()
            || !ALONE.contains(&word) && OF_ONE.contains(&behind[0].as_str())
            || ALONE.contains(&word) && behind[0] == "id";
        let in_front = at.checked_sub(1).map(|at| words[at].as_str());
        whose.contains(&word) && is_whole && !in_front.is_some_and(|word| NOT_ONE.contains(&word))
    })
}

/// The words of a name: `currentUser` and `current_user` have two.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if c == '_' || c == '$' || (c.is_uppercase() && was_lower) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c != '_' && c != '$') {
            word.extend(c.to_lowercase());
        }
        was_lower = c.is_lowercase() || c.is_numeric();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a line of source names a user, or a secret of one.
pub(super) fn line_names_one(line: &str) -> bool {
    const SECRETS: [&str; 6] =
        ["authorization", "cookie", "cookies", "credentials", "password", "bearer"];
    line.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .any(|word| names_one(word) || any_word(word, &SECRETS) || word == "token")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_only_occurs_in_a_name_tells_no_users_apart() {
        for name in ["user", "user_id", "currentUser", "tenantId", "session_key", "identity"] {
            assert!(tells_whose(name), "{name}");
        }
        for name in [
            "identity_matrix",
            "is_identity",
            "token_count",
            "max_token",
            "user_agent",
            "users",
            "session_maker",
            "organize",
            "context_length",
        ] {
            assert!(!tells_whose(name), "{name}");
        }
    }
}

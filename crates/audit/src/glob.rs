//! Patterns for paths: `*` and `?` stay within a folder, `**` does not.

/// A pattern for a path with `/` between folders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(Vec<String>);

impl Glob {
    /// The pattern; one without a slash holds for any folder.
    pub fn new(pattern: &str) -> Self {
        let pattern = pattern.trim_start_matches("./").trim_start_matches('/');
        let mut parts: Vec<String> = pattern.split('/').map(str::to_owned).collect();
        if parts.last().is_some_and(String::is_empty) {
            // `tests/` is all that is in it.
            parts.pop();
            parts.push("**".into());
            parts.insert(0, "**".into());
        } else if parts.len() == 1 {
            parts.insert(0, "**".into());
        }
        Self(parts)
    }

    /// Whether the path matches.
    pub fn matches(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        // For each number of parts of the pattern: whether the path so far matches them.
        let mut reached = vec![false; self.0.len() + 1];
        reached[0] = true;
        self.skip_stars(&mut reached);
        for part in parts {
            let mut next = vec![false; reached.len()];
            for (at, pattern) in self.0.iter().enumerate() {
                if reached[at] && pattern == "**" {
                    next[at] = true;
                } else if reached[at] && part_matches(pattern, part) {
                    next[at + 1] = true;
                }
            }
            self.skip_stars(&mut next);
            reached = next;
        }
        reached[self.0.len()]
    }

    /// `**` may stand for nothing.
    fn skip_stars(&self, reached: &mut [bool]) {
        for (at, pattern) in self.0.iter().enumerate() {
            if reached[at] && pattern == "**" {
                reached[at + 1] = true;
            }
        }
    }
}

/// One part, in time that grows with the product of both lengths at the most.
fn part_matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let mut reached = vec![false; pattern.len() + 1];
    reached[0] = true;
    let skip = |reached: &mut Vec<bool>| {
        for (at, c) in pattern.iter().enumerate() {
            reached[at + 1] |= reached[at] && *c == '*';
        }
    };
    skip(&mut reached);
    for c in text.chars() {
        let mut next = vec![false; reached.len()];
        for (at, own) in pattern.iter().enumerate().filter(|(at, _)| reached[*at]) {
            match own {
                '*' => next[at] = true,
                own => next[at + 1] |= *own == '?' || *own == c,
            }
        }
        skip(&mut next);
        reached = next;
    }
    reached[pattern.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stay_within_a_folder_and_double_stars_do_not() {
        let cases = [
            ("**/tests/**", "tests/a.py", true),
            ("**/tests/**", "app/tests/deep/a.py", true),
            ("**/tests/**", "app/contests/a.py", false),
            ("tests/", "app/tests/a.py", true),
            ("**/test_*.py", "test_a.py", true),
            ("**/test_*.py", "app/latest_a.py", false),
            ("**/*_test.py", "app/a_test.py", true),
            ("**/*.spec.*", "web/a.spec.ts", true),
            ("*.py", "deep/in/a.py", true),
            ("app/*.py", "app/deep/a.py", false),
            ("a?c/**", "abc/d", true),
            ("**", "anything/at/all", true),
        ];
        for (pattern, path, expected) in cases {
            assert_eq!(Glob::new(pattern).matches(path), expected, "{pattern} on {path}");
        }
    }

    #[test]
    fn many_stars_take_no_time() {
        let pattern = format!("{}b", "*a".repeat(500));
        assert!(!Glob::new(&pattern).matches(&"a".repeat(2_000)));
    }
}

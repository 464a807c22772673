//! The type that an annotation says.

/// What an annotation says of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Annotation<'s> {
    /// The last name of the type: `UserContext` of `models.UserContext`; empty where it is no plain
    /// name.
    pub(super) name: &'s str,
    /// Whether it may be none, null or undefined.
    pub(super) may_be_none: bool,
}

/// Reads an annotation as it is written, of Python or TypeScript.
pub(super) fn annotation(text: &str) -> Annotation<'_> {
    let mut text = trimmed(text.trim_start_matches(':'));
    let mut may_be_none = false;
    while let Some((head, inner)) = generic(text) {
        match head.rsplit('.').next().unwrap_or_default() {
            "Annotated" | "Final" | "ClassVar" | "Readonly" => text = trimmed(parts(inner, ',')[0]),
            "Optional" => {
                may_be_none = true;
                text = trimmed(inner);
            }
            "Union" => return union(&parts(inner, ','), may_be_none),
            _ => break,
        }
    }
    union(&parts(text, '|'), may_be_none)
}

fn union<'s>(members: &[&'s str], may_be_none: bool) -> Annotation<'s> {
    let is_none = |member: &&str| ["None", "null", "undefined"].contains(member);
    let members: Vec<&str> = members.iter().map(|member| trimmed(member)).collect();
    let others: Vec<&str> = members.iter().copied().filter(|member| !is_none(member)).collect();
    let may_be_none = may_be_none || others.len() < members.len();
    let name = match others.as_slice() {
        [one] if one.chars().all(|c| crate::lines::is_word(c) || c == '.') => {
            one.rsplit('.').next().unwrap_or_default()
        }
        _ => "",
    };
    Annotation { name, may_be_none }
}

/// Without space and without the quotes of a forward reference.
fn trimmed(text: &str) -> &str {
    text.trim().trim_matches(['"', '\'']).trim()
}

/// `Head[inner]` and `Head<inner>`.
fn generic(text: &str) -> Option<(&str, &str)> {
    let at = text.find(['[', '<'])?;
    let inner = text[at + 1..].strip_suffix([']', '>'])?;
    let head = &text[..at];
    head.chars().all(|c| crate::lines::is_word(c) || c == '.').then_some((head, inner))
}

/// The parts outside brackets.
fn parts(text: &str, by: char) -> Vec<&str> {
    let (mut parts, mut depth, mut from) = (Vec::new(), 0_i32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' | '<' => depth += 1,
            ')' | ']' | '}' | '>' => depth -= 1,
            c if c == by && depth == 0 => {
                parts.push(&text[from..at]);
                from = at + by.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_and_whether_it_may_be_none_are_read() {
        let cases = [
            ("UserContext", "UserContext", false),
            ("'models.UserContext'", "UserContext", false),
            (": UserContext", "UserContext", false),
            ("Annotated[UserContext, Depends(get, a=[1])]", "UserContext", false),
            ("t.Annotated[Optional[UserContext], x]", "UserContext", true),
            ("UserContext | None", "UserContext", true),
            ("Union[None, a.UserContext]", "UserContext", true),
            (": UserContext | undefined", "UserContext", true),
            ("\"UserContext | None\"", "UserContext", true),
            ("list[UserContext]", "", false),
            ("UserContext | Admin", "", false),
            ("Callable[[], UserContext]", "", false),
            ("type[UserContext]", "", false),
            ("", "", false),
        ];
        for (text, name, may_be_none) in cases {
            assert_eq!(annotation(text), Annotation { name, may_be_none }, "{text}");
        }
    }
}

//! What is new since an earlier audit: the number of remaining uses may only fall.

use partywall::audit::baseline::compare;
use partywall::trial::audit::AuditRecord;

use super::{Scratch, audited};

const ROUTES: &str = "\
from app.factory import get_agent_instance_factory


def route():
    return get_agent_instance_factory()


def other():
    return get_agent_instance_factory()
";

/// The lines of the uses that are new, and how many are gone.
fn new_and_gone(then: &AuditRecord, text: &str, path: &str) -> (Vec<u32>, u64) {
    let scratch = Scratch::new("now");
    scratch.file(path, text);
    let now = audited(&scratch.0, false);
    let compared = compare(&now, then, "audit.json");
    let new = compared.new.iter().map(|at| now.uses[*at as usize].place.line).collect();
    let counted = (then.counted().count() as u64, now.counted().count() as u64);
    assert_eq!((compared.before, compared.now), counted);
    (new, compared.gone)
}

#[test]
fn moved_lines_functions_and_files_are_not_new_and_added_uses_are() {
    let scratch = Scratch::new("then");
    scratch.file("routes.py", ROUTES);
    let then = audited(&scratch.0, false);
    let cases: [(&str, String, Vec<u32>, u64); 8] = [
        ("routes.py", ROUTES.to_owned(), vec![], 0),
        ("routes.py", format!("import os\n\n\n{ROUTES}"), vec![], 0),
        ("routes.py", ROUTES.replace("other", "renamed"), vec![], 0),
        ("routes.py", ROUTES.replace("    return get", "    made = get"), vec![], 0),
        ("moved/routes.py", ROUTES.to_owned(), vec![], 0),
        ("routes.py", format!("{ROUTES}\n\nx = get_agent_instance_factory()\n"), vec![12], 0),
        ("routes.py", ROUTES.replace("get_agent_instance_factory()\n\n\n", "1\n\n\n"), vec![], 1),
        // One call became a reference: that is another use, and one is gone.
        (
            "routes.py",
            ROUTES.replacen(
                "return get_agent_instance_factory()",
                "g(get_agent_instance_factory)",
                1,
            ),
            vec![5],
            1,
        ),
    ];
    for (path, text, new, gone) in cases {
        assert_eq!(new_and_gone(&then, &text, path), (new, gone), "{path}:\n{text}");
    }
}

#[test]
fn mentions_and_the_definition_do_not_count() {
    let scratch = Scratch::new("mentions");
    scratch.file("routes.py", ROUTES);
    let then = audited(&scratch.0, false);
    let text = format!("# get_agent_instance_factory\n{ROUTES}\nget_agent_instance_factory = 1\n");
    assert_eq!(new_and_gone(&then, &text, "routes.py"), (vec![], 0));
}

//! The suspects of an audit as a starter of a scenario: what `partywall migration` drives.

use std::fmt::Write as _;

use super::audit_phrases::suspect;
use super::safe_text;
use partywall_core::audit::{AuditRecord, SingletonSuspect};

/// Suspects below this score are left out.
const LEAST: u32 = 3;

/// So many suspects stand in it.
const MOST: usize = 30;

const HEAD: &str = "\
# Suspects of `partywall audit --find-singletons`, as legacy call sites of one state. Replace
# `command`; let the server print a line `<path>:<line>: partywall` where it runs one of them.
version = 1
name = \"suspects\"
title = \"Suspects of an audit, as they are\"

[target]
ready_seconds = 20

[migration]
exercised = { log = '{{ path }}:{{ line }}: partywall' }

[[state]]
name = \"as-it-is\"
legacy = [
";

const TAIL: &str = "\
]
command = [\"./serve.sh\", \"{{ port }}\"]

# How the server is spoken to; `partywall init` has starters for other servers.
[identity]
headers = { authorization = \"Bearer {{ user }}\" }

[start]
by = \"http\"
path = \"/chat\"
json = { message = \"{{ prompt }}\" }

[events]
connection = \"none\"
";

/// The scenario file.
pub fn render(audit: &AuditRecord) -> String {
    let told = audit.suspects.iter().filter(|suspect| suspect.score >= LEAST && !suspect.browser);
    let suspects: Vec<&SingletonSuspect> = told.take(MOST).collect();
    let mut out = String::from(HEAD);
    for found in suspects {
        let name = format!("{}:{} {}", found.place.path, found.place.line, found.name);
        let _ = writeln!(out, "    # {}", safe_text::visible(&suspect(found)));
        let _ = writeln!(out, "    {},", quoted(&name));
    }
    out.push_str(TAIL);
    out
}

/// A string of TOML.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

//! `report.html`: one self-contained file that fetches nothing, for the engineer at the desk and,
//! printed, for the sign-off's folder.
//!
//! The page is written here as plain markup, whole without its script; the script draws the
//! timelines, filters and copies. What a server may have sent is made harmless by `text` in
//! markup and stands as text in the data that the script reads; the page's policy lets no other
//! script run and no request leave.

mod data;
mod evidence;
mod findings;
mod markup;
mod plots;
mod states;
mod tables;
mod top;

use hmac_sha256::Hash;

use super::{phrases, sentence};
use markup::{add, name, put, text};
use partywall_core::canary::base64;
use partywall_core::record::Record;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// A wall between two homes.
const MARK: &str = "<svg viewBox=\"0 0 20 20\" aria-hidden=\"true\"><rect x=\"1\" y=\"3\" \
                    width=\"6\" height=\"14\" rx=\"2\" fill=\"#2456c9\"/><rect x=\"13\" y=\"3\" \
                    width=\"6\" height=\"14\" rx=\"2\" fill=\"#0a7340\"/><rect x=\"9\" y=\"1\" \
                    width=\"2\" height=\"18\" fill=\"#b3201a\"/></svg>";

/// The whole page.
pub fn render(record: &Record) -> String {
    let mut page = String::with_capacity(1 << 18);
    head(&mut page, record);
    top::top(&mut page, record);
    let told = findings::findings(&mut page, record);
    evidence::after_findings(&mut page, record);
    foot(&mut page, record);
    add(&mut page, "</main>\n<script type=\"application/json\" id=\"data\">");
    page.push_str(&data::data(&told));
    add(&mut page, "</script>\n<script>");
    add(&mut page, SCRIPT);
    add(&mut page, "</script>\n</body>\n</html>\n");
    page
}

/// What the page allows: its own style and its own script, and nothing from anywhere.
fn policy() -> String {
    let digest = |text: &str| base64(&Hash::hash(text.as_bytes()), false, true);
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; \
         form-action 'none'",
        digest(STYLE),
        digest(SCRIPT)
    )
}

fn head(page: &mut String, record: &Record) {
    let word = sentence::headline(record.verdict);
    put!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"generator\" content=\"partywall {}\">\n\
         <title>{word}: partywall {}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
        policy(),
        name(&record.partywall),
        name(&record.command),
    );
    add(page, "<a class=\"skip\" href=\"#findings\">Skip to the findings</a>\n");
    put!(page, "<header class=\"top\"><div><span class=\"brand\">{MARK}partywall</span><nav>");
    let models = !record.models.is_empty();
    let driven = record.all_levels().next().is_some();
    let places = [
        ("verdict", "Verdict", true),
        ("findings", "Findings", driven),
        ("who", "Who saw whose", driven),
        ("phases", "Phases", driven),
        ("times", "Times", driven),
        ("detection", "Detection matrix", record.detection.is_some()),
        ("models", "Models", models),
        ("checks", "Cross-checks", !record.cross_checks.is_empty()),
        ("oracles", "Oracles", true),
    ];
    for (place, title, _) in places.iter().filter(|(.., shown)| *shown) {
        put!(page, "<a href=\"#{place}\">{title}</a>");
    }
    add(page, "</nav><button id=\"theme\" type=\"button\">Light or dark</button></div></header>\n");
    add(page, "<main>\n");
}

fn foot(page: &mut String, record: &Record) {
    put!(
        page,
        "<footer><p>{}</p><p>{}</p><p>Keys: <b>j</b> and <b>k</b> go from finding to finding, \
         <b>Enter</b> opens one, <b>/</b> filters by user, the arrows go from mark to mark in a \
         timeline.</p></footer>\n",
        phrases::whereabouts(record, text),
        phrases::origin(record, name)
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_is_of_this_style_and_this_script() {
        let policy = policy();
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
        assert_eq!(policy.matches("sha256-").count(), 2);
        assert!(!SCRIPT.contains("</script") && !STYLE.contains("</style"));
        for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
            assert!(!SCRIPT.contains(word), "{word}");
        }
    }
}

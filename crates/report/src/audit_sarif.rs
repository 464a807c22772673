//! An audit as SARIF 2.1.0, as code scanning reads it.

use std::collections::BTreeMap;

use hmac_sha256::Hash;
use serde_json::{Value, json};

use super::audit_phrases::{from_here, partly_read, remedy, suspect, what, why};
use super::safe_text;
use super::sarif_place::{INFORMATION, SCHEMA, uri};
use partywall_core::audit::{
    AuditRecord, Code, Place, Risk, Shown, SingletonSuspect, SuspectKind, Use, UseKind,
};

/// How many results code scanning shows of one log.
const MOST_RESULTS: usize = 5_000;

/// The whole log.
pub fn render(audit: &AuditRecord) -> String {
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "partywall",
                "semanticVersion": safe_text::name(&audit.partywall),
                "informationUri": INFORMATION,
                "rules": rules(audit),
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": audit.files.skipped.is_empty(),
                "toolExecutionNotifications": notifications(audit),
            }],
            "automationDetails": { "id": "partywall/audit/" },
            "results": results(audit),
        }],
    });
    let mut text = serde_json::to_string_pretty(&log).expect("plain data serialises");
    text.push('\n');
    text
}

/// A result for each use and each suspect, the gravest first.
pub(super) fn results(audit: &AuditRecord) -> Vec<Value> {
    let mut seen = BTreeMap::new();
    let mut results: Vec<(u8, Value)> = Vec::new();
    for found in audit.counted() {
        let words = [
            found.kind.as_str(),
            &found.symbol,
            &found.place.path,
            found.function.as_deref().unwrap_or_default(),
            &found.text,
        ];
        let print = fingerprint(&words, &mut seen);
        let (rank, level) = level_of_use(found);
        results.push((rank, of_use(audit, found, level, &print)));
    }
    for found in &audit.suspects {
        let words = [found.kind.as_str(), &found.name, &found.place.path];
        let print = fingerprint(&words, &mut seen);
        let (rank, level) = if found.score >= 4 { (1, "warning") } else { (2, "note") };
        results.push((rank, of_suspect(audit, found, level, &print)));
    }
    results.sort_by_key(|(rank, _)| *rank);
    results.into_iter().map(|(_, result)| result).take(MOST_RESULTS).collect()
}

/// The rules of an audit.
pub(super) fn rules(audit: &AuditRecord) -> Vec<Value> {
    let uses = UseKind::ALL.into_iter().filter(|kind| kind.is_counted()).map(|kind| {
        let short = format!("A deprecated accessor remains ({}).", kind.as_str());
        rule(
            &id_of_use(kind),
            &short,
            "It reaches an object that all users of the process share: what one request sets on \
             it, another request uses.",
            "Take a factory that is made for the request, bound to its user.",
        )
    });
    let suspects = SuspectKind::ALL.into_iter().filter(|_| audit.searched_singletons).map(|kind| {
        let short = format!("All users may share this ({}).", kind.as_str());
        rule(
            &id_of_suspect(kind),
            &short,
            "It lives as long as the process, and code changes or fills it. A suspect, not a \
             verdict.",
            "Look whether data of one user can go in and come out for another.",
        )
    });
    uses.chain(suspects).collect()
}

fn rule(id: &str, short: &str, full: &str, help: &str) -> Value {
    json!({
        "id": id,
        "shortDescription": { "text": short },
        "fullDescription": { "text": full },
        "help": { "text": help },
        "properties": { "tags": ["security", "isolation"], "security-severity": "4.0" },
    })
}

fn id_of_use(kind: UseKind) -> String {
    format!("partywall/remaining-{}", kind.as_str().replace(' ', "-"))
}

fn id_of_suspect(kind: SuspectKind) -> String {
    format!("partywall/suspect-{}", kind.as_str().replace(' ', "-"))
}

/// How grave a use is: its rank, and its level.
fn level_of_use(found: &Use) -> (u8, &'static str) {
    match (found.code, found.risk) {
        (Code::Application, Risk::High) => (0, "error"),
        (Code::Application, _) if found.is_call_site() => (1, "warning"),
        _ => (2, "note"),
    }
}

fn of_use(audit: &AuditRecord, found: &Use, level: &str, print: &str) -> Value {
    let mut message = what(audit, found);
    if !found.shown_by.is_empty() {
        message = format!("{message}: {}", why(found));
    }
    if let Some(remedy) = remedy(audit, found) {
        message = format!("{message}; use {remedy}");
    }
    result(
        &id_of_use(found.kind),
        level,
        &message,
        &here(audit, &found.place),
        &found.shown_by,
        print,
    )
}

fn of_suspect(audit: &AuditRecord, found: &SingletonSuspect, level: &str, print: &str) -> Value {
    let id = id_of_suspect(found.kind);
    let from_here = |shown: &Shown| Shown {
        path: shown.path.as_ref().map(|path| from_here(audit, path)),
        ..shown.clone()
    };
    let shown: Vec<Shown> = found.shown_by.iter().map(from_here).collect();
    result(&id, level, &suspect(found), &here(audit, &found.place), &shown, print)
}

fn here(audit: &AuditRecord, place: &Place) -> Place {
    Place { path: from_here(audit, &place.path), ..place.clone() }
}

fn result(
    rule: &str,
    level: &str,
    message: &str,
    place: &Place,
    shown: &[Shown],
    print: &str,
) -> Value {
    let evidence = shown.iter().map(|shown| {
        let path = shown.path.as_deref().unwrap_or(&place.path);
        json!({
            "physicalLocation": {
                "artifactLocation": { "uri": uri(path) },
                "region": { "startLine": shown.line },
            },
            "message": { "text": safe_text::visible(&shown.what) },
        })
    });
    json!({
        "ruleId": rule,
        "level": level,
        "message": { "text": safe_text::visible(message) },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(&place.path) },
            "region": {
                "startLine": place.line,
                "startColumn": place.column,
                "endColumn": place.end_column,
            },
        }}],
        "relatedLocations": evidence.collect::<Vec<_>>(),
        "partialFingerprints": { "primaryLocationLineHash": print },
    })
}

fn notifications(audit: &AuditRecord) -> Vec<Value> {
    let note = |level: &str, text: String, path: &str| {
        json!({
            "level": level,
            "message": { "text": safe_text::visible(&text) },
            "locations": [{ "physicalLocation": { "artifactLocation": { "uri": uri(&from_here(audit, path)) } } }],
        })
    };
    let broken = audit.files.broken.iter().map(|file| note("note", partly_read(file), &file.path));
    let skipped =
        audit.files.skipped.iter().map(|file| note("error", file.why.clone(), &file.path));
    broken.chain(skipped).collect()
}

/// What stays the same when lines move; those alike are numbered.
fn fingerprint(words: &[&str], seen: &mut BTreeMap<String, u32>) -> String {
    let mut hash = Hash::new();
    for word in words {
        hash.update(word.as_bytes());
        hash.update([0]);
    }
    let print: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let number = seen.entry(print.clone()).or_default();
    *number += 1;
    format!("{print}:{number}")
}

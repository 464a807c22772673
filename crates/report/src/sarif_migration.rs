//! The states of a migration as results of SARIF: a migrated state that leaks, and each call site that
//! leaks although all others are migrated, at its line where an audit knows it.

use serde_json::{Value, json};

use super::audit_phrases::from_here;
use super::safe_text::{name, terminal};
use super::sarif_place::{location, physical};
use partywall_core::migration::{MigrationRecord, StateRow, StateVerdict};
use partywall_core::record::Record;

const LEAKS: &str = "partywall/migrated-state-leaks";
const LEFT: &str = "partywall/call-site-leaks";
/// How many leaks of a state are told.
const MOST_LEAKS: usize = 3;

/// The rules.
pub(super) fn rules() -> [Value; 2] {
    let rule = |id: &str, name: &str, short: &str, full: &str, help: &str| {
        json!({
            "id": id,
            "name": name,
            "shortDescription": { "text": short },
            "fullDescription": { "text": full },
            "help": { "text": help },
            "defaultConfiguration": { "level": "error" },
            "properties": {
                "tags": ["security", "concurrency", "isolation"],
                "security-severity": "8.0",
            },
        })
    };
    [
        rule(
            LEAKS,
            "MigratedStateLeaks",
            "Users get each other's data with every call site migrated.",
            "The state in which every call site is migrated was driven, and leaked.",
            "Replay the leak, and look for what users share besides the migrated call sites.",
        ),
        rule(
            LEFT,
            "CallSiteLeaks",
            "This call site leaks although all others are migrated.",
            "The state in which only this call site is legacy was driven, and leaked.",
            "Migrate this call site.",
        ),
    ]
}

/// The results.
pub(super) fn results(record: &Record) -> Vec<Value> {
    let Some(matrix) = &record.migration else { return Vec::new() };
    let end = matrix.states.iter().find(|row| row.migrated.len() == matrix.sites.len());
    let end = end.filter(|row| row.verdict == StateVerdict::Leaked);
    let end = end.map(|row| {
        json!({
            "ruleId": LEAKS,
            "level": "error",
            "message": { "text": format!("Every call site is migrated. {}", told(row)) },
            "locations": [location(record.source.as_ref(), "every call site migrated", None)],
            "partialFingerprints": { "primaryLocationLineHash": "migrated-state-leaks" },
        })
    });
    let left = matrix.leak_alone.iter().map(|site| of_site(record, matrix, site));
    end.into_iter().chain(left).collect()
}

fn of_site(record: &Record, matrix: &MigrationRecord, site: &str) -> Value {
    let is_alone = |row: &&StateRow| {
        row.migrated.len() + 1 == matrix.sites.len() && row.migrated.iter().all(|own| own != site)
    };
    let leaks = matrix.states.iter().find(is_alone).map(told).unwrap_or_default();
    let mut places = audited(record, matrix, site);
    let first = match places.is_empty() {
        true => location(record.source.as_ref(), site, None),
        false => places.remove(0),
    };
    let text = format!("{}: all other call sites are migrated. {leaks}", name(site));
    json!({
        "ruleId": LEFT,
        // The reference back end's legacy call sites are there to leak.
        "level": if matrix.is_listed() { "warning" } else { "note" },
        "message": { "text": text },
        "locations": [first],
        "relatedLocations": places,
        "partialFingerprints": { "primaryLocationLineHash": format!("call-site-{}", name(site)) },
    })
}

/// The lines at which the audit has that call site.
fn audited(record: &Record, matrix: &MigrationRecord, site: &str) -> Vec<Value> {
    let row = matrix.site_rows.iter().find(|row| row.site == site);
    let (Some(row), Some(audit)) = (row, &record.audit) else { return Vec::new() };
    let place = |place: &String| {
        let (path, line) = place.rsplit_once(':')?;
        let mut place =
            json!({ "physicalLocation": physical(&from_here(audit, path), line.parse().ok()?) });
        place["message"] = json!({ "text": format!("a use of {}", name(site)) });
        Some(place)
    };
    row.audited.iter().filter_map(place).collect()
}

/// What leaked in a state.
fn told(row: &StateRow) -> String {
    let leaks: Vec<String> =
        row.leaks.iter().take(MOST_LEAKS).map(|leak| terminal(&leak.what)).collect();
    format!("{} of {} trials leaked: {}", row.leaking, row.trials, leaks.join("; "))
}

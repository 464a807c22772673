//! An audit as JSON: the record as it is, to be read by scripts and as a baseline.

use serde::Deserialize;

use super::json::ReadError;
use partywall_core::audit::{AUDIT_VERSION, AuditRecord};

/// The record as pretty JSON, with a final newline.
pub fn render(audit: &AuditRecord) -> String {
    let mut text = serde_json::to_string_pretty(audit)
        .expect("an audit has string keys only, and nothing in it fails to serialise");
    text.push('\n');
    text
}

/// Reads an audit back.
///
/// # Errors
///
/// If the text is no audit, or one of another version; the error names the line and the column.
pub fn read(text: &str) -> Result<AuditRecord, ReadError> {
    // As with reports, another version is told as that and not as a missing field.
    #[derive(Deserialize)]
    struct Version {
        audit_version: u32,
    }
    let Version { audit_version } = serde_json::from_str(text).map_err(ReadError::from)?;
    if audit_version != AUDIT_VERSION {
        let message =
            format!("the audit has version {audit_version}; this partywall reads {AUDIT_VERSION}");
        return Err(ReadError { place: None, message });
    }
    serde_json::from_str(text).map_err(ReadError::from)
}

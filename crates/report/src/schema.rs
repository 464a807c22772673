//! The JSON Schema of `report.json`, made from the record itself, so that the two cannot differ.

use schemars::generate::SchemaSettings;

use partywall_core::record::{Record, SCHEMA_VERSION};

/// The schema (draft 2020-12) as JSON, with a final newline.
pub fn report_schema() -> String {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<Record>();
    schema.insert("$id".into(), format!("urn:partywall:report:{SCHEMA_VERSION}").into());
    schema.insert("title".into(), "A report of partywall".into());
    let mut text = serde_json::to_string_pretty(&schema)
        .expect("a schema has string keys only, and nothing in it fails to serialise");
    text.push('\n');
    text
}

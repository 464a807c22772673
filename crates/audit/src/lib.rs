//! The static audit: every use of a deprecated accessor in a source tree, and what else may be
//! shared by all users unnoticed.
//!
//! A file is parsed with tree-sitter if it holds one of the names, so that files with syntax
//! errors or newer syntax are searched too; [`language`] turns the tree into [`facts`], and the
//! rest is the same for all languages: [`bindings`] says which name means an accessor, and the
//! risk is what becomes of its result.
//!
//! # What it does not see
//!
//! A name is what it is spelled: a string put together at run time, `getattr` of a computed name,
//! and an alias that another file exports are not followed. A member of any object that has the
//! accessor's name is taken for the accessor.

pub mod baseline;
pub mod bindings;
mod broken;
mod error;
pub mod facts;
pub mod fix;
mod generated;
pub mod glob;
pub mod index;
mod judge;
pub mod language;
pub mod languages;
pub mod lines;
mod options;
pub mod outline;
mod parse;
mod reach;
mod risk;
mod routes;
mod search;
pub mod settings;
mod source_file;
mod summary;
mod suspects;
pub mod symbols;
pub mod syntax;
mod text;
mod uses;
mod walk;

use std::path::Path;

pub use error::AuditError;
pub use options::Options;

use partywall_core::audit::{AUDIT_VERSION, AuditRecord, FilesRow, SymbolRow};

/// Searches a folder or a file. `progress` is told how many of how many files are done.
///
/// # Errors
///
/// The root cannot be read.
pub fn audit(
    root: &Path,
    options: &Options,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<AuditRecord, AuditError> {
    let found = walk::files(root, &options.excluded)?;
    let mut files =
        FilesRow { found: found.files.len() as u64, skipped: found.skipped, ..FilesRow::default() };
    let mut symbols: Vec<SymbolRow> = options
        .symbols
        .iter()
        .map(|symbol| SymbolRow {
            name: symbol.name.clone(),
            replacement: symbol.replacement.clone(),
            replaced: 0,
        })
        .collect();
    let mut uses = Vec::new();
    let mut summaries = Vec::new();
    let names = summary::Names::default();
    for searched in search::search(&found.files, options, &names, progress) {
        files.parsed += u64::from(searched.parsed);
        files.broken.extend(searched.broken);
        files.skipped.extend(searched.skipped);
        files.generated += u64::from(searched.generated);
        uses.extend(searched.uses);
        summaries.extend(searched.summary);
        for (row, replaced) in symbols.iter_mut().zip(searched.replaced) {
            row.replaced += replaced;
        }
    }
    uses.sort_by(|one, other| {
        let weight = |found: &partywall_core::audit::Use| {
            (found.code, !found.kind.is_call_site(), found.risk)
        };
        weight(one).cmp(&weight(other)).then_with(|| one.place.cmp(&other.place))
    });
    let reach = reach::Reach::new(&summaries, &names);
    let suspects = judge::judge(&mut summaries, &reach);
    Ok(AuditRecord {
        audit_version: AUDIT_VERSION,
        partywall: env!("CARGO_PKG_VERSION").into(),
        root: root.display().to_string(),
        symbols,
        files,
        uses,
        searched_singletons: options.find_singletons,
        suspects,
        compared: None,
    })
}

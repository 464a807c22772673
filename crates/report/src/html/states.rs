//! The states of the migration as a table, and what follows from them.

use super::markup::{add, list, name, put, text};
use crate::migration::{HEADS, cells, legend, mark, summary, title, verdict};
use partywall_core::migration::{MigrationRecord, StateVerdict};
use partywall_core::record::Record;

/// So many states, and so many call sites, are told.
const MOST: usize = 512;

pub(super) fn states(page: &mut String, record: &Record) {
    let Some(matrix) = &record.migration else { return };
    put!(page, "<section id=\"migration\"><h2>{}</h2>", text(&title(matrix)));
    put!(page, "<div class=\"card\"><p>{}</p>", text(&verdict(matrix)));
    list(page, "plainlist", &summary(matrix, text), 120);
    table(page, matrix);
    add(page, "</div></section>\n");
}

fn table(page: &mut String, matrix: &MigrationRecord) {
    let open = if matrix.states.len() <= 16 { " open" } else { "" };
    put!(page, "<details class=\"more\"{open}><summary>Every state</summary>");
    put!(page, "<p class=\"small\">{}</p>", text(legend(matrix)));
    add(page, "<div class=\"scroll\"><table><thead><tr>");
    if matrix.is_listed() {
        add(page, "<th scope=\"col\">state</th>");
    }
    for site in matrix.sites.iter().take(MOST) {
        put!(page, "<th scope=\"col\">{}</th>", name(site));
    }
    add(page, "<th scope=\"col\">verdict</th>");
    for head in HEADS {
        put!(page, "<th scope=\"col\" class=\"n\">{head}</th>");
    }
    add(page, "</tr></thead><tbody>");
    for row in matrix.states.iter().take(MOST) {
        add(page, "<tr>");
        if matrix.is_listed() {
            let own = row.name.as_deref().unwrap_or_default();
            put!(page, "<th scope=\"row\">{}</th>", name(own));
        }
        for site in matrix.sites.iter().take(MOST) {
            put!(page, "<td>{}</td>", mark(row, site));
        }
        let class = match row.verdict {
            StateVerdict::Leaked => "bad",
            StateVerdict::Clean => "good",
            StateVerdict::Latent | StateVerdict::Inconclusive => "",
        };
        let told = row.verdict.as_str();
        put!(page, "<td><span class=\"tag {class}\">{told}</span></td>");
        for cell in cells(row) {
            put!(page, "<td class=\"n\">{cell}</td>");
        }
        add(page, "</tr>");
    }
    add(page, "</tbody></table></div></details>");
}

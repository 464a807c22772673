//! What stands below the findings: who saw whose, phases, times, models, cross-checks, oracles.

use super::markup::{add, list, name, put, text};
use super::{plots, states, tables};
use crate::{advice, audit_phrases, detection, models, phrases};
use partywall_core::record::Record;

/// How many rows of a table are told.
const MOST_ROWS: usize = 200;

pub(super) fn after_findings(page: &mut String, record: &Record) {
    if record.all_levels().next().is_some() {
        tables::leak_matrices(page, record);
        tables::phase_coverage(page, record);
        plots::times(page, record);
    }
    if let Some(matrix) = &record.detection {
        put!(page, "<section id=\"detection\"><h2>{}</h2>", text(&detection::title(matrix)));
        put!(page, "<p class=\"small\">{}</p><div class=\"card\">", text(&detection::how(matrix)));
        tables::detection(page, matrix);
        list(page, "plainlist", &detection::quiet(matrix, text), 20);
        add(page, "</div></section>\n");
    }
    kernel(page, record);
    cross_checks(page, record);
    source(page, record);
    oracles(page, record);
}

fn kernel(page: &mut String, record: &Record) {
    if record.models.is_empty() {
        return;
    }
    put!(
        page,
        "<section id=\"models\"><h2>{}</h2><div class=\"card\"><p class=\"small\">{}</p>",
        models::title(record),
        models::SENTENCE
    );
    list(page, "plainlist", &models::doubts(record, name), 20);
    add(
        page,
        "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">model</th><th \
               scope=\"col\">result</th><th scope=\"col\" class=\"n\">interleavings</th><th \
               scope=\"col\">search</th><th scope=\"col\" class=\"n\">controls caught</th></tr></thead><tbody>",
    );
    for row in models::ordered(record).into_iter().take(MOST_ROWS) {
        let class = if row.as_expected { "" } else { "bad" };
        put!(
            page,
            "<tr><th scope=\"row\">{}<br><span class=\"small\">{}</span></th><td><span class=\"tag \
             {class}\">{}</span></td><td class=\"n\">{}</td><td>{}</td><td class=\"n\">{} of {}</td></tr>",
            name(&row.name),
            text(&row.about),
            models::result(row),
            phrases::count(row.interleavings),
            models::search(row),
            row.controls_caught,
            row.controls_planted
        );
    }
    add(page, "</tbody></table></div>");
    for row in record.models.iter().filter(|row| row.story.is_some()).take(6) {
        let (lines, more) = crate::safe_text::lines(row.story.as_deref().unwrap_or_default(), 80);
        put!(
            page,
            "<details class=\"more\"><summary>The counterexample of {}</summary><pre class=\"story\">",
            name(&row.name)
        );
        for line in lines.iter().chain(&more) {
            // Made visible by `lines`; what is left is what markup must not see.
            put!(page, "{}\n", text(line));
        }
        add(page, "</pre></details>");
    }
    add(page, "</div></section>\n");
}

fn cross_checks(page: &mut String, record: &Record) {
    let lines = phrases::cross_checks(record, name);
    if lines.is_empty() {
        return;
    }
    add(
        page,
        "<section id=\"checks\"><h2>Findings of before, replayed after the migration</h2><div class=\"card\">",
    );
    list(page, "plainlist", &lines, 40);
    if !record.comparison.is_empty() {
        add(
            page,
            "<h3>What after must reach, or a lock around all would pass too</h3><div class=\"scroll\"><table><thead><tr><th \
                   scope=\"col\">level</th><th scope=\"col\">figure</th><th scope=\"col\" class=\"n\">reached / needed, %</th></tr></thead><tbody>",
        );
        for row in record.comparison.iter().take(MOST_ROWS) {
            let class = if row.met { "good" } else { "bad" };
            put!(
                page,
                "<tr><th scope=\"row\">{}, {}</th><td>{}</td><td class=\"n\"><span class=\"tag {class}\">{}</span></td></tr>",
                row.level.as_str(),
                name(&row.scenario),
                name(&row.figure),
                crate::comparison::need(row)
            );
        }
        add(page, "</tbody></table></div>");
    }
    add(page, "</div></section>\n");
}

/// The states of the migration, the call sites that remain, and the repros that were saved.
fn source(page: &mut String, record: &Record) {
    states::states(page, record);
    if let Some(audit) = &record.audit {
        let headline = text(&audit_phrases::headline(audit));
        put!(page, "<section id=\"audit\"><h2>In the source: {headline}</h2><div class=\"card\">");
        put!(page, "<p class=\"small\">{}</p>", text(&audit_phrases::searched(audit)));
        list(page, "plainlist", &audit_phrases::lines(audit, text), 60);
        add(page, "</div></section>\n");
    }
    let saved = phrases::saved_repros(record, text);
    if !saved.is_empty() {
        add(
            page,
            "<section id=\"saved\"><h2>Saved repros, replayed first</h2><div class=\"card\">",
        );
        list(page, "plainlist", &saved, 60);
        add(page, "</div></section>\n");
    }
}

fn oracles(page: &mut String, record: &Record) {
    add(page, "<section id=\"oracles\"><h2>Oracles and controls</h2><div class=\"card\">");
    let missed = advice::missed_controls(record, text);
    if !missed.is_empty() {
        add(page, "<h3>Controls that were missed</h3>");
        list(page, "plainlist", &missed, 20);
    }
    let blind = phrases::blind_oracles(record, text);
    if !blind.is_empty() {
        add(page, "<h3>Oracles that could say nothing</h3>");
        list(page, "plainlist", &blind, 20);
    }
    add(
        page,
        "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">oracle</th><th scope=\"col\">what it looks for</th>\
               <th scope=\"col\" class=\"n\">judged</th><th scope=\"col\" class=\"n\">findings</th></tr></thead><tbody>",
    );
    for rule in record.rules.iter().take(MOST_ROWS) {
        let rows = || {
            record
                .all_levels()
                .flat_map(|(_, level)| &level.oracles)
                .filter(|row| row.oracle == rule.oracle)
        };
        let judged = rows().fold(0_u64, |sum, row| sum.saturating_add(row.judged_items));
        let found = rows().fold(0_u64, |sum, row| sum.saturating_add(row.findings));
        put!(
            page,
            "<tr><th scope=\"row\">{}</th><td>{}<details class=\"more\"><summary>what it means, when it is blind, what to check</summary>\
             <p>{}</p><p>{}</p><p>{}</p></details></td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            rule.oracle,
            text(&rule.short),
            text(&rule.meaning),
            text(&rule.precondition),
            text(&rule.next),
            phrases::count(judged),
            phrases::count(found)
        );
    }
    add(page, "</tbody></table></div></div></section>\n");
}

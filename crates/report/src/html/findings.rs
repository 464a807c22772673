//! The findings, each a fold of its own with its timeline, its causes and its replay line.

use super::markup::{add, list, name, put, text};
use crate::groups::finding_groups;
use crate::phrases;
use partywall_core::finding::FindingKind;
use partywall_core::record::{FindingRecord, Level, Record};

/// How many findings are told; the rest is in `report.json`.
const MOST_FINDINGS: usize = 400;
/// How many names are offered for the filter by user.
const MOST_USERS: usize = 500;

/// A finding that is told, and the level that it was found at.
pub(super) struct Told<'r> {
    pub(super) id: String,
    pub(super) level: &'r Level,
    pub(super) finding: &'r FindingRecord,
}

pub(super) fn findings<'r>(page: &mut String, record: &'r Record) -> Vec<Told<'r>> {
    add(page, "<section id=\"findings\"><h2>Findings</h2>\n");
    let groups = finding_groups(record);
    let mut told = Vec::new();
    let all: usize = groups.iter().map(|group| group.found.len()).sum();
    if record.all_levels().next().is_none() {
        add(page, "<p class=\"card\">No trial is told by itself here: see the tables below.</p>");
    } else if all == 0 {
        add(page, "<p class=\"card\">Nothing was found.</p>");
    } else {
        let found = groups.iter().flat_map(|group| group.found.iter().map(|(_, found)| *found));
        filters(page, &found.collect::<Vec<_>>());
    }
    add(page, "<p id=\"shown\" class=\"small\" role=\"status\"></p>\n");
    add(
        page,
        "<noscript><p class=\"nojs\">The timelines and the filters need this file's own script; everything else is here without it.</p></noscript>\n",
    );
    for (number, group) in groups.iter().enumerate() {
        put!(
            page,
            "<p class=\"group\" data-group=\"g{number}\">{}: {}</p>\n",
            group.title,
            group.found.len()
        );
        for (at, (level, finding)) in group.found.iter().enumerate() {
            if told.len() >= MOST_FINDINGS {
                break;
            }
            let one = Told { id: format!("f{}", told.len() + 1), level, finding };
            // The first of each group is open: printed, it tells the story.
            article(page, &one, number, at == 0);
            told.push(one);
        }
    }
    if all > told.len() {
        put!(page, "<p>… and {} more findings in report.json.</p>\n", all - told.len());
    }
    add(page, "</section>\n");
    told
}

fn filters(page: &mut String, found: &[&FindingRecord]) {
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names.dedup();
        names
    };
    let users = found.iter().flat_map(|one| [one.victim.as_str(), one.observer.as_str()]);
    let users = sorted(users.take(MOST_USERS * 4).map(name).collect());
    let oracles = sorted(found.iter().map(|one| one.oracle.to_string()).collect());
    let mut runs: Vec<u16> = found.iter().filter_map(|one| one.victim_run).collect();
    runs.sort_unstable();
    runs.dedup();
    add(page, "<form class=\"card filters\" role=\"search\" aria-label=\"Filter the findings\">");
    add(
        page,
        "<label>User<input id=\"by-user\" list=\"users\" autocomplete=\"off\" placeholder=\"any\"></label><datalist id=\"users\">",
    );
    for user in users.iter().take(MOST_USERS) {
        put!(page, "<option value=\"{user}\">");
    }
    add(page, "</datalist><label>Run<select id=\"by-run\"><option value=\"\">any</option>");
    for run in runs.iter().take(MOST_USERS) {
        put!(page, "<option value=\"{run}\">run {run}</option>");
    }
    add(
        page,
        "</select></label><label>Oracle<select id=\"by-oracle\"><option value=\"\">any</option>",
    );
    for oracle in &oracles {
        put!(page, "<option>{oracle}</option>");
    }
    add(
        page,
        "</select></label><button id=\"clear\" type=\"reset\">Clear</button>\
               <button id=\"unfold\" type=\"button\">Unfold all</button></form>\n",
    );
}

fn article(page: &mut String, told: &Told<'_>, group: usize, open: bool) {
    let Told { id, level, finding } = told;
    let open = if open { " open" } else { "" };
    let moment = phrases::moment(finding, text, name).map(|moment| format!("{moment}; "));
    put!(
        page,
        "<details class=\"card finding\" id=\"{id}\" data-of=\"g{group}\"{open}><summary><span \
         class=\"what\">{}</span><span class=\"tags\"><span class=\"tag\">{}</span><span \
         class=\"tag bad\">{}</span></span><span class=\"where\">{}seen {}</span></summary>\
         <div class=\"body\">\n",
        text(&finding.summary),
        finding.oracle,
        finding.kind.as_str(),
        moment.unwrap_or_default(),
        phrases::seen(level, finding),
    );
    if level.timeline_of(finding).is_some() {
        timeline(page, told);
    }
    facts(page, told);
    add(page, "</div></details>\n");
}

fn timeline(page: &mut String, told: &Told<'_>) {
    let Some(timeline) = told.level.timeline_of(told.finding) else { return };
    add(
        page,
        "<div class=\"timeline\"><div class=\"tools\"><h4>Timeline, in the recorder's order</h4>\
         <button type=\"button\" class=\"all\">All users</button></div><div class=\"view\"></div>\
         <p class=\"detail\" role=\"status\"></p><div class=\"legend keys\">",
    );
    let keys = [
        ("▶", "starts a run"),
        ("○", "the back end emits"),
        ("◆", "configured or used inside"),
        ("●", "receives"),
        ("■", "an answer comes"),
        ("✕", "connection gone"),
        ("□", "stops waiting"),
    ];
    for (sign, words) in keys {
        put!(page, "<span><b aria-hidden=\"true\">{sign}</b> {words}</span>");
    }
    if told.finding.kind == FindingKind::Crossing {
        add(page, "<span><b aria-hidden=\"true\">!</b> about another user's run</span>");
    }
    add(
        page,
        "</div><div class=\"tools\"><h4>Step by step</h4><span class=\"small step-count\"></span>\
               <button type=\"button\" class=\"every\">All steps</button></div>\
               <div class=\"steps\" tabindex=\"0\" aria-label=\"Steps\"></div>",
    );
    if timeline.left_out > 0 {
        put!(
            page,
            "<p class=\"small\">{} of {} observations are left out.</p>",
            phrases::count(timeline.left_out),
            phrases::count(timeline.observations)
        );
    }
    put!(
        page,
        "<p class=\"small\">The full record: <code>{}</code></p></div>\n",
        text(&timeline.history)
    );
}

fn facts(page: &mut String, told: &Told<'_>) {
    let Told { level, finding, .. } = told;
    add(page, "<dl class=\"facts\">");
    if !finding.chain.is_empty() {
        add(page, "<dt>Causes, in this order</dt><dd><ol class=\"chain\">");
        for cause in finding.chain.iter().take(12) {
            put!(page, "<li>{}</li>", text(cause));
        }
        add(page, "</ol></dd>");
    }
    if let Some(mechanism) = &finding.mechanism {
        put!(page, "<dt>Likely mechanism</dt><dd>{}</dd>", text(mechanism));
    }
    add(page, "<dt>Evidence</dt><dd>");
    let evidence: Vec<String> = finding
        .evidence
        .iter()
        .map(|evidence| format!("observation {}: {}", evidence.n, text(&evidence.shows)))
        .collect();
    list(page, "plainlist", &evidence, 8);
    put!(page, "</dd><dt>Found by</dt><dd>{}</dd>", phrases::found_by(finding, name));
    if let Some(facts) = phrases::repro_facts(finding, text) {
        put!(page, "<dt>Repro</dt><dd>{facts}</dd>");
    }
    if let Some(timeline) = level.timeline_of(finding).filter(|line| !line.deviations.is_empty()) {
        add(
            page,
            "<dt>Schedule</dt><dd><details class=\"more\"><summary>where it deviates from the default policy</summary>",
        );
        let deviations: Vec<String> = timeline.deviations.iter().map(|words| text(words)).collect();
        list(page, "plainlist mono", &deviations, 40);
        add(page, "</details></dd>");
    }
    if let Some(command) = phrases::replay_command(finding.reproduce_with.as_deref()) {
        put!(
            page,
            "<dt>Reproduce with</dt><dd><div class=\"replay\"><code>{}</code><button \
             type=\"button\" class=\"copy\">Copy</button></div></dd>",
            crate::safe_text::html_command(command)
        );
    }
    add(page, "</dl>\n");
}

//! Above the fold: the verdict in one sentence, before beside after, what the confidence rests on,
//! and what was not tried.

use super::markup::{Tone, add, list, name, put, text};
use crate::comparison::{self, abbreviated, pairs};
use crate::{advice, bounds, heard, models, phrases, sentence};
use partywall_core::control::Drive;
use partywall_core::record::{Level, LevelName, Record};
use partywall_core::verdict::{Outcome, Verdict};

/// The least share of overlapping trials that counts as effort; as campaigns have it.
const LEAST_OVERLAP: f64 = 0.5;

pub(super) fn top(page: &mut String, record: &Record) {
    verdict(page, record);
    add(page, "<div class=\"grid\">\n");
    add(page, "<div class=\"column\">\n");
    let driven = record.all_levels().next().is_some();
    if driven {
        sides(page, record);
    }
    add(page, "<section class=\"card\"><h3>What was not tried</h3>");
    list(page, "plainlist small", &advice::not_tried(record, text), 8);
    add(page, "</section>\n</div>\n");
    if driven {
        confidence(page, record);
    }
    add(page, "</div>\n");
}

fn tone(outcome: Outcome) -> Tone {
    match outcome {
        Outcome::Clean | Outcome::Fixed => Tone::Good,
        Outcome::Leaked | Outcome::StillLeaks | Outcome::NotMigrated => Tone::Bad,
        Outcome::BaselineClean | Outcome::Inconclusive => Tone::Doubt,
    }
}

fn verdict(page: &mut String, record: &Record) {
    let tone = tone(record.verdict);
    put!(
        page,
        "<section class=\"card verdict {}\" id=\"verdict\"><p class=\"word\"><span class=\"sign\" \
         aria-hidden=\"true\">{}</span>{}</p><h1>{}</h1>",
        tone.class(),
        tone.sign(),
        sentence::headline(record.verdict),
        capitalised(&sentence::verdict(record)),
    );
    list(page, "", &advice::reasons(record, text), 6);
    let said = heard::lines(record, text);
    if !said.is_empty() {
        add(page, "<h3>What the server said</h3>");
        list(page, "", &said, 6);
    }
    let steps = advice::next_steps(record, text);
    if !steps.is_empty() {
        add(page, "<h3>What to do</h3>");
        list(page, "", &steps, 6);
    }
    let driven: Vec<String> = phrases::driven(record)
        .map(|(side, backend)| format!("<b>{side}</b> {}", text(backend)))
        .collect();
    put!(
        page,
        "<p class=\"meta\">{} · seed {} · {} · {:.1} s",
        driven.join(" · "),
        record.seed,
        name(&record.started_at),
        record.seconds
    );
    for subject in &record.subjects {
        put!(
            page,
            " · tested build {} <code>sha256:{}</code>",
            name(&subject.name),
            text(&subject.sha256)
        );
    }
    if let Some(partition) = record.partition {
        put!(page, " · part {} of {} of a campaign", partition.slice, partition.of);
    }
    add(page, "</p></section>\n");
}

fn capitalised(sentence: &str) -> String {
    let mut rest = sentence.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

/// A table: a row for each side of each level, the sides of one level beside each other.
fn sides(page: &mut String, record: &Record) {
    let title = if phrases::is_signoff(record) { "Before beside after" } else { "What was driven" };
    put!(
        page,
        "<section class=\"card\"><h3>{title}</h3><div class=\"scroll\"><table class=\"sides\"><thead><tr>"
    );
    for head in ["level", "side", "verdict"] {
        put!(page, "<th scope=\"col\">{head}</th>");
    }
    for (head, _) in columns() {
        put!(page, "<th scope=\"col\" class=\"n\">{head}</th>");
    }
    add(page, "</tr></thead>");
    for pair in pairs(record).iter().take(12) {
        add(page, "<tbody>");
        for (at, (side, level)) in pair.sides.iter().enumerate() {
            add(page, "<tr>");
            if at == 0 {
                put!(
                    page,
                    "<th scope=\"rowgroup\" rowspan=\"{}\">{}<br><span class=\"small\">{}</span></th>",
                    pair.sides.len(),
                    pair.level.as_str(),
                    name(pair.scenario)
                );
            }
            let (tone, word) = verdict_tag(level.verdict);
            put!(
                page,
                "<td>{side}</td><td><span class=\"tag {}\">{} {word}</span></td>",
                tone.class(),
                tone.sign()
            );
            for (_, cell) in columns() {
                put!(page, "<td class=\"n\">{}</td>", cell(level));
            }
            add(page, "</tr>");
        }
        add(page, "</tbody>");
    }
    add(page, "</table></div></section>\n");
}

fn verdict_tag(verdict: Verdict) -> (Tone, &'static str) {
    let tone = match verdict {
        Verdict::Clean => Tone::Good,
        Verdict::Leaked => Tone::Bad,
        Verdict::Inconclusive => Tone::Doubt,
    };
    (tone, phrases::verdict_word(verdict))
}

type Cell = fn(&Level) -> String;

fn columns() -> [(&'static str, Cell); 6] {
    [
        ("findings", |level| abbreviated(level.findings.len() as u64)),
        ("trials", |level| abbreviated(level.trials)),
        ("overlapping", |level| comparison::percent(level.trials_overlapping, level.trials)),
        ("completed", |level| comparison::percent(level.runs_completed, level.runs_started)),
        ("phases met", |level| {
            comparison::percent(level.phase_coverage.hit, level.phase_coverage.of)
        }),
        ("controls", |level| {
            let controls = &level.controls;
            format!("{} of {}", abbreviated(controls.caught), abbreviated(controls.planted))
        }),
    ]
}

/// The side whose confidence counts.
fn judged(record: &Record) -> Vec<&Level> {
    let side = if phrases::is_signoff(record) { "after" } else { "" };
    record.all_levels().filter(|(name, _)| *name == side).map(|(_, level)| level).collect()
}

fn confidence(page: &mut String, record: &Record) {
    let levels = judged(record);
    let driven: Vec<&Level> =
        levels.iter().copied().filter(|level| level.level != LevelName::Model).collect();
    let sum =
        |of: fn(&Level) -> u64| driven.iter().map(|level| of(level)).fold(0, u64::saturating_add);
    let mut checks: Vec<(Tone, &str, String)> = Vec::new();
    let met = |holds: bool| if holds { Tone::Good } else { Tone::Doubt };
    let (overlapping, trials) = (sum(|level| level.trials_overlapping), sum(|level| level.trials));
    let enough = |level: &&Level| {
        level.trials > 0 && level.trials_overlapping as f64 >= level.trials as f64 * LEAST_OVERLAP
            || level.method.is_systematic() && level.trials_overlapping > 0
    };
    checks.push((
        met(trials > 0 && driven.iter().all(enough)),
        "Overlap",
        format!(
            "{} of {} trials, {} pairs of runs of different users",
            abbreviated(overlapping),
            abbreviated(trials),
            abbreviated(sum(|level| level.overlapping_pairs))
        ),
    ));
    let (hit, of) = (sum(|level| level.phase_coverage.hit), sum(|level| level.phase_coverage.of));
    checks.push((
        met(hit > 0),
        "Phase coverage",
        format!("{} of the ways in which two runs can meet", comparison::percent(hit, of)),
    ));
    checks.extend(interleavings(record));
    checks.push(controls(&levels));
    let bounds = bounds::bounds(record, name, text);
    let bound = match bounds::short(record) {
        _ if bounds.is_empty() => "none can be stated".into(),
        short => format!(
            "{short}<details class=\"more\"><summary>in full</summary>{}</details>",
            bounds.join(" ")
        ),
    };
    checks.push((met(!bounds.is_empty()), "Bound", bound));
    if !record.comparison.is_empty() {
        let missed = record.comparison.iter().filter(|row| !row.met).count();
        let text = match missed {
            0 => "after overlapped, covered and completed as much as it must".to_owned(),
            n => format!("{n} figures of after are below what is needed"),
        };
        checks.push((met(missed == 0), "Beside before", text));
    }
    add(page, "<section class=\"card\"><h3>What the verdict rests on</h3><ul class=\"checks\">");
    for (tone, title, words) in checks {
        put!(
            page,
            "<li class=\"{}\"><span class=\"sign\" aria-hidden=\"true\">{}</span><span><b>{title}</b> \
             <span class=\"small\">{words}</span></span></li>",
            tone.class(),
            tone.sign()
        );
    }
    add(page, "</ul></section>\n");
}

fn interleavings(record: &Record) -> Option<(Tone, &'static str, String)> {
    let around: u64 =
        record.cross_checks.iter().fold(0, |sum, check| sum.saturating_add(check.schedules_around));
    let searched: u64 =
        record.models.iter().fold(0, |sum, row| sum.saturating_add(row.interleavings));
    if around == 0 && searched == 0 {
        return None;
    }
    let refuted = record.models.iter().any(models::unexpectedly_refuted);
    let doubtful = record.models.iter().any(|row| !row.as_expected);
    let tone = match (refuted, doubtful) {
        (true, _) => Tone::Bad,
        (false, true) => Tone::Doubt,
        (false, false) => Tone::Good,
    };
    let text = format!(
        "{} of the kernel's threads, {} schedules around {} repros",
        abbreviated(searched),
        abbreviated(around),
        record.cross_checks.len()
    );
    Some((tone, "Interleavings", text))
}

fn controls(levels: &[&Level]) -> (Tone, &'static str, String) {
    let sum =
        |of: fn(&Level) -> u64| levels.iter().map(|level| of(level)).fold(0, u64::saturating_add);
    let (planted, caught) =
        (sum(|level| level.controls.planted), sum(|level| level.controls.caught));
    let missed = levels.iter().any(|level| level.controls.drive == Drive::Missed);
    let fired = levels.iter().any(|level| level.controls.drive == Drive::Fired);
    let drive = match (missed, fired) {
        (true, _) => "a back end known to leak did not",
        (false, true) => "the back end known to leak did",
        (false, false) => "no back end known to leak was driven",
    };
    let tone = if planted > 0 && planted == caught && !missed { Tone::Good } else { Tone::Doubt };
    let text =
        format!("{} of {} planted were caught; {drive}", abbreviated(caught), abbreviated(planted));
    (tone, "Controls", text)
}

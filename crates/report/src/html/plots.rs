//! When leaks were found, and how long runs took, as small drawings beside their figures.

use super::markup::{add, name, put};
use crate::comparison::pairs;
use crate::phrases::count;
use partywall_core::measure::Spread;
use partywall_core::record::{Level, Record};

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 170.0;
/// The room for the figures at the left and below.
const LEFT: f64 = 44.0;
const BELOW: f64 = 26.0;

pub(super) fn times(page: &mut String, record: &Record) {
    add(
        page,
        "<section id=\"times\"><h2>Time to first leak, and latency</h2><div class=\"two\">\n",
    );
    for pair in pairs(record).iter().take(8) {
        let place = format!("{}, {}", pair.level.as_str(), name(pair.scenario));
        let leaking: Vec<_> =
            pair.sides.iter().filter(|(_, level)| !level.findings.is_empty()).copied().collect();
        if !leaking.is_empty() {
            put!(page, "<div class=\"card\"><h3>Findings by trial: {place}</h3>");
            discovery(page, &leaking);
            add(page, "</div>\n");
        }
        let timed: Vec<(&str, &Spread)> = pair
            .sides
            .iter()
            .filter_map(|(side, level)| Some((*side, level.latency.as_ref()?)))
            .collect();
        if !timed.is_empty() {
            put!(page, "<div class=\"card\"><h3>How long completed runs took: {place}</h3>");
            latency(page, &timed);
            add(page, "</div>\n");
        }
    }
    add(page, "</div></section>\n");
}

fn class(side: &str) -> &'static str {
    match side {
        "before" => "before",
        "after" => "after",
        _ => "plain",
    }
}

fn open(page: &mut String, label: &str) {
    put!(
        page,
        "<div class=\"scroll\"><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\" aria-label=\"{label}\">\
         <line class=\"rule\" x1=\"{LEFT}\" y1=\"{0}\" x2=\"{WIDTH}\" y2=\"{0}\"/><line class=\"rule\" x1=\"{LEFT}\" y1=\"6\" x2=\"{LEFT}\" y2=\"{0}\"/>",
        HEIGHT - BELOW
    );
}

/// How many distinct findings there were after so many trials; trials by orders of magnitude.
fn discovery(page: &mut String, leaking: &[(&'static str, &Level)]) {
    let last = leaking.iter().map(|(_, level)| level.trials).max().unwrap_or(1).max(2);
    let most = leaking.iter().map(|(_, level)| level.findings.len()).max().unwrap_or(1).max(1);
    let x =
        |trial: u64| LEFT + (trial.max(1) as f64).ln() / (last as f64).ln() * (WIDTH - LEFT - 10.0);
    let y = |found: usize| HEIGHT - BELOW - found as f64 / most as f64 * (HEIGHT - BELOW - 16.0);
    open(page, "Distinct findings by trial");
    put!(
        page,
        "<text class=\"faint\" x=\"{0}\" y=\"20\" text-anchor=\"end\">{most}</text><text class=\"faint\" x=\"{0}\" y=\"{1}\" text-anchor=\"end\">0</text>",
        LEFT - 6.0,
        HEIGHT - BELOW
    );
    let mut tick = 1;
    while tick <= last {
        put!(
            page,
            "<text class=\"faint\" x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            x(tick),
            HEIGHT - 8.0,
            count(tick)
        );
        let Some(next) = tick.checked_mul(10) else { break };
        tick = next;
    }
    for (side, level) in leaking {
        let mut trials: Vec<u64> = level.findings.iter().map(|found| found.first_trial).collect();
        trials.sort_unstable();
        let mut path = format!("M{LEFT} {:.1}", y(0));
        for (at, trial) in trials.iter().enumerate().take(500) {
            path.push_str(&format!("H{:.1}V{:.1}", x(*trial), y(at + 1)));
        }
        path.push_str(&format!("H{:.1}", x(level.trials)));
        put!(page, "<path class=\"line-{}\" d=\"{path}\"/>", class(side));
    }
    add(page, "</svg></div>");
    for (side, level) in leaking {
        let first = level.first_leak_at_trial.unwrap_or_default();
        put!(
            page,
            "<p class=\"small\">{side} first leak in trial {} of {}",
            count(first),
            count(level.trials)
        );
        if let Some(spread) = &level.time_to_first_leak {
            put!(page, "; within its trial it was seen after {}", figures(spread));
        }
        add(page, ".</p>");
    }
}

fn figures(spread: &Spread) -> String {
    format!(
        "{} {} (median; 90 % within {}, at most {}; n = {})",
        count(spread.median),
        spread.unit.as_str(),
        count(spread.p90),
        count(spread.most),
        count(spread.n)
    )
}

fn latency(page: &mut String, timed: &[(&str, &Spread)]) {
    let least = timed.iter().map(|(_, spread)| spread.least).min().unwrap_or(0);
    let most = timed.iter().map(|(_, spread)| spread.most).max().unwrap_or(1).max(least + 1);
    let x = |time: u64| {
        let share = time.saturating_sub(least) as f64 / (most - least) as f64;
        LEFT + share.clamp(0.0, 1.0) * (WIDTH - LEFT - 10.0)
    };
    let share = |spread: &Spread, count: u64| count as f64 / spread.n.max(1) as f64;
    let peak = timed
        .iter()
        .flat_map(|(_, spread)| spread.classes.iter().map(|class| share(spread, class.count)))
        .fold(f64::MIN_POSITIVE, f64::max);
    let unit = timed.first().map_or("", |(_, spread)| spread.unit.as_str());
    open(page, "How long runs took");
    put!(
        page,
        "<text class=\"faint\" x=\"{}\" y=\"20\" text-anchor=\"end\">{:.0} %</text>",
        LEFT - 6.0,
        peak * 100.0
    );
    for part in 0..=4_u64 {
        let time = least + (most - least) / 4 * part;
        let anchor = match part {
            0 => "start",
            4 => "end",
            _ => "middle",
        };
        let unit = if part == 4 { unit } else { "" };
        put!(
            page,
            "<text class=\"faint\" x=\"{:.1}\" y=\"{}\" text-anchor=\"{anchor}\">{} {unit}</text>",
            x(time),
            HEIGHT - 8.0,
            count(time)
        );
    }
    let wide = |from, to| f64::max(x(to) - x(from), 2.0);
    for (at, (side, spread)) in timed.iter().enumerate() {
        // The sides stand beside each other in each class.
        let part = 1.0 / timed.len() as f64;
        for class_ in spread.classes.iter().take(400) {
            let tall = share(spread, class_.count) / peak * (HEIGHT - BELOW - 16.0);
            let width = wide(class_.from, class_.to.saturating_add(1));
            put!(
                page,
                "<rect class=\"col-{}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
                class(side),
                x(class_.from) + width * part * at as f64,
                HEIGHT - BELOW - tall,
                width * part,
                tall
            );
        }
    }
    add(page, "</svg></div>");
    for (side, spread) in timed {
        put!(page, "<p class=\"small\">{side} {}</p>", figures(spread));
    }
}

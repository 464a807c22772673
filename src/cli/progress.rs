//! Progress to standard error: a bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output;
use crate::campaign::budget::Progress;
use crate::trial::record::FindingRecord;

/// So many findings are told as they are made.
const MOST_TOLD: u64 = 5;
/// The longest that is told of one, in characters.
const LONGEST_TOLD: usize = 300;
/// How often a plain line is printed at the most.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// Shows progress where it is read.
#[derive(Debug)]
pub(super) struct Shown {
    bars: bool,
    level: Mutex<Level>,
}

#[derive(Debug)]
struct Level {
    title: String,
    planned: u64,
    done: u64,
    overlapping: u64,
    findings: u64,
    /// Findings that were told as they were made.
    told: u64,
    bar: Option<ProgressBar>,
    last_line: Instant,
    started: Instant,
}

impl Shown {
    pub(super) fn new() -> Self {
        let level = Mutex::new(Level::begun(String::new(), 0, None));
        Self { bars: std::io::stderr().is_terminal(), level }
    }

    fn level(&self) -> MutexGuard<'_, Level> {
        self.level.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Level {
    fn begun(title: String, planned: u64, bar: Option<ProgressBar>) -> Self {
        let now = Instant::now();
        Self {
            title,
            planned,
            done: 0,
            overlapping: 0,
            findings: 0,
            told: 0,
            bar,
            last_line: now,
            started: now,
        }
    }

    /// A line beside the bar, if there is one.
    fn tell(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| output::complain(line)),
            None => output::complain(line),
        }
    }

    /// How far it has come; a search without a known end has no total.
    fn position(&self) -> String {
        match self.planned {
            0 => format!("{}", self.done),
            planned => format!("{} of {planned}", self.done),
        }
    }

    fn counts(&self) -> String {
        format!("{} overlapping, {} findings", self.overlapping, self.findings)
    }
}

impl Progress for Shown {
    fn begin(&self, side: &str, level: &str, scenario: &str, planned: u64) {
        let mut own = self.level();
        let title = format!("{side} {level} {scenario}").trim().to_owned();
        let bar = self.bars.then(|| {
            let target = ProgressDrawTarget::stderr();
            // Two lines, so that all of it is seen at 80 columns.
            let (total, template) = match planned {
                0 => (None, "{prefix}\n  {pos} {per_sec}  {msg}"),
                _ => (Some(planned), "{prefix}\n  {bar:16} {pos}/{len} {per_sec} eta {eta}  {msg}"),
            };
            let bar = ProgressBar::with_draw_target(total, target);
            let style = ProgressStyle::with_template(template);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_prefix(title.clone());
            bar
        });
        if bar.is_none() {
            let much = if planned == 0 { "until done".into() } else { format!("{planned} to go") };
            output::complain(&format!("{title}: {much}"));
        }
        *own = Level::begun(title, planned, bar);
    }

    fn extend(&self, most: u64, why: &str) {
        let mut own = self.level();
        if own.planned == most {
            return;
        }
        own.planned = most;
        match &own.bar {
            Some(bar) => {
                bar.set_length(most);
                bar.set_message(why.to_owned());
            }
            None => output::complain(&format!("{}: {why}", own.title)),
        }
    }

    fn advance(&self, done: u64, overlapping: u64, findings: u64) {
        let mut own = self.level();
        own.done = done;
        own.overlapping = overlapping;
        own.findings = findings;
        if let Some(bar) = &own.bar {
            bar.set_position(done);
            bar.set_message(own.counts());
        } else if own.last_line.elapsed() >= LINE_INTERVAL {
            own.last_line = Instant::now();
            let rate = done as f64 / own.started.elapsed().as_secs_f64().max(0.001);
            let left = match own.planned {
                0 => String::new(),
                planned => {
                    let seconds = planned.saturating_sub(done) as f64 / rate.max(0.001);
                    format!("{seconds:.0} s left, ")
                }
            };
            output::complain(&format!(
                "{}: {}, {rate:.0}/s, {left}{}",
                own.title,
                own.position(),
                own.counts()
            ));
        }
    }

    fn crossed(&self, what: &str) {
        let own = self.level();
        let seconds = own.started.elapsed().as_secs_f64();
        own.tell(&format!("after {seconds:.1} s: {what}"));
    }

    fn found(&self, finding: &FindingRecord) {
        let mut own = self.level();
        own.told += 1;
        let seconds = own.started.elapsed().as_secs_f64();
        // A broadcast makes thousands; the report has them all.
        let line = match own.told {
            ..=MOST_TOLD => {
                let summary: String = finding.summary.chars().take(LONGEST_TOLD).collect();
                format!("found after {seconds:.1} s: {} {summary}", finding.oracle)
            }
            told if told == MOST_TOLD + 1 => "more findings are in the report".to_owned(),
            _ => return,
        };
        own.tell(&line);
    }

    fn say(&self, what: &str) {
        if let Some(bar) = &self.level().bar {
            bar.set_message(what.to_owned());
        }
    }

    fn end(&self) {
        let own = self.level();
        if let Some(bar) = &own.bar {
            bar.finish_and_clear();
        }
        let seconds = own.started.elapsed().as_secs_f64();
        output::complain(&format!(
            "{}: {} in {seconds:.1} s, {}",
            own.title,
            own.position(),
            own.counts()
        ));
    }
}

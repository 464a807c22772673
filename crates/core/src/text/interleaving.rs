//! One explored trial, step by step: a column for each user.

use super::page::{Page, Paint, Style, wrap};
use super::safe_text::{self, columns};
use crate::ids::UserName;
use crate::timeline::{Interleaving, Mark};

/// The columns of the step's number and what follows it.
const STEP: usize = 7;
/// The narrowest column of a user; more users than have room are left out.
const NARROWEST: usize = 20;

/// The interleaving as text, with the crossing marked.
pub fn render(interleaving: &Interleaving, style: Style) -> String {
    let mut page = Page::new(style);
    let table = Table::new(interleaving, page.width());
    table.head(&mut page);
    let mut step = 0;
    let mut turnings = interleaving.turnings.iter().peekable();
    for mark in &interleaving.timeline.marks {
        while let Some(turning) = turnings.next_if(|turning| turning.after < mark.at) {
            table.steps(&mut page, step, turning.after);
            step = turning.after;
            let task = safe_text::terminal(turning.task.as_str());
            let passed = match turning.instead_of.as_str() {
                "" => String::new(),
                other => format!(" instead of {}", safe_text::terminal(other)),
            };
            page.hanging(Paint::Doubt, "  ----  ", &format!("DEVIATION: {task} goes on{passed}"));
        }
        table.steps(&mut page, step, mark.at.saturating_sub(1));
        step = step.max(mark.at);
        table.mark(&mut page, mark);
    }
    table.steps(&mut page, step, interleaving.steps.len() as u64);
    if interleaving.timeline.left_out > 0 {
        let text = format!("{} observations further away left out", interleaving.timeline.left_out);
        page.hanging(Paint::Faint, "", &text);
    }
    match &interleaving.summary {
        Some(summary) => {
            let summary = safe_text::terminal(summary);
            page.hanging(Paint::Bad, "  >>>   ", &format!("the finding: {summary}"));
        }
        None => page.hanging(Paint::Good, "", "The finding was not made in this replay."),
    }
    page.finish()
}

struct Table<'i> {
    interleaving: &'i Interleaving,
    /// The lanes that have a column.
    lanes: Vec<u32>,
    room: usize,
}

impl<'i> Table<'i> {
    fn new(interleaving: &'i Interleaving, width: usize) -> Self {
        let timeline = &interleaving.timeline;
        let mut counts: Vec<(u32, usize, bool)> = (0..timeline.lanes.len() as u32)
            .map(|lane| {
                let own = timeline.marks.iter().filter(|mark| mark.lane == lane);
                let proves = own.clone().any(|mark| interleaving.evidence.contains(&mark.n));
                (lane, own.count(), proves)
            })
            .collect();
        // Whoever takes part in the finding comes first.
        counts.sort_by_key(|(lane, count, proves)| (!proves, std::cmp::Reverse(*count), *lane));
        let most = (width.saturating_sub(STEP) / NARROWEST).max(1);
        let mut lanes: Vec<u32> =
            counts.iter().filter(|(_, count, _)| *count > 0).take(most).map(|own| own.0).collect();
        lanes.sort_unstable();
        let room = width.saturating_sub(STEP) / lanes.len().max(1);
        Self { interleaving, lanes, room }
    }

    fn name(&self, lane: u32) -> &'i str {
        self.interleaving.timeline.lanes.get(lane as usize).map_or("", UserName::as_str)
    }

    fn head(&self, page: &mut Page) {
        let mut line = format!("{:>STEP$}", "step  ");
        for lane in &self.lanes {
            line.push_str(&self.cell(&safe_text::name(self.name(*lane))));
        }
        page.row(Paint::Strong, line.trim_end());
        let others = self.interleaving.timeline.lanes.len() - self.lanes.len();
        if others > 0 {
            page.hanging(Paint::Faint, "", &format!("{others} other users are not shown"));
        }
    }

    fn cell(&self, text: &str) -> String {
        format!("{text}{}", " ".repeat(self.room.saturating_sub(columns(text))))
    }

    /// The steps after `from` up to `to` in which nothing was observed.
    fn steps(&self, page: &mut Page, from: u64, to: u64) {
        let (Ok(first), Ok(last)) = (usize::try_from(from), usize::try_from(to)) else { return };
        let quiet = self.interleaving.steps.get(first..last).unwrap_or_default();
        let mut tasks: Vec<(&str, u32)> = Vec::new();
        for task in quiet {
            match tasks.last_mut() {
                Some((last, count)) if *last == task.as_str() => *count += 1,
                _ => tasks.push((task.as_str(), 1)),
            }
        }
        let words = tasks.iter().map(|(task, count)| match count {
            1 => safe_text::name(task),
            many => format!("{} ({many} steps)", safe_text::name(task)),
        });
        let words = words.collect::<Vec<_>>().join(", ");
        if !words.is_empty() {
            page.hanging(Paint::Faint, "     .  ", &words);
        }
    }

    fn mark(&self, page: &mut Page, mark: &Mark) {
        let Some(place) = self.lanes.iter().position(|lane| *lane == mark.lane) else { return };
        let labels = &self.interleaving.timeline.labels;
        let label = labels.get(mark.label as usize).map_or("", String::as_str);
        let mut text = safe_text::terminal(label);
        let foreign = mark.owner.map(|owner| safe_text::name(self.name(owner)));
        let proves = self.interleaving.evidence.contains(&mark.n);
        let paint = match (&foreign, proves) {
            (Some(owner), _) => {
                text = format!(">>> {text}, of {owner}'s run");
                Paint::Bad
            }
            (None, true) => {
                text = format!(">>> {text}");
                Paint::Bad
            }
            (None, false) => Paint::Plain,
        };
        let indent = " ".repeat(place * self.room);
        for (at, line) in wrap(&text, self.room.saturating_sub(2)).iter().enumerate() {
            let step = if at == 0 { mark.at.to_string() } else { String::new() };
            page.row(paint, &format!("{step:>5}  {indent}{line}"));
        }
    }
}

//! An interleaving told as a story: the steps of each thread in order, side by side.

use super::spec::Property;
use super::stage::{Step, Violation};

/// How wide a story is drawn.
const WIDTH: usize = 80;
/// The room for a step's number.
const NUMBER: usize = 4;

/// What happened in one interleaving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// The model.
    pub model: &'static str,
    /// The control, if it is the story of one.
    pub control: Option<&'static str>,
    /// The bound of the search that it comes from.
    pub preemption_bound: Option<usize>,
    /// Its number in that search, from 1: with the bound, all that a replay needs.
    pub execution: u64,
    /// The threads, in the order of their start.
    pub threads: Vec<&'static str>,
    /// What they did, in order.
    pub steps: Vec<Step>,
    /// What was wrong; none in an interleaving that kept everything.
    pub violation: Option<Violation>,
}

impl Story {
    /// Whether that is what was wrong.
    pub fn violates(&self, property: Property) -> bool {
        self.violation.as_ref().is_some_and(|seen| seen.property == property)
    }
}

/// The story as a table with a column for each thread, at most 80 columns wide.
pub fn render_story(story: &Story) -> String {
    let mut text = format!("{}, interleaving {}\n", story.model, story.execution);
    if let Some(control) = story.control {
        text.push_str(&format!("Control: {control}.\n"));
    }
    text.push('\n');
    let width = (WIDTH - NUMBER) / story.threads.len().max(1);
    let heads: Vec<String> = story.threads.iter().map(|&name| name.to_owned()).collect();
    let rule = heads.iter().map(|_| "-".repeat(width - 2)).collect::<Vec<_>>();
    push_row(&mut text, "", &heads, width);
    push_row(&mut text, "", &rule, width);
    for (number, step) in (1..).zip(&story.steps) {
        let cell = format!("{}: {}", step.did, step.detail);
        let lines = wrap(&cell, width - 2);
        for (line, piece) in lines.into_iter().enumerate() {
            let mut cells = vec![String::new(); story.threads.len()];
            if let Some(column) = story.threads.iter().position(|&name| name == step.thread) {
                cells[column] = piece;
            }
            let number = if line == 0 { format!("{number}") } else { String::new() };
            push_row(&mut text, &number, &cells, width);
        }
    }
    text.push('\n');
    match &story.violation {
        Some(violation) => {
            let seen = format!("Wrong: {}.", violation.seen);
            let ought = format!("Ought to hold: {}.", violation.property);
            for line in wrap(&seen, WIDTH).into_iter().chain(wrap(&ought, WIDTH)) {
                text.push_str(&line);
                text.push('\n');
            }
        }
        None => text.push_str("Nothing wrong.\n"),
    }
    text
}

fn push_row(text: &mut String, number: &str, cells: &[String], width: usize) {
    let mut row = format!("{number:>2}  ");
    for cell in cells {
        row.push_str(&format!("{cell:<width$}"));
    }
    text.push_str(row.trim_end());
    text.push('\n');
}

/// Breaks at spaces; what is longer than a line by itself is cut.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut rest: Vec<char> = word.chars().collect();
        loop {
            let line = lines.last_mut().expect("there is always a line");
            let used = line.chars().count();
            let gap = usize::from(used > 0);
            if used + gap + rest.len() <= width {
                line.push_str(&" ".repeat(gap));
                line.extend(rest);
                break;
            }
            if used > 0 {
                lines.push(String::new());
            } else {
                line.extend(rest.drain(..width));
                lines.push(String::new());
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn lines_break_at_spaces_and_long_words_are_cut() {
        assert_eq!(wrap("reads bob's bridge", 11), ["reads bob's", "bridge"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("", 3), [""]);
    }
}

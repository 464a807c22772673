//! From a recorded history to what a report draws of it.

use std::collections::BTreeMap;

use crate::exploration::run_ends::run_ends;
use crate::store::repro::Repro;
use crate::store::run_folder::RunFolder;
use partywall_core::dialect::Dialect;
use partywall_core::finding::FindingKind;
use partywall_core::history::{History, Note, Observation, What};
use partywall_core::ids::UserName;
use partywall_core::record::{FindingRecord, Level, LevelName};
use partywall_core::timeline::{
    Crossing, MOST_MARKS, Mark, MarkKind, RunBar, RunEnd, TimeUnit, Timeline,
};
use partywall_oracles::{Case, Message};

/// A longer history is not read again for its picture: it was a flood.
const LONGEST_FILE: u64 = 256 << 20;
/// The most bytes of a label.
const LONGEST_LABEL: usize = 120;
/// The most different labels; what comes later is called `…`.
const MOST_LABELS: usize = 4_096;

/// Draws the trial of each finding of the level, from the histories that were written.
///
/// What cannot be read any more is not drawn: the picture is no evidence, the history is.
pub fn draw(folder: &RunFolder, level: &mut Level) {
    let unit = match level.level {
        LevelName::Wire => TimeUnit::Millisecond,
        _ => TimeUnit::Step,
    };
    let mut by_history: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, finding) in level.findings.iter().enumerate() {
        if let Some(history) = &finding.history {
            by_history.entry(history.clone()).or_default().push(at);
        }
    }
    for (file, findings) in by_history {
        let path = folder.file(&file);
        if std::fs::metadata(&path).map_or(true, |found| found.len() > LONGEST_FILE) {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let Ok(history) = History::from_file(&text) else { continue };
        let mut focus: Vec<&mut FindingRecord> = level
            .findings
            .iter_mut()
            .enumerate()
            .filter_map(|(at, finding)| findings.contains(&at).then_some(finding))
            .collect();
        let mut timeline = timeline(&history, &file, unit, &mut focus);
        timeline.deviations =
            focus.iter().find_map(|finding| deviations(folder, finding)).unwrap_or_default();
        level.timelines.push(timeline);
    }
}

/// Where the schedule of the finding's repro deviates, in words.
fn deviations(folder: &RunFolder, finding: &FindingRecord) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(folder.file(finding.repro.as_deref()?)).ok()?;
    let schedule = Repro::from_file(&text).ok()?.schedule().ok()?;
    let words = |deviation: &partywall_core::schedule::Deviation| {
        let after = match deviation.after.as_str() {
            "" => "at the start".to_owned(),
            task => format!("after step {} of {task}", deviation.step),
        };
        format!("{after}, {} goes on", deviation.run)
    };
    Some(schedule.deviations.iter().map(words).collect())
}

/// Draws the history, and states for each of the findings how the data went.
pub(crate) fn timeline(
    history: &History,
    file: &str,
    unit: TimeUnit,
    focus: &mut [&mut FindingRecord],
) -> Timeline {
    let dialect = Dialect::of(&history.plan);
    let case = Case::new(history, &dialect);
    let mut drawing = Drawing::new(&case);
    let marks = drawing.marks();
    for finding in focus.iter_mut() {
        finding.crossing = drawing.crossing(finding, &marks);
    }
    let runs = drawing.runs();
    let (marks, left_out) = drawing.closest(marks, focus);
    let shown = |run: &RunBar| left_out == 0 || marks.iter().any(|mark| mark.lane == run.lane);
    Timeline {
        history: file.to_owned(),
        unit,
        observations: history.observations.len() as u64,
        left_out,
        runs: runs.into_iter().filter(shown).collect(),
        lanes: drawing.lanes,
        labels: drawing.labels,
        marks,
        deviations: Vec::new(),
    }
}

struct Drawing<'c, 'h> {
    case: &'c Case<'h>,
    lanes: Vec<UserName>,
    places: BTreeMap<UserName, u32>,
    labels: Vec<String>,
    label_places: BTreeMap<String, u32>,
    messages: BTreeMap<usize, &'c Message<'h>>,
}

impl<'c, 'h> Drawing<'c, 'h> {
    fn new(case: &'c Case<'h>) -> Self {
        let lanes: Vec<UserName> =
            case.history.plan.users.iter().map(|user| user.name.clone()).collect();
        let places = lanes.iter().cloned().zip(0..).collect();
        let messages = case.messages.iter().map(|message| (message.at(), message)).collect();
        Self { case, lanes, places, labels: Vec::new(), label_places: BTreeMap::new(), messages }
    }

    fn lane(&self, user: &UserName) -> Option<u32> {
        self.places.get(user).copied()
    }

    fn label(&mut self, text: String) -> u32 {
        let mut text = text;
        if text.len() > LONGEST_LABEL {
            let end = (0..=LONGEST_LABEL).rev().find(|end| text.is_char_boundary(*end));
            text.truncate(end.unwrap_or(0));
            text.push('…');
        }
        if !self.label_places.contains_key(&text) && self.labels.len() >= MOST_LABELS {
            text = "…".into();
        }
        if let Some(place) = self.label_places.get(&text) {
            return *place;
        }
        let place = self.labels.len() as u32;
        self.labels.push(text.clone());
        self.label_places.insert(text, place);
        place
    }

    fn marks(&mut self) -> Vec<Mark> {
        let history = self.case.history;
        history
            .observations
            .iter()
            .enumerate()
            .filter_map(|(at, seen)| self.mark(at, seen))
            .collect()
    }

    fn mark(&mut self, at: usize, seen: &Observation) -> Option<Mark> {
        let by = seen.by.as_ref();
        let (what, text, run, owner) = match &seen.what {
            What::Connected { .. } => (MarkKind::Connected, "connected".to_owned(), None, None),
            What::Start { run, via, .. } => {
                (MarkKind::Start, format!("starts run {run}: {}", via.run_kind()), Some(*run), None)
            }
            What::Request { method, path, run, .. } => {
                (MarkKind::Request, format!("{method} {path}"), *run, None)
            }
            What::Received { .. } => self.message(at, MarkKind::Received),
            What::Aside { .. } => {
                (MarkKind::Received, "a ping, a pong or trailers".into(), None, None)
            }
            What::Answer { status, .. } => {
                let (what, text, run, owner) = self.message(at, MarkKind::Answer);
                (what, format!("{status} {text}"), run, owner)
            }
            What::Leave { vanished: true } => (MarkKind::Gone, "vanishes".into(), None, None),
            What::Leave { .. } => (MarkKind::Gone, "closes".into(), None, None),
            What::Ended { .. } => (MarkKind::Gone, "closed by the server".into(), None, None),
            What::Refused { status, .. } => {
                (MarkKind::Gone, format!("refused with {status}"), None, None)
            }
            What::Broken { .. } => (MarkKind::Gone, "connection broken".into(), None, None),
            What::GaveUp { run, .. } => {
                (MarkKind::GaveUp, "stops waiting".into(), Some(*run), None)
            }
            What::Backend { note } => return self.note(seen, note),
            _ => return None,
        };
        let lane = self.lane(by?)?;
        let label = self.label(text);
        let owner = owner.and_then(|owner| self.lane(&owner)).filter(|owner| *owner != lane);
        Some(Mark { n: seen.n, at: seen.at, lane, what, label, run, owner })
    }

    /// What a message is called, and whose run it is about.
    fn message(
        &self,
        at: usize,
        what: MarkKind,
    ) -> (MarkKind, String, Option<u16>, Option<UserName>) {
        let Some(message) = self.messages.get(&at) else {
            return (what, "a message that cannot be read".into(), None, None);
        };
        let text = match (self.case.kind(message), self.case.agent(message)) {
            (Some(kind), Some(agent)) => format!("{kind} of {agent}"),
            (Some(kind), None) => kind.to_owned(),
            (None, _) if what == MarkKind::Answer => "answer".into(),
            (None, _) => "a message without a type".into(),
        };
        let facts = self.case.facts(message);
        let owner = facts.and_then(|facts| facts.user.cloned());
        let run = facts.and_then(|facts| facts.run).or(message.asked_run);
        (what, text, run, owner)
    }

    /// What the back end reports of itself stands in the lane of the run's owner.
    fn note(&mut self, seen: &Observation, note: &Note) -> Option<Mark> {
        let (what, user, run, text) = match note {
            Note::Emitted { user, run, event, agent } => {
                (MarkKind::Emitted, user, run, format!("emits {event} of {agent}"))
            }
            Note::Configured { factory, user, run } => {
                (MarkKind::Internal, user, run, format!("the {factory} factory is configured"))
            }
            Note::Used { factory, user, run, agent, configured_for } => {
                let whose = match configured_for {
                    Some(other) if other != user => format!(", with settings of {other}"),
                    _ => String::new(),
                };
                let text = format!("{agent} is built from the {factory} factory{whose}");
                (MarkKind::Internal, user, run, text)
            }
            _ => return None,
        };
        let lane = self.lane(user)?;
        let run = self.case.run_owner(run.as_str()).filter(|(owner, _)| *owner == user);
        let run = run.and_then(|(_, run)| run);
        let label = self.label(text);
        Some(Mark { n: seen.n, at: seen.at, lane, what, label, run, owner: None })
    }

    fn runs(&self) -> Vec<RunBar> {
        let ends = run_ends(self.case);
        let last = self.case.history.observations.last().map_or(0, |seen| seen.n);
        let bar = |start: &partywall_oracles::case::Start<'_>| {
            let ended = ends.get(&(start.user.as_str(), start.run));
            let ended = ended.and_then(|at| self.case.history.observations.get(*at));
            let (to, end) = match (ended, start.gave_up) {
                (Some(seen), _) => (seen.n, RunEnd::Completed),
                (None, Some((n, true))) => (n, RunEnd::Lost),
                (None, Some((n, false))) => (n, RunEnd::Unknown),
                (None, None) => (last, RunEnd::Unknown),
            };
            let lane = self.lane(start.user)?;
            Some(RunBar { lane, run: start.run, via: start.via, from: start.n, to, end })
        };
        self.case.starts.iter().filter_map(bar).take(MOST_MARKS).collect()
    }

    /// From the last that the owner is known to have done or had done for that run, to where the
    /// observer first got it.
    fn crossing(&self, finding: &FindingRecord, marks: &[Mark]) -> Option<Crossing> {
        if finding.kind != FindingKind::Crossing || finding.victim == finding.observer {
            return None;
        }
        let (owner, observer) = (self.lane(&finding.victim)?, self.lane(&finding.observer)?);
        let inbound = |mark: &&Mark| {
            mark.lane == observer && matches!(mark.what, MarkKind::Received | MarkKind::Answer)
        };
        let place =
            |n: u64| marks.binary_search_by_key(&n, |mark| mark.n).ok().map(|at| &marks[at]);
        let to = finding.evidence.iter().filter_map(|evidence| place(evidence.n)).find(inbound)?.n;
        let before = marks.iter().rev().filter(|mark| mark.n < to && mark.lane == owner);
        let is_run = |mark: &&Mark| {
            finding.victim_run.is_none() || mark.run.is_none() || mark.run == finding.victim_run
        };
        let left = |mark: &&Mark| matches!(mark.what, MarkKind::Emitted | MarkKind::Start);
        let from = before.filter(is_run).find(left)?.n;
        Some(Crossing { from, to })
    }

    /// The marks that are drawn, and how many are not: those of the findings' users stay first,
    /// then those closest to what was seen.
    fn closest(&self, marks: Vec<Mark>, focus: &[&mut FindingRecord]) -> (Vec<Mark>, u64) {
        if marks.len() <= MOST_MARKS {
            return (marks, 0);
        }
        let mut centres: Vec<u64> = focus
            .iter()
            .flat_map(|finding| finding.evidence.iter().map(|evidence| evidence.n))
            .collect();
        centres.sort_unstable();
        let people: Vec<u32> = focus
            .iter()
            .flat_map(|finding| [&finding.victim, &finding.observer])
            .filter_map(|user| self.lane(user))
            .collect();
        let distance = |n: u64| {
            let at = centres.partition_point(|centre| *centre < n);
            let near = [at.checked_sub(1), Some(at)].into_iter().flatten();
            near.filter_map(|at| centres.get(at)).map(|centre| centre.abs_diff(n)).min()
        };
        let left_out = (marks.len() - MOST_MARKS) as u64;
        let mut ranked = marks;
        ranked.sort_by_key(|mark| (!people.contains(&mark.lane), distance(mark.n), mark.n));
        ranked.truncate(MOST_MARKS);
        ranked.sort_by_key(|mark| mark.n);
        (ranked, left_out)
    }
}

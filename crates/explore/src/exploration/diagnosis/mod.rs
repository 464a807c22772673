//! Diagnosis: which mechanism a leaking trial looks like, and what to check next.
//!
//! It asks what a person would ask: did whole messages go astray, or foreign text come in one's own;
//! what had happened before; which ids were the same. Where the signs fit none, it says so.

mod cause;
mod signs;

use std::cell::OnceCell;
use std::fmt;

use partywall_core::finding::{About, Finding, FindingKind, OracleId};
use partywall_core::history::History;
use partywall_core::mechanism::Mechanism;
use partywall_core::record::FindingRecord;

use signs::Signs;

/// Explains the findings of one trial, however it was driven: by what the back end reported of itself,
/// or else by what the trial looks like.
#[derive(Debug)]
pub struct Explainer<'h> {
    history: &'h History,
    findings: &'h [Finding],
    diagnosis: OnceCell<Diagnosis>,
}

impl<'h> Explainer<'h> {
    /// Of a trial and all that was found in it.
    pub fn new(history: &'h History, findings: &'h [Finding]) -> Self {
        Self { history, findings, diagnosis: OnceCell::new() }
    }

    /// The chain of causes of a finding, for its repro.
    pub fn story(&self, finding: &Finding) -> Vec<String> {
        cause::chain(self.history, finding)
    }

    /// Puts the chain of causes and the likely mechanism into the record.
    pub fn explain(&self, record: &mut FindingRecord, story: &[String]) {
        record.chain = story.to_vec();
        let looks = || self.diagnosis.get_or_init(|| diagnose(self.history, self.findings));
        let mechanism = cause::mechanism(&record.chain);
        record.mechanism = Some(mechanism.unwrap_or_else(|| looks().to_string()));
    }
}

/// What a leaking trial looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// The mechanism that the signs fit best; none where they fit none.
    pub likely: Option<Mechanism>,
    /// Whether it showed without runs of different users at a time: no race is needed.
    pub in_turn: bool,
}

/// Diagnoses a trial from its history and all that was found in it.
pub fn diagnose(history: &History, findings: &[Finding]) -> Diagnosis {
    let signs = Signs::of(history, findings);
    let likely = control(&signs)
        .or_else(|| storage(&signs))
        .or_else(|| misrouted(&signs))
        .or_else(|| upstream(&signs))
        .or_else(|| foreign_text(&signs))
        .or_else(|| loss(&signs));
    Diagnosis { likely, in_turn: signs.in_turn }
}

/// A control that hit another run.
fn control(signs: &Signs<'_>) -> Option<Mechanism> {
    signs.any(OracleId::ControlEffect).then_some(Mechanism::M23)
}

/// What is wrong only where conversations are read back.
fn storage(signs: &Signs<'_>) -> Option<Mechanism> {
    let stored = signs.by(OracleId::AtRest);
    if stored.is_empty() {
        return None;
    }
    if stored.iter().all(|found| found.kind != FindingKind::Crossing) {
        let only = signs.by(OracleId::Canary).is_empty();
        return only.then_some(Mechanism::M24);
    }
    if signs.read_default_thread() {
        return Some(Mechanism::M14);
    }
    let only_there = signs.by(OracleId::Canary).iter().all(|found| signs.is_of_a_read(found));
    (only_there && !signs.is_misrouted()).then_some(Mechanism::M10)
}

/// Whole messages that came to the wrong user.
fn misrouted(signs: &Signs<'_>) -> Option<Mechanism> {
    if signs.one_id_for_two() {
        return Some(Mechanism::M04);
    }
    if !signs.is_misrouted() {
        return None;
    }
    if signs.shares_a_browser() && signs.answers_are_foreign() {
        return Some(Mechanism::M19);
    }
    if signs.only_after_cursors() {
        return Some(Mechanism::M17);
    }
    if signs.one_event_for_many() {
        return Some(Mechanism::M12);
    }
    if signs.events_take_turns() {
        return Some(Mechanism::M13);
    }
    Some(if signs.only_equal_requests() { Mechanism::M03 } else { Mechanism::M05 })
}

/// Calls upstream with a wrong identity, or with foreign text.
fn upstream(signs: &Signs<'_>) -> Option<Mechanism> {
    let calls = signs.by(OracleId::Attribution);
    let about = |what: About| calls.iter().any(|found| found.about == what);
    if calls.is_empty() {
        return None;
    }
    if calls.iter().any(|found| found.observer_operation == "upstream tool") {
        return Some(Mechanism::M11);
    }
    if about(About::Account) {
        return Some(Mechanism::M22);
    }
    if !about(About::Prompt) {
        return Some(Mechanism::M07);
    }
    if signs.only_default_threads() {
        return Some(Mechanism::M14);
    }
    Some(if signs.victims_had_failed() { Mechanism::M08 } else { Mechanism::M06 })
}

/// Foreign text, or text of another run, in one's own messages.
fn foreign_text(signs: &Signs<'_>) -> Option<Mechanism> {
    let crossed = signs.by(OracleId::Canary);
    if crossed.is_empty() && signs.by(OracleId::Binding).is_empty() {
        return None;
    }
    if signs.by(OracleId::Canary).iter().all(|found| signs.is_of_a_read(found))
        && !crossed.is_empty()
    {
        return Some(Mechanism::M10);
    }
    if signs.only_equal_messages() {
        let known = signs.was_known_before();
        return Some(if known { Mechanism::M15 } else { Mechanism::M16 });
    }
    if signs.only_in_results() {
        return Some(Mechanism::M09);
    }
    if signs.was_anything_cut() {
        let late = signs.victims_were_cut();
        return Some(if late { Mechanism::M02 } else { Mechanism::M01 });
    }
    Some(Mechanism::M21)
}

/// What did not come, and nobody else got.
fn loss(signs: &Signs<'_>) -> Option<Mechanism> {
    let lost = signs.by(OracleId::Completeness);
    if lost.is_empty() {
        return None;
    }
    if signs.only_those_who_came_back() {
        return Some(Mechanism::M18);
    }
    let gap = lost.iter().any(|found| found.about == About::Gap);
    gap.then_some(Mechanism::M20)
}

impl Diagnosis {
    /// What to look at next.
    pub fn next(self) -> &'static str {
        match self.likely {
            Some(mechanism) => next(mechanism),
            None => "compare the observers: who saw it, on which connection, after which event",
        }
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.likely {
            Some(mechanism) => {
                let name = mechanism.facts().name;
                write!(out, "looks like {mechanism} {name}; next: {}", self.next())
            }
            None => write!(out, "fits no known mechanism; next: {}", self.next()),
        }?;
        match self.in_turn {
            true => out.write_str("; users came one after the other, so no race is needed"),
            false => Ok(()),
        }
    }
}

/// What to look at next where it looks like that.
fn next(mechanism: Mechanism) -> &'static str {
    match mechanism {
        Mechanism::M01 => "what a dropped call does to its upstream connection",
        Mechanism::M02 => "when the id of a call that was given up becomes free",
        Mechanism::M03 => "which map is keyed by an id that the client chooses",
        Mechanism::M04 => "what run and session ids are made of",
        Mechanism::M05 => "which shared object points to the current connection, session or user",
        Mechanism::M06 => "which object with user data is made once for the process",
        Mechanism::M07 => "which setting of the process is set and put back around a request",
        Mechanism::M08 => "what a failing request leaves on the worker that the next one takes",
        Mechanism::M09 => "whether an error path gives a pooled object back twice",
        Mechanism::M10 => "what work outlives its request, and which buffers it reads",
        Mechanism::M11 => "where the identity of a tool call comes from, and who set it last",
        Mechanism::M12 => "what a send does when its target has no connection",
        Mechanism::M13 => "how many readers one queue has",
        Mechanism::M14 => "which key stands for a conversation that is not named",
        Mechanism::M15 => "what the keys of a cache are made of",
        Mechanism::M16 => "what makes one request join another that is under way",
        Mechanism::M17 => "by what the log for cursors is filtered",
        Mechanism::M18 => "by which key the end of a connection removes it",
        Mechanism::M19 => "when a kept connection asks again who is there",
        Mechanism::M20 => "which bounded buffer is shared, and what happens when it is full",
        Mechanism::M21 => "how the answers of a batch find their requests",
        Mechanism::M22 => "what the shared client of the upstream remembers",
        Mechanism::M23 => "by which key a control finds its run",
        Mechanism::M24 => "what serialises two turns of one conversation",
    }
}

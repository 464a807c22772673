//! O9 for servers that a scenario describes: what was asked for is in the history, whatever carried it.
//!
//! A run may end as stopped for a reason of the server's own: a connection that was lost, a newer
//! turn in the same conversation. So a run accuses only where nothing of that kind was, and where
//! somebody asked for a stop that was not of this run by its user: of this run, or of one that went
//! on, so that the stop went elsewhere. One stop explains one run.

use std::collections::{BTreeMap, BTreeSet};

use super::case::{Case, Start};
use super::edits::{Alteration, Edit};
use super::interruptions::Interruptions;
use super::message::{Channel, Message};
use super::suspects::{Suspects, own, shows};
use partywall_core::finding::{Evidence, FindingKind, Suspect};
use partywall_core::history::What;
use partywall_core::ids::{RunId, UserName};
use partywall_core::plan::ControlAction;
use partywall_core::reader::says_stopped;

/// What a user asked to be done to a run.
#[derive(Clone, Copy, Debug)]
struct Control<'h> {
    n: u64,
    at: usize,
    by: &'h UserName,
    action: ControlAction,
    owner: &'h UserName,
    run: u16,
    id: Option<&'h str>,
}

/// The end of a run, as its user saw it.
#[derive(Clone, Copy, Debug)]
struct End<'c> {
    n: u64,
    start: &'c Start<'c>,
    id: Option<&'c str>,
    stopped: bool,
    channel: Channel,
}

impl Control<'_> {
    fn is_of(&self, end: &End<'_>) -> bool {
        let same = self.id.is_some() && self.id == end.id;
        self.owner == end.start.user && (self.run == end.start.run || same)
    }

    fn is_own(&self) -> bool {
        self.by == self.owner
    }
}

/// What was found, and how much was looked at.
pub(super) fn judge(case: &Case<'_>) -> (Suspects, u64) {
    let mut suspects = Suspects::default();
    let controls = controls(case);
    if controls.is_empty() {
        return (suspects, 0);
    }
    let interruptions = Interruptions::of(case);
    let mut ends: Vec<End<'_>> = ends(case).collect();
    ends.sort_by_key(|end| end.n);
    let mut astray = astray(case, &interruptions, &controls, &ends);
    let mut items = 0;
    for end in &ends {
        let concerned = controls.iter().any(|control| control.n < end.n && control.is_of(end));
        items += u64::from(concerned);
        if end.stopped {
            items += u64::from(!concerned);
            suspects_of_stopped(case, &interruptions, &controls, &mut astray, end, &mut suspects);
        } else {
            suspects_of_approved(case, &controls, end, &mut suspects);
        }
    }
    (suspects, items)
}

/// The stops that did not stop whom they were for: those of runs that ended otherwise, or are not
/// known to have been. Of a run that was cut, or whose user gave up, nobody knows.
fn astray(
    case: &Case<'_>,
    interruptions: &Interruptions,
    controls: &[Control<'_>],
    ends: &[End<'_>],
) -> BTreeSet<u64> {
    let missed = |stop: &&Control<'_>| match ends.iter().find(|end| stop.is_of(end)) {
        Some(end) => !end.stopped,
        None => case.start_of(stop.owner, stop.run).is_none_or(|start| {
            start.gave_up.is_none() && !interruptions.is_cut(case, start, u64::MAX)
        }),
    };
    let stops = controls.iter().filter(|control| control.action == ControlAction::Stop);
    stops.filter(missed).map(|stop| stop.n).collect()
}

/// A run that was stopped although its user did not ask for it, and somebody asked for something
/// else.
fn suspects_of_stopped(
    case: &Case<'_>,
    interruptions: &Interruptions,
    controls: &[Control<'_>],
    astray: &mut BTreeSet<u64>,
    end: &End<'_>,
    suspects: &mut Suspects,
) {
    let stops = || {
        let earlier =
            |control: &&Control<'_>| control.action == ControlAction::Stop && control.n < end.n;
        controls.iter().filter(earlier)
    };
    if stops().any(|stop| stop.is_own() && stop.is_of(end))
        || has_other_reason(case, interruptions, end)
    {
        return;
    }
    let of_this = stops().rfind(|stop| stop.is_of(end));
    let Some(stop) = of_this.or_else(|| stops().rfind(|stop| astray.contains(&stop.n))) else {
        return;
    };
    astray.remove(&stop.n);
    let asked = format!("{} stops run {} of {}", stop.by, stop.run, stop.owner);
    let (user, run) = (end.start.user, end.start.run);
    let ended = format!("run {run} of {user} ends as stopped, which {user} did not ask for");
    let evidence = vec![shows(stop.n, asked), shows(end.n, ended)];
    suspects.add(suspect(end, "a stop of", evidence));
}

/// Whether a server might stop the run by itself.
fn has_other_reason(case: &Case<'_>, interruptions: &Interruptions, end: &End<'_>) -> bool {
    let start = end.start;
    let left =
        start.gave_up.is_some_and(|(n, _)| n < end.n) || interruptions.is_cut(case, start, end.n);
    let newer = |other: &Start<'_>| {
        other.user == start.user
            && other.thread == start.thread
            && other.n > start.n
            && other.n < end.n
    };
    left || case.starts.iter().any(newer)
}

/// A run that waited for its user's approval and went on to its end with another's.
fn suspects_of_approved(
    case: &Case<'_>,
    controls: &[Control<'_>],
    end: &End<'_>,
    suspects: &mut Suspects,
) {
    let asks = case.history.plan.protocol.controls.asks.as_str();
    let approvals = || {
        let earlier = |control: &&Control<'_>| {
            control.action == ControlAction::Approve && control.is_of(end) && control.n < end.n
        };
        controls.iter().filter(earlier)
    };
    let Some(foreign) = approvals().find(|approval| !approval.is_own()) else { return };
    if asks.is_empty() || approvals().any(Control::is_own) {
        return;
    }
    let asked = case.messages.iter().find(|message| {
        let of_it = case.run_id(message).is_some_and(|run| Some(run) == end.id);
        of_it && message.observer == end.start.user && case.kind(message) == Some(asks)
    });
    let Some(asked) = asked.filter(|asked| asked.n < end.n) else { return };
    let (user, run) = (end.start.user, end.start.run);
    let by = format!("{} approves run {run} of {user}", foreign.by);
    let ended = format!("run {run} of {user} comes to its end without the approval of {user}");
    let evidence = vec![
        shows(asked.n, format!("run {run} of {user} asks for its approval")),
        shows(foreign.n, by),
        shows(end.n, ended),
    ];
    suspects.add(suspect(end, "an approval of", evidence));
}

fn suspect(end: &End<'_>, of: &str, evidence: Vec<Evidence>) -> Suspect {
    let Start { user, run, via, .. } = end.start;
    let (operation, seen_on) = (format!("{of} {}", via.run_kind()), end.channel.as_str());
    own(FindingKind::Misdirected, user, Some(*run), operation, seen_on, evidence)
}

/// A stop that its user never asked for: theirs is taken for one of another run.
pub(super) fn alterations(
    case: &Case<'_>,
    known: &[Suspect],
    rng: &mut fastrand::Rng,
) -> Vec<Alteration> {
    let controls = controls(case);
    let interruptions = Interruptions::of(case);
    let own = |end: End<'_>| {
        let is_new = known.iter().all(|known| known.victim != *end.start.user);
        let mut stops = controls
            .iter()
            .filter(|stop| stop.action == ControlAction::Stop && stop.is_own() && stop.is_of(&end));
        let (first, second) = (stops.next()?, stops.next());
        let alone = second.is_none() && first.n < end.n;
        (end.stopped && alone && is_new && !has_other_reason(case, &interruptions, &end))
            .then_some(*first)
    };
    let candidates: Vec<Control<'_>> = ends(case).filter_map(own).collect();
    let Some(stop) = rng.choice(&candidates) else { return Vec::new() };
    // A run that there is not, so that it cannot have been stopped.
    let theirs = case.starts.iter().filter(|start| start.user == stop.owner);
    let last = theirs.map(|start| start.run).max().unwrap_or_default();
    let Some(other) = last.checked_add(1) else { return Vec::new() };
    let what =
        What::Control { action: stop.action, user: stop.owner.clone(), run: other, id: None };
    vec![Alteration {
        what: format!("a stop of {} that was of another run", stop.owner),
        edits: vec![Edit::Replace { at: stop.at, what }],
        kind: FindingKind::Misdirected,
        victim: stop.owner.clone(),
        observer: stop.owner.clone(),
    }]
}

fn controls<'h>(case: &Case<'h>) -> Vec<Control<'h>> {
    let control = |&(at, seen): &(usize, &'h partywall_core::history::Observation)| {
        let What::Control { action, user, run, id } = &seen.what else { return None };
        let by = seen.by.as_ref()?;
        let (action, run, id) = (*action, *run, id.as_ref().map(RunId::as_str));
        Some(Control { n: seen.n, at, by, action, owner: user, run, id })
    };
    case.acts.iter().filter_map(control).collect()
}

/// The first end of each run that its own user saw.
fn ends<'c>(case: &'c Case<'_>) -> impl Iterator<Item = End<'c>> {
    let mut first: BTreeMap<(&str, u16), End<'c>> = BTreeMap::new();
    for message in &case.messages {
        let Some(start) = ended_run(case, message) else { continue };
        if start.user != message.observer {
            continue;
        }
        first.entry((start.user.as_str(), start.run)).or_insert_with(|| End {
            n: message.n,
            start,
            id: case.run_id(message),
            stopped: is_stopped(case, message),
            channel: message.channel,
        });
    }
    first.into_values()
}

/// The run that the message ends.
fn ended_run<'c>(case: &'c Case<'_>, message: &Message<'_>) -> Option<&'c Start<'c>> {
    if message.channel == Channel::HttpAnswer {
        let start = case.start_of(message.observer, message.asked_run?)?;
        return (start.via == partywall_core::plan::Via::Http).then_some(start);
    }
    let facts = case.facts(message).filter(|_| message.is_terminal)?;
    case.start_of(facts.user?, facts.run?)
}

fn is_stopped(case: &Case<'_>, message: &Message<'_>) -> bool {
    let tree = case.payload(message).json.tree();
    tree.is_some_and(|tree| says_stopped(case.dialect, &tree))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notation::{history, told};
    use partywall_core::dialect::Dialect;

    /// What is found where three users each start a run; `USER gets stop OTHER RUN` stands for
    /// asking for that.
    fn found(text: &str) -> Vec<String> {
        let begin = "alice connects; bob connects; carol connects; alice starts r1; bob starts r1; \
                     carol starts r1; ";
        let mut history = history(&format!("{begin}{text}"));
        for seen in &mut history.observations {
            let What::Received { raw } = &seen.what else { continue };
            let said = raw.text().into_owned();
            let Some((user, run)) = said.strip_prefix("stop ").and_then(|of| of.split_once(' '))
            else {
                continue;
            };
            let (user, run) = (user.into(), run.parse().expect("a number"));
            seen.what = What::Control { action: ControlAction::Stop, user, run, id: None };
        }
        let mut dialect = Dialect::reference();
        dialect.stopped_at = std::mem::take(&mut dialect.why_ended);
        dialect.connection.clear();
        (dialect.state, dialect.strict) = (String::new(), false);
        judge(&Case::new(&history, &dialect)).0.finish().iter().map(told).collect()
    }

    #[test]
    fn a_stop_that_hit_whom_it_was_for_explains_no_other() {
        const ALICE: &str = "misdirected alice r1: a stop of chat over websocket @ websocket";
        const CAROL: &str = "misdirected carol r1: a stop of chat over websocket @ websocket";
        // The server stopped alice's run for a reason of its own.
        let none: [&str; 0] = [];
        assert_eq!(found("bob gets stop bob 1; r1 of bob stops 1; r1 of alice stops 1"), none);
        assert_eq!(found("bob gets stop bob 1; r1 of alice stops 1; r1 of bob stops 1"), none);
        // Bob's went on: his stop went elsewhere, to one of them.
        assert_eq!(found("bob gets stop bob 1; r1 of alice stops 1; r1 of bob ends 1"), [ALICE]);
        let one = "bob gets stop bob 1; r1 of carol stops 1; r1 of alice stops 1; r1 of bob ends 1";
        assert_eq!(found(one), [CAROL]);
        // Whether it hit a run whose connection broke, nobody knows.
        assert_eq!(found("bob gets stop bob 1; bob breaks; r1 of alice stops 1"), none);
        // What another asked of this very run accuses in any case.
        assert_eq!(found("bob gets stop alice 1; r1 of alice stops 1; r1 of bob ends 1"), [ALICE]);
    }
}

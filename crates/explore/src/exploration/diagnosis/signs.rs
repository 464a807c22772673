//! The signs of a leaking trial: what was found, to whom it came, and what had happened before.

use std::collections::{BTreeMap, BTreeSet};

use crate::exploration::overlap::overlap;
use crate::exploration::run_ends::run_ends;
use partywall_core::dialect::Dialect;
use partywall_core::failure::Cause;
use partywall_core::finding::{About, Finding, FindingKind, OracleId};
use partywall_core::history::{History, What};
use partywall_core::ids::UserName;
use partywall_core::plan::{
    DEFAULT_THREAD, FaultKind, NO_SUCH_AGENT, RunPlan, Step, Twist, UserPlan,
};
use partywall_oracles::Case;
use partywall_oracles::message::{Channel, Message};

/// What is known of a leaking trial.
pub(super) struct Signs<'h> {
    history: &'h History,
    findings: &'h [Finding],
    /// The messages on event connections that name another user's run: victim, observer, run and
    /// number of the event.
    astray: Vec<Astray>,
    /// For each run, by its id: the numbers that came to its own user.
    home: BTreeMap<String, Vec<u64>>,
    /// What the messages are, by the number of their observation.
    kinds: BTreeMap<u64, String>,
    /// Whether no runs of different users overlapped.
    pub(super) in_turn: bool,
}

/// A message that came to the wrong user.
struct Astray {
    victim: UserName,
    run: Option<u16>,
    observer: UserName,
    id: String,
    sequence: u64,
    connection: String,
}

impl<'h> Signs<'h> {
    pub(super) fn of(history: &'h History, findings: &'h [Finding]) -> Self {
        let dialect = Dialect::of(&history.plan);
        let case = Case::new(history, &dialect);
        let mut signs = Self {
            history,
            findings,
            astray: Vec::new(),
            home: BTreeMap::new(),
            kinds: BTreeMap::new(),
            in_turn: overlap(&case, &run_ends(&case), &BTreeSet::new()).pairs == 0,
        };
        for message in &case.messages {
            if let Some(kind) = case.kind(message) {
                signs.kinds.insert(message.n, kind.to_owned());
            }
            signs.place(&case, message);
        }
        signs
    }

    fn place(&mut self, case: &Case<'_>, message: &Message<'_>) {
        let (Some(id), Channel::Websocket, true) =
            (case.run_id(message), message.channel, message.is_event)
        else {
            return;
        };
        let Some((victim, run)) = case.run_owner(id) else { return };
        let sequence = message.sequence.unwrap_or_default();
        if victim == message.observer {
            self.home.entry(id.to_string()).or_default().push(sequence);
        } else {
            self.astray.push(Astray {
                victim: victim.clone(),
                run,
                observer: message.observer.clone(),
                id: id.to_string(),
                sequence,
                connection: case.connections[message.line()].id.to_string(),
            });
        }
    }

    pub(super) fn by_kind(&self, oracle: OracleId, kind: FindingKind) -> Vec<&'h Finding> {
        let same = |found: &&Finding| found.oracle == oracle && found.kind == kind;
        self.findings.iter().filter(same).collect()
    }

    pub(super) fn by(&self, oracle: OracleId) -> Vec<&'h Finding> {
        self.findings.iter().filter(|found| found.oracle == oracle).collect()
    }

    pub(super) fn any(&self, oracle: OracleId) -> bool {
        self.findings.iter().any(|found| found.oracle == oracle)
    }

    fn person(&self, name: &UserName) -> Option<&'h UserPlan> {
        self.history.plan.user(name)
    }

    fn run(&self, name: &UserName, run: Option<u16>) -> Option<&'h RunPlan> {
        self.person(name)?.run(run?)
    }

    /// Whether a conversation without a name was read and held what is foreign.
    pub(super) fn read_default_thread(&self) -> bool {
        let crossed = self.by_kind(OracleId::AtRest, FindingKind::Crossing);
        !crossed.is_empty()
            && crossed.iter().all(|found| {
                self.run(&found.victim, found.victim_run)
                    .is_some_and(|run| run.thread.as_str() == DEFAULT_THREAD)
            })
    }

    /// Whether all that was seen of it was in a conversation that was read back.
    pub(super) fn is_of_a_read(&self, found: &Finding) -> bool {
        let seen = found.evidence.last().map(|evidence| evidence.n);
        let Some(seen) = seen.and_then(|n| self.history.observations.get(n as usize)) else {
            return false;
        };
        let exchange = self.history.observations.iter().filter(|other| other.on == seen.on);
        exchange.into_iter().any(|other| {
            matches!(&other.what, What::Request { path, .. } if path.starts_with("/api/threads/"))
        })
    }

    pub(super) fn is_misrouted(&self) -> bool {
        !self.astray.is_empty() || self.answers_are_foreign()
    }

    /// Whether an HTTP answer named another user.
    pub(super) fn answers_are_foreign(&self) -> bool {
        let named = |found: &&Finding| found.observer_operation == Channel::HttpAnswer.as_str();
        self.by(OracleId::Ownership).iter().any(named)
    }

    /// Whether two users were given one run id.
    pub(super) fn one_id_for_two(&self) -> bool {
        let shared = |found: &&Finding| found.about == About::SharedRunId;
        self.by(OracleId::Ownership).iter().any(shared) && !self.shares_a_browser()
    }

    pub(super) fn shares_a_browser(&self) -> bool {
        self.history.plan.users.iter().any(|user| user.browser.is_some())
            && self.answers_are_foreign()
    }

    /// Whether messages went astray only on connections that were opened with a cursor.
    pub(super) fn only_after_cursors(&self) -> bool {
        let with_cursor = |astray: &Astray| {
            let Some(person) = self.person(&astray.observer) else { return false };
            let mut opened = 0;
            person.steps.iter().any(|step| {
                let opens =
                    matches!(step, Step::Connect | Step::Reconnect { .. } | Step::Resume { .. });
                opened += u32::from(opens);
                let this = astray.connection == format!("{}/socket{opened}", astray.observer);
                matches!(step, Step::Resume { .. }) && this
            })
        };
        !self.astray.is_empty() && self.astray.iter().all(with_cursor)
    }

    /// Whether one event came to several who do not own it.
    pub(super) fn one_event_for_many(&self) -> bool {
        let mut seen: BTreeMap<(&str, u64), BTreeSet<&UserName>> = BTreeMap::new();
        for astray in &self.astray {
            seen.entry((&astray.id, astray.sequence)).or_default().insert(&astray.observer);
        }
        seen.values().any(|observers| observers.len() > 1)
    }

    /// Whether the events of a run came to its user and to others by turns.
    pub(super) fn events_take_turns(&self) -> bool {
        self.home.iter().any(|(id, home)| {
            let away = self.astray.iter().filter(|astray| astray.id == *id);
            let mut all: Vec<(u64, bool)> = away.map(|astray| (astray.sequence, false)).collect();
            all.extend(home.iter().map(|sequence| (*sequence, true)));
            all.sort_unstable();
            all.windows(2).filter(|pair| pair[0].1 != pair[1].1).count() >= 3
        })
    }

    /// Whether messages went astray only between runs with the same client-side request id. Where all
    /// runs have one, that tells nothing.
    pub(super) fn only_equal_requests(&self) -> bool {
        let runs = self.history.plan.runs();
        let ids: BTreeSet<&str> = runs.map(|(_, run)| run.request_id.as_str()).collect();
        if ids.len() < 2 {
            return false;
        }
        let equal = |astray: &Astray| {
            let request = self.run(&astray.victim, astray.run).map(|run| &run.request_id);
            let Some(person) = self.person(&astray.observer) else { return false };
            request.is_some() && person.runs().any(|run| Some(&run.request_id) == request)
        };
        // Whose event came to them last had started before: later starts do not count against it.
        self.astray.iter().all(equal) && self.follows_request_ids()
    }

    /// Whether nobody's events went to one who had not yet started a run with that request id.
    fn follows_request_ids(&self) -> bool {
        let mut started: BTreeSet<(&UserName, &str)> = BTreeSet::new();
        let mut latest = None;
        let mut against = 0;
        for seen in &self.history.observations {
            match (&seen.by, &seen.what) {
                (Some(by), What::Start { request_id, .. }) => {
                    started.insert((by, request_id.as_str()));
                    latest = Some((by, request_id.as_str()));
                }
                (Some(by), What::Received { .. }) => {
                    let astray = self.astray_at(by, seen.n);
                    let request = astray
                        .and_then(|astray| self.run(&astray.victim, astray.run))
                        .map(|run| run.request_id.as_str());
                    let Some(request) = request else { continue };
                    let other = latest.is_some_and(|(user, id)| user == by && id != request);
                    against += usize::from(!started.contains(&(by, request)) || other);
                }
                _ => {}
            }
        }
        against == 0
    }

    fn astray_at(&self, observer: &UserName, n: u64) -> Option<&Astray> {
        let at = self.history.observations.get(n as usize)?;
        let on = at.on.as_ref()?.to_string();
        let What::Received { raw } = &at.what else { return None };
        let text = String::from_utf8_lossy(raw.bytes());
        self.astray.iter().find(|astray| {
            astray.observer == *observer
                && astray.connection == on
                && text.contains(&format!("\"{}\"", astray.id))
                && text.contains(&format!("\"sequence\":{}", astray.sequence))
        })
    }

    fn crossed(&self) -> Vec<&'h Finding> {
        let texts = [OracleId::Canary, OracleId::Binding];
        self.findings.iter().filter(|found| texts.contains(&found.oracle)).collect()
    }

    /// Whether only observers whose runs name no conversation saw foreign text.
    pub(super) fn only_default_threads(&self) -> bool {
        let crossed = self.by(OracleId::Canary);
        !crossed.is_empty()
            && crossed.iter().all(|found| {
                let run = self.run(&found.victim, found.victim_run);
                run.is_some_and(|run| run.has(Twist::NoThread))
            })
    }

    /// Whether all whose text was seen had runs that failed, or were cut or stopped.
    pub(super) fn victims_had_failed(&self) -> bool {
        let crossed = self.by(OracleId::Canary);
        let failed = |found: &&&Finding| {
            let run = self.run(&found.victim, found.victim_run);
            let fails = run.is_some_and(|run| run.agents.iter().any(|name| name == NO_SUCH_AGENT));
            fails || self.is_cut(&found.victim, found.victim_run)
        };
        // What a failed run had been told before comes along with what it was asked itself.
        !crossed.is_empty() && crossed.iter().filter(failed).count() * 2 >= crossed.len()
    }

    /// Whether the plan cut that run off, or stopped it.
    fn is_cut(&self, user: &UserName, run: Option<u16>) -> bool {
        let Some(person) = self.person(user) else { return false };
        let by_step = person.steps.iter().any(|step| match step {
            Step::Abandon { run: cut } | Step::Stop { run: cut } => Some(*cut) == run,
            _ => false,
        });
        by_step || self.has_fault(user)
    }

    fn has_fault(&self, user: &UserName) -> bool {
        let drops = |kind| matches!(kind, FaultKind::Cancel | FaultKind::TimeOut);
        self.history.plan.faults.iter().any(|fault| fault.user == *user && drops(fault.kind))
    }

    /// Whether any call was cut before foreign text was seen.
    pub(super) fn was_anything_cut(&self) -> bool {
        let crossed = self.crossed();
        let first = crossed.iter().filter_map(|found| found.evidence.last()).map(|last| last.n);
        let first = first.min().unwrap_or(u64::MAX);
        let left = self
            .history
            .observations
            .iter()
            .take_while(|seen| seen.n < first)
            .any(|seen| matches!(&seen.what, What::Broken { cause: Cause::Left, .. }));
        left || self.history.plan.users.iter().any(|user| self.has_fault(&user.name))
    }

    /// Whether all whose text was seen had gone away from it.
    pub(super) fn victims_were_cut(&self) -> bool {
        self.crossed().iter().all(|found| self.is_cut(&found.victim, found.victim_run))
    }

    /// Whether only those saw foreign text who asked what others asked too.
    pub(super) fn only_equal_messages(&self) -> bool {
        let crossed = self.crossed();
        !crossed.is_empty()
            && crossed.iter().all(|found| {
                let run = self.run(&found.victim, found.victim_run);
                run.is_some_and(|run| run.has(Twist::EqualMessage))
            })
    }

    /// Whether what was seen had been answered to its own user before the observer asked.
    pub(super) fn was_known_before(&self) -> bool {
        self.crossed().iter().any(|found| {
            let seen = found.evidence.last().map_or(0, |evidence| evidence.n);
            let mut asked = self.history.observations.iter().filter(|other| {
                other.n < seen
                    && other.by.as_ref() == Some(&found.observer)
                    && matches!(other.what, What::Start { .. })
            });
            let asked = asked.next_back().map_or(0, |start| start.n);
            // The victim had heard of a thought before the observer began.
            self.history.observations.iter().take_while(|other| other.n < asked).any(|other| {
                other.by.as_ref() == Some(&found.victim)
                    && self.kinds.get(&other.n).is_some_and(|kind| kind == "agent_thinking")
            })
        })
    }

    /// Whether it was seen in results only, not in the thoughts before them.
    pub(super) fn only_in_results(&self) -> bool {
        let crossed = self.crossed();
        !crossed.is_empty()
            && crossed.iter().all(|found| {
                found.evidence.iter().skip(1).all(|evidence| {
                    self.kinds.get(&evidence.n).is_none_or(|kind| kind == "agent_completed")
                })
            })
    }

    /// Whether only those lost something who had come back on another connection.
    pub(super) fn only_those_who_came_back(&self) -> bool {
        let lost = self.by(OracleId::Completeness);
        let came_back = |step: &Step| matches!(step, Step::Reconnect { .. } | Step::Resume { .. });
        let whole = |found: &&&Finding| found.about == About::End;
        !lost.is_empty()
            && lost.iter().filter(whole).all(|found| {
                let person = self.person(&found.victim);
                person.is_some_and(|person| person.steps.iter().any(came_back))
            })
            && lost.iter().any(|found| whole(&found))
    }
}

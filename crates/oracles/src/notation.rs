//! Histories in one line, for tests.
//!
//! ```
//! use partywall_oracles::notation::{found, history};
//!
//! let leak = history("alice connects; bob connects; alice starts r1; r1 of alice emits 1 to bob");
//! assert!(found(&leak).contains(
//!     &"O1 crossing alice r1 -> bob: prompt of chat over websocket @ websocket".to_owned()
//! ));
//! ```
//!
//! Statements stand between semicolons. Users are numbered from 1 by first mention; what they start
//! or ask is their plan. `RUN` is `r1 of alice`.
//!
//! | statement | what it records |
//! | --- | --- |
//! | `alice exists` | nothing, but she is in the plan |
//! | `alice connects` | a new connection with its greeting |
//! | `alice connects silently` | the same without a greeting |
//! | `alice asks r1 [in t2] [as q7]` | a start over the socket, on thread `t2`, with request id `q7` |
//! | `RUN is accepted [..]` | the acceptance |
//! | `alice starts r1 ..` | `asks` and `is accepted` |
//! | `alice posts r1 [in t2]` | a start over HTTP |
//! | `alice reads r1` | an HTTP request about the run |
//! | `RUN answers [showing CANARIES] [called X]` | the answer to the oldest of these |
//! | `alice reads t1 [showing CANARIES]` | a thread, and the answer with all her runs on it, or those |
//! | `alice stops r1` | an HTTP request, and the answer that grants it |
//! | `RUN goes upstream [as bob] [showing CANARIES]` | a call in the log of the upstream |
//! | `alice shows KEY` | that credential is hers, and may be what an upstream was asked as |
//! | `RUN emits 3 [..]`, `emits 1-4` | events of the run |
//! | `RUN ends 5 [..]`, `fails 5`, `stops 5` | its terminal event |
//! | `alice vanishes`, `leaves`, `breaks`, `is closed` | an end of her newest connection |
//! | `alice gives up r1 [at rest]` | she stops waiting |
//! | `alice gets TEXT` | that message; `pong` and `error` are short for those |
//!
//! `[..]` is any of `to bob` (else its owner), `on 1` (else the newest connection), `called X` (the
//! run id), `for bob` (the user id), `as q7` (the request id), `showing CANARIES` (else the prompt's);
//! `CANARIES` are `r2`, `bob:r1`, `bob:r1:settings`, `phantom` or `nothing`, with `+` between them.

use std::collections::BTreeMap;

use super::case::Case;
use super::judge::all;
use super::oracle::Oracle;
use partywall_core::canary::{CampaignKey, Field, Mint, Owner};
use partywall_core::control::phantom_owner;
use partywall_core::dialect::Dialect;
use partywall_core::finding::{FindingKind, Suspect};
use partywall_core::history::{Ending, History, Note, Observation, What};
use partywall_core::ids::{ConnectionId, RequestId, ThreadId, UserName};
use partywall_core::plan::{PLAN_VERSION, Plan, RunPlan, Step, UserPlan, Via};
use partywall_core::raw::Raw;

/// The key of all histories here.
pub fn key() -> CampaignKey {
    CampaignKey::from_seed(7)
}

/// The history that the text stands for.
///
/// # Panics
///
/// If a statement is none.
pub fn history(text: &str) -> History {
    let mut script = Script::default();
    for statement in text.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
        script.say(statement).unwrap_or_else(|| panic!("what is `{statement}`?"));
    }
    script.finish()
}

/// What all oracles find, a line each.
pub fn found(history: &History) -> Vec<String> {
    let (dialect, mut lines) = (Dialect::reference(), Vec::new());
    let case = Case::new(history, &dialect);
    for oracle in all() {
        let found = (oracle.judge)(&case).suspects;
        lines.extend(found.iter().map(|suspect| format!("{} {}", oracle.id.code(), told(suspect))));
    }
    lines
}

/// What one oracle finds, a line each, or why it is blind.
pub fn found_by(oracle: &Oracle, history: &History) -> Vec<String> {
    let judgement = (oracle.judge)(&Case::new(history, &Dialect::reference()));
    match judgement.blind {
        Some(_) => vec!["blind".into()],
        None => judgement.suspects.iter().map(told).collect(),
    }
}

/// A suspect in one line: `loss alice r1: chat over websocket @ websocket`.
pub fn told(suspect: &Suspect) -> String {
    let Suspect { kind, victim, victim_run, observer, .. } = suspect;
    let run = victim_run.map(|run| format!(" r{run}")).unwrap_or_default();
    let to = match kind {
        FindingKind::Crossing => format!(" -> {observer}"),
        _ => String::new(),
    };
    let (done, seen) = (&suspect.victim_operation, &suspect.observer_operation);
    format!("{} {victim}{run}{to}: {done} @ {seen}", kind.as_str())
}

/// A history as it grows.
#[derive(Debug, Default)]
struct Script {
    users: Vec<UserPlan>,
    observations: Vec<Observation>,
    /// How many event connections and HTTP exchanges each user has had.
    sockets: BTreeMap<UserName, usize>,
    exchanges: BTreeMap<UserName, usize>,
    /// HTTP requests without an answer.
    waiting: Vec<(UserName, u16, ConnectionId)>,
}

/// What follows the verb: `to bob called X`.
struct Words<'t>(Vec<&'t str>);

impl<'t> Words<'t> {
    fn after(&self, word: &str) -> Option<&'t str> {
        let at = self.0.iter().position(|candidate| *candidate == word)?;
        self.0.get(at + 1).copied()
    }
}

impl Script {
    fn say(&mut self, statement: &str) -> Option<()> {
        let words: Vec<&str> = statement.split_whitespace().collect();
        match words[..] {
            [run, "of", user, verb, ref rest @ ..] => {
                let user = self.user(user);
                self.say_of_run(&user, number(run)?, verb, &Words(rest.to_vec()))
            }
            [user, "gets", ..] => {
                let (_, text) = statement.split_once(" gets ")?;
                let text = match text {
                    "pong" => r#"{"type":"pong"}"#,
                    "error" => r#"{"type":"error","error":"not now"}"#,
                    text => text,
                };
                let user = self.user(user);
                self.received(&user, None, text)
            }
            [user, verb, ref rest @ ..] => {
                let user = self.user(user);
                self.say_of_user(&user, verb, &Words(rest.to_vec()))
            }
            _ => None,
        }
    }

    fn say_of_user(&mut self, user: &UserName, verb: &str, rest: &Words<'_>) -> Option<()> {
        let end = |raw: &str| What::Ended { code: Some(1001), raw: raw.into() };
        match (verb, &rest.0[..]) {
            ("exists", []) => Some(()),
            ("connects", how) => self.connects(user, how.is_empty()),
            ("asks", [run, ..]) => self.asks(user, number(run)?, rest),
            ("starts", [run, ..]) => {
                self.asks(user, number(run)?, rest)?;
                self.say_of_run(user, number(run)?, "is", rest)
            }
            ("posts", [run, ..]) => self.requests(user, number(run)?, Some(rest)),
            ("reads", [what, ..]) if what.starts_with('t') => self.reads_thread(user, what, rest),
            ("stops", [run]) => self.stops(user, number(run)?),
            ("reads", [run]) => self.requests(user, number(run)?, None),
            ("shows", [key]) => {
                let credential = UserName::from(*key);
                self.push(Some(user), None, What::Account { credential })
            }
            ("vanishes", _) => self.on_socket(user, rest, What::Leave { vanished: true }),
            ("leaves", _) => self.on_socket(user, rest, What::Leave { vanished: false }),
            ("is", ["closed", ..]) => self.on_socket(user, rest, end("going away")),
            ("breaks", _) => self.on_socket(user, rest, What::broken("reset".to_owned())),
            ("gives", ["up", run, how @ ..]) => {
                let what = What::GaveUp { run: number(run)?, at_rest: how == ["at", "rest"] };
                self.push(Some(user), None, what)
            }
            _ => None,
        }
    }

    fn say_of_run(
        &mut self,
        user: &UserName,
        run: u16,
        verb: &str,
        rest: &Words<'_>,
    ) -> Option<()> {
        let to = rest.after("to").map_or_else(|| user.clone(), UserName::from);
        let on = rest.after("on").map(|on| on.parse().expect("the number of a connection"));
        let run_id = rest.after("called").map_or_else(|| format!("run-{user}-{run}"), String::from);
        let of = rest.after("for").unwrap_or(user.as_str()).to_owned();
        let thread = self.thread(user, run);
        match verb {
            "is" => {
                let request = rest.after("as").map(String::from);
                let request = request.unwrap_or_else(|| format!("req-{run}"));
                let text = format!(
                    r#"{{"type":"run_accepted","request_id":"{request}","run_id":"{run_id}","thread_id":"{thread}","user_id":"{of}"}}"#
                );
                self.received(&to, on, &text)
            }
            "answers" => {
                let shown = self.shown(user, run, rest.after("showing"))?;
                let text = format!(
                    r#"{{"run_id":"{run_id}","thread_id":"{thread}","request_id":"req-{run}","user_id":"{of}","status":"completed","answer":"{shown}"}}"#
                );
                let at = self.waiting.iter().position(|(who, of, _)| (who, *of) == (user, run))?;
                let (_, _, exchange) = self.waiting.remove(at);
                self.answer(user, exchange, text)
            }
            "goes" => {
                let text = self.shown(user, run, rest.after("showing"))?;
                let credential = rest.after("as").map_or_else(|| user.clone(), UserName::from);
                let (service, run) = ("model".into(), run_id.into());
                let note = Note::Upstream { service, credential, run, text };
                self.push(None, None, What::Backend { note: note.into() })
            }
            "stops" => {
                let text = format!(
                    r#"{{"type":"agent_error","run_id":"{run_id}","thread_id":"{thread}","user_id":"{of}","agent_name":"triage","sequence":{},"error":"the run was stopped"}}"#,
                    rest.0.first()?
                );
                self.received(&to, on, &text)
            }
            "emits" | "ends" | "fails" => {
                let (first, last) =
                    rest.0.first()?.split_once('-').unwrap_or((rest.0[0], rest.0[0]));
                let shown = self.shown(user, run, rest.after("showing"))?;
                for sequence in first.parse::<u64>().ok()?..=last.parse().ok()? {
                    let (kind, agent, field) = match (verb, sequence % 3) {
                        ("ends", _) => ("agent_completed", "supervisor", "result"),
                        ("fails", _) => ("agent_error", "triage", "error"),
                        (_, 0) => ("tool_executing", "triage", "parameters"),
                        (_, 1) => ("agent_started", "supervisor", "message"),
                        _ => ("agent_completed", "triage", "result"),
                    };
                    let text = format!(
                        r#"{{"type":"{kind}","run_id":"{run_id}","thread_id":"{thread}","user_id":"{of}","agent_name":"{agent}","timestamp":{sequence},"sequence":{sequence},"{field}":{{"text":"{shown}"}}}}"#
                    );
                    self.received(&to, on, &text)?;
                }
                Some(())
            }
            _ => None,
        }
    }

    fn user(&mut self, name: &str) -> UserName {
        if self.users.iter().all(|user| user.name.as_str() != name) {
            let index = self.users.len() as u32 + 1;
            self.users.push(UserPlan {
                name: name.into(),
                index,
                browser: None,
                steps: Vec::new(),
            });
        }
        name.into()
    }

    fn plan_of(&mut self, user: &UserName) -> Option<&mut UserPlan> {
        self.users.iter_mut().find(|plan| plan.name == *user)
    }

    fn thread(&self, user: &UserName, run: u16) -> ThreadId {
        let plan = self.users.iter().find(|plan| plan.name == *user);
        let run = plan.and_then(|plan| plan.run(run));
        run.map_or_else(|| "t1".into(), |run| run.thread.clone())
    }

    /// The text with the canaries that a message shows.
    fn shown(&self, user: &UserName, run: u16, what: Option<&str>) -> Option<String> {
        let mint = Mint::new(key());
        let index = |name: &str| {
            let plan = self.users.iter().find(|plan| plan.name.as_str() == name);
            plan.map(|plan| plan.index)
        };
        let canary = |text: &str| {
            let owner = match text.rsplit(':').collect::<Vec<_>>()[..] {
                ["nothing"] => return Some(String::new()),
                ["phantom"] => phantom_owner(Via::Socket),
                ["phantom-http"] => phantom_owner(Via::Http),
                [run] => {
                    Owner { user: index(user.as_str())?, run: number(run)?, field: Field::Prompt }
                }
                ["settings", run, ref name @ ..] | [run, ref name @ ..] => {
                    let name = name.iter().rev().copied().collect::<Vec<_>>().join(":");
                    let field =
                        if text.ends_with(":settings") { Field::Settings } else { Field::Prompt };
                    let user = match name.strip_prefix('#') {
                        Some(index) => index.parse().ok()?,
                        None => index(&name)?,
                    };
                    Owner { user, run: number(run)?, field }
                }
                [] => return None,
            };
            Some(mint.mint(owner))
        };
        let own = format!("{user}:r{run}");
        let all: Option<Vec<_>> = what.unwrap_or(&own).split('+').map(canary).collect();
        Some(all?.join(" "))
    }

    fn connects(&mut self, user: &UserName, greeted: bool) -> Option<()> {
        let socket = self.sockets.entry(user.clone()).or_default();
        *socket += 1;
        let on = ConnectionId::new(format!("{user}/socket{socket}"));
        self.plan_of(user)?.steps.push(Step::Connect);
        self.push(Some(user), Some(on.clone()), What::Connect);
        self.push(Some(user), Some(on.clone()), What::Connected { headers: Raw::default() });
        if !greeted {
            return Some(());
        }
        let text = format!(
            r#"{{"type":"connection_established","user_id":"{user}","connection_id":"c-{on}"}}"#
        );
        self.received(user, None, &text)
    }

    fn asks(&mut self, user: &UserName, run: u16, rest: &Words<'_>) -> Option<()> {
        let (thread, request_id) = self.planned(user, run, Via::Socket, rest)?;
        let text =
            format!(r#"{{"type":"chat","thread_id":"{thread}","request_id":"{request_id}"}}"#);
        let start = What::Start { run, via: Via::Socket, thread, request_id };
        self.on_socket(user, &Words(Vec::new()), start)?;
        self.on_socket(user, &Words(Vec::new()), What::Sent { raw: text.into() })
    }

    fn planned(
        &mut self,
        user: &UserName,
        run: u16,
        via: Via,
        rest: &Words<'_>,
    ) -> Option<(ThreadId, RequestId)> {
        let thread = ThreadId::from(rest.after("in").unwrap_or("t1"));
        let request = rest.after("as").map_or_else(|| format!("req-{run}"), String::from);
        let request_id = RequestId::from(request);
        self.plan_of(user)?.steps.push(Step::Start(RunPlan {
            run,
            via,
            thread: thread.clone(),
            request_id: request_id.clone(),
            agents: vec!["triage".into()],
            delays: vec![1],
            phantom: false,
            twists: Vec::new(),
        }));
        Some((thread, request_id))
    }

    fn exchange(&mut self, user: &UserName) -> ConnectionId {
        let exchange = self.exchanges.entry(user.clone()).or_default();
        *exchange += 1;
        ConnectionId::new(format!("{user}/http{exchange}"))
    }

    fn requests(&mut self, user: &UserName, run: u16, posts: Option<&Words<'_>>) -> Option<()> {
        let on = self.exchange(user);
        let (method, path) = match posts {
            Some(rest) => {
                let (thread, request_id) = self.planned(user, run, Via::Http, rest)?;
                let start = What::Start { run, via: Via::Http, thread, request_id };
                self.push(Some(user), Some(on.clone()), start);
                ("POST", "/api/chat".into())
            }
            None => ("GET", format!("/api/runs/run-{user}-{run}").into()),
        };
        let request =
            What::Request { method: method.into(), path, raw: Raw::default(), run: Some(run) };
        self.push(Some(user), Some(on.clone()), request);
        self.waiting.push((user.clone(), run, on));
        Some(())
    }

    fn stops(&mut self, user: &UserName, run: u16) -> Option<()> {
        let on = self.exchange(user);
        let (method, path) = ("POST".into(), format!("/api/runs/run-{user}-{run}/stop").into());
        let request = What::Request { method, path, raw: Raw::default(), run: Some(run) };
        self.push(Some(user), Some(on.clone()), request);
        self.answer(user, on, format!(r#"{{"run_id":"run-{user}-{run}","status":"stopping"}}"#))
    }

    fn reads_thread(&mut self, user: &UserName, thread: &str, rest: &Words<'_>) -> Option<()> {
        let on = self.exchange(user);
        let path = format!("/api/threads/{thread}/messages").into();
        let request = What::Request { method: "GET".into(), path, raw: Raw::default(), run: None };
        self.push(Some(user), Some(on.clone()), request);
        let runs: Vec<u16> = self.plan_of(user)?.runs().map(|run| run.run).collect();
        let message = |run: u16| {
            let text = self.shown(user, run, None)?;
            Some(format!(r#"{{"run_id":"run-{user}-{run}","role":"user","text":"{text}"}}"#))
        };
        let messages: Option<Vec<_>> = match rest.after("showing") {
            None => runs.into_iter().map(message).collect(),
            Some(shown) => {
                let message = |shown| {
                    let text = self.shown(user, 1, Some(shown))?;
                    Some(format!(r#"{{"role":"user","text":"{text}"}}"#))
                };
                shown.split('+').map(message).collect()
            }
        };
        let messages = messages?.join(",");
        let text =
            format!(r#"{{"thread_id":"{thread}","user_id":"{user}","messages":[{messages}]}}"#);
        self.answer(user, on, text)
    }

    fn answer(&mut self, user: &UserName, on: ConnectionId, text: String) -> Option<()> {
        let headers = "content-type: application/json".into();
        let answer = What::Answer { status: 200, headers, raw: text.into() };
        self.push(Some(user), Some(on), answer)
    }

    fn received(&mut self, user: &UserName, on: Option<usize>, text: &str) -> Option<()> {
        let on = on.or_else(|| self.sockets.get(user).copied())?;
        let on = ConnectionId::new(format!("{user}/socket{on}"));
        self.push(Some(user), Some(on), What::Received { raw: text.into() })
    }

    fn on_socket(&mut self, user: &UserName, rest: &Words<'_>, what: What) -> Option<()> {
        let newest = self.sockets.get(user).copied();
        let on = rest.after("on").map_or(newest, |on| on.parse().ok())?;
        self.push(Some(user), Some(ConnectionId::new(format!("{user}/socket{on}"))), what)
    }

    fn push(&mut self, by: Option<&UserName>, on: Option<ConnectionId>, what: What) -> Option<()> {
        let n = self.observations.len() as u64;
        self.observations.push(Observation { n, at: n, by: by.cloned(), on, what });
        Some(())
    }

    fn finish(self) -> History {
        let plan = Plan {
            version: PLAN_VERSION,
            scenario: "notation".into(),
            campaign: key(),
            trial: 0,
            users: self.users,
            faults: Vec::new(),
            linger: 0,
            protocol: partywall_core::protocol::Protocol::reference(),
        };
        let ending = Some(Ending::Finished);
        History { plan, observations: self.observations, ending }
    }
}

fn number(run: &str) -> Option<u16> {
    run.strip_prefix('r')?.parse().ok()
}

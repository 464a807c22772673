//! Checks of the tables that say how users speak to a server.

use regex_lite::Regex;

use super::choices::{AnswerBy, ConnectionKind, Each, StartBy};
use super::error::ScenarioError;
use super::file::ScenarioFile;
use super::speech_file::{CaptureTable, EndTable, EventsTable, SetUpTable, StartTable};
use super::words::{Checked, Filled, Words};
use super::written::Written;
use partywall_core::dialect::{Dialect, Matching};
use partywall_core::protocol::{
    Act, AnswerKind, Capture, CaptureFrom, Content, EventConnection, Identity, Protocol, Reads,
    SetUp, Start,
};
use partywall_core::run_controls::Caps;
use partywall_core::template;

impl Words<'_> {
    pub(super) fn protocol(&self, file: &ScenarioFile) -> Checked<Protocol> {
        let subprotocol = file.identity.subprotocol.as_ref();
        // Where nothing but runs is asked for, each request is about one.
        let only_runs = file.setup.is_empty() && file.events.connection.is_none();
        let filled = if only_runs { Filled::ForRun } else { Filled::AnyTime };
        let identity = Identity {
            headers: self.pairs(&file.identity.headers, filled)?,
            query: self.pairs(&file.identity.query, filled)?,
            cookies: self.pairs(&file.identity.cookies, filled)?,
            subprotocol: subprotocol.map(|own| self.template(own, filled)).transpose()?,
        };
        let setup: Vec<SetUp> =
            file.setup.iter().map(|step| self.set_up(step)).collect::<Checked<_>>()?;
        self.captures_are_there(&setup)?;
        let Some(written) = &file.start else {
            let problem = "say in a table `[start]` how a run is started: `by = \"message\"` or \
                           `by = \"http\"`";
            return Err(self.error(&file.target, problem.into()));
        };
        let (start, events) = (self.start(written)?, self.connection(&file.events)?);
        let received = serde_json::to_string(&(&identity, &setup, &start, &events));
        self.users_differ(file, written, &received.unwrap_or_default())?;
        let on_connection =
            matches!(start, Start::Message(_) | Start::Http { answer: AnswerKind::Accepted, .. });
        self.demand(!on_connection || events.is_some(), written, || {
            "events come on a connection: give `connection` and `path` in `[events]`".into()
        })?;
        let mut dialect = self.dialect(&file.events)?;
        self.has_events(&file.events, &start, &dialect)?;
        if on_connection && let Some(connection) = &file.events.connection {
            let is_bound = file.events.matching.is_some() || dialect.matching != Matching::Stream;
            self.demand(is_bound, connection, || {
                "nothing tells which run an event belongs to: give the place of `run` or `request` in \
                 `[events]`, or `match = \"order\"` where the runs of one user end in the order in \
                 which they were started"
                    .into()
            })?;
        }
        self.stopped(file, &mut dialect)?;
        let seconds = self.number(&file.limits.run_seconds, "run_seconds", [1, 3_600], 10)?;
        let told = !on_connection || dialect.tells_ends();
        self.demand(told, written, || {
            "what ends a run is not told: give `ends` in `[events]`".into()
        })?;
        let patience = seconds * 1_000;
        let (controls, switch) = (self.run_controls(file)?, self.switch(file)?);
        let requests = file.limits.requests.as_deref().copied();
        let runs_per_second = file.limits.runs_per_second.as_deref().copied();
        let caps = Caps { requests, runs_per_second };
        let (other_starts, reads) = (Vec::new(), Reads::default());
        Ok(Protocol {
            identity,
            setup,
            start,
            other_starts,
            events,
            dialect,
            patience,
            controls,
            reads,
            switch,
            caps,
            severity: file.severity.checked(),
            sharing: self.sharing(file)?,
        })
    }

    /// A server that receives the same from every user may rightly answer each as the one user that it
    /// knows, and what it keeps apart nobody could say.
    fn users_differ(
        &self,
        file: &ScenarioFile,
        start: &Written<StartTable>,
        received: &str,
    ) -> Checked<()> {
        let tells = |name: &&str| matches!(*name, "user" | "user.secret");
        let told = template::names(received).map_or(true, |names| names.iter().any(tells));
        self.demand(told || file.identity.none, start, || {
            "nothing that the server receives says which user asks: put `{{ user }}` or \
             `{{ user.secret }}` into `[identity]`, a step of `[[setup]]` or `[start]`; where it is \
             meant to tell users apart by their connections or threads, write `none = true` in \
             `[identity]`"
                .into()
        })
    }

    /// What is never captured would be left out of every request, without a word.
    fn captures_are_there(&self, setup: &[SetUp]) -> Checked<()> {
        let known: Vec<&str> =
            setup.iter().flat_map(|step| &step.captures).map(|own| own.name.as_str()).collect();
        for (at, line) in self.text.lines().enumerate() {
            let places = line.split("{{").skip(1).filter_map(|rest| rest.split_once("}}"));
            let names = places.filter_map(|(place, _)| {
                place.split('|').next().unwrap_or_default().trim().strip_prefix("capture.")
            });
            let is_comment = line.trim_start().starts_with('#');
            if let Some(name) = names.filter(|_| !is_comment).find(|name| !known.contains(name)) {
                let there = match known.as_slice() {
                    [] => "no step of `[[setup]]` captures anything".to_owned(),
                    known => format!("there are {}", known.join(", ")),
                };
                let problem = format!("there is no capture `{}`; {there}", name.escape_debug());
                return Err(ScenarioError { line: Some(at + 1), problem });
            }
        }
        Ok(())
    }

    fn set_up(&self, step: &SetUpTable) -> Checked<SetUp> {
        let content = self.content(&step.prefix, &step.json, &step.text, Filled::AnyTime)?;
        let act = match &step.path {
            Some(path) => {
                let filled = Filled::AnyTime;
                Act::Request(self.request(&step.method, path, &step.headers, content, filled)?)
            }
            None => Act::Send(content),
        };
        let each_connection = match &step.each {
            None => matches!(act, Act::Send(_)),
            Some(each) => **each == Each::Connection,
        };
        let captures = step.capture.iter().map(|(name, from)| {
            let place = self.capture(name, from)?;
            Ok(Capture { name: name.clone(), from: place, private: from.private })
        });
        let captures = captures.collect::<Checked<_>>()?;
        Ok(SetUp { name: step.name.clone(), each_connection, act, captures })
    }

    fn capture(&self, name: &str, at: &Written<CaptureTable>) -> Checked<CaptureFrom> {
        match (&at.header, &at.pointer, &at.regex) {
            (Some(header), None, None) => Ok(CaptureFrom::Header(header.clone())),
            (None, pointer @ Some(_), None) => Ok(CaptureFrom::Pointer(self.pointer(pointer)?)),
            (None, None, pattern @ Some(_)) => {
                let pattern = self.pattern(pattern)?.unwrap_or_default();
                let groups = Regex::new(&pattern).map_or(0, |regex| regex.captures_len());
                self.demand(groups > 1, at, || {
                    "`regex` has a group in `(…)` for what is taken".into()
                })?;
                Ok(CaptureFrom::Pattern(pattern))
            }
            _ => {
                let shown = name.escape_debug();
                let problem = format!("capture `{shown}` has one of `header`, `pointer`, `regex`");
                Err(self.error(at, problem))
            }
        }
    }

    fn start(&self, start: &Written<StartTable>) -> Checked<Start> {
        let content = self.content(&start.prefix, &start.json, &start.text, Filled::ForRun)?;
        let written = [
            serde_json::to_string(&content).unwrap_or_default(),
            start.path.as_deref().cloned().unwrap_or_default(),
        ];
        let marks = |name: &&str| matches!(*name, "canary" | "prompt");
        // What is malformed is told as that, where it is read.
        let marked = written
            .iter()
            .any(|text| template::names(text).map_or(true, |own| own.iter().any(marks)));
        self.demand(marked, start, || {
            "nothing of the run would be recognised: put `{{ canary }}` or `{{ prompt }}` into \
             what the user says"
                .into()
        })?;
        match *start.by {
            StartBy::Message => Ok(Start::Message(content)),
            StartBy::Http => {
                let Some(path) = &start.path else {
                    return Err(self.error(&start.by, "a request needs its `path`".into()));
                };
                let request =
                    self.request(&start.method, path, &start.headers, content, Filled::ForRun)?;
                let answer = match start.answer.as_deref() {
                    None | Some(AnswerBy::Json) => AnswerKind::Whole,
                    Some(AnswerBy::Stream | AnswerBy::Sse | AnswerBy::Ndjson) => AnswerKind::Stream,
                    Some(AnswerBy::Events) => AnswerKind::Accepted,
                };
                Ok(Start::Http { request, answer })
            }
        }
    }

    fn connection(&self, events: &EventsTable) -> Checked<Option<EventConnection>> {
        let Some(kind) = &events.connection else { return Ok(None) };
        let streamed = match **kind {
            ConnectionKind::None => return Ok(None),
            ConnectionKind::Websocket => false,
            ConnectionKind::Sse => true,
        };
        let Some(path) = &events.path else {
            return Err(self.error(kind, "an event connection needs its `path`".into()));
        };
        Ok(Some(EventConnection {
            streamed,
            path: self.path(path, Filled::AnyTime)?,
            replies: events.replies.clone().into_iter().collect(),
            resume: self.pairs(&events.resume, Filled::Resuming)?,
        }))
    }

    fn dialect(&self, events: &EventsTable) -> Checked<Dialect> {
        let mut dialect = Dialect::unknown();
        dialect.kind = self.pointer(&events.kind)?;
        dialect.user = self.pointer(&events.user)?;
        dialect.thread = self.pointer(&events.thread)?;
        dialect.run = self.pointer(&events.run)?;
        dialect.sequence = self.pointer(&events.sequence)?;
        dialect.agent = self.pointer(&events.agent)?;
        dialect.request = self.pointer(&events.request)?;
        dialect.greeting.clone_from(&events.greeting);
        dialect.accepted = events.accepted.as_deref().cloned().unwrap_or_default();
        dialect.events.clone_from(&events.types);
        dialect.frame = self.pattern(&events.frame)?;
        dialect.ignore_pattern = self.pattern(&events.ignore_pattern)?;
        dialect.expected = self.pattern(&events.expected)?;
        dialect.ignore.clone_from(&events.ignore);
        dialect.first = events.first.as_deref().copied().unwrap_or(1);
        dialect.echoes = events.echoes;
        dialect.unique_runs = events.unique_runs.as_deref().copied().unwrap_or(true);
        for end in &events.ends {
            match end {
                EndTable::Kind(kind) => dialect.terminal.push((kind.clone(), None)),
                EndTable::Second { kind, agent } => {
                    dialect.terminal.push((kind.clone(), Some(agent.clone())));
                }
                EndTable::Place { present } => dialect.ends_where.push(present.clone()),
            }
        }
        dialect.matching = match &events.matching {
            Some(by) => **by,
            None if !dialect.run.is_empty() => Matching::Run,
            None if !dialect.request.is_empty() => Matching::Request,
            None => Matching::Stream,
        };
        self.has_what_it_reads(events, &dialect)?;
        Ok(dialect)
    }

    /// What is said of events where none comes, or of their types where none has one, would be left
    /// out without a word.
    fn has_events(&self, events: &EventsTable, start: &Start, dialect: &Dialect) -> Checked<()> {
        let connection = events.connection.as_deref().filter(|kind| **kind != ConnectionKind::None);
        let in_answers = !matches!(start, Start::Http { answer: AnswerKind::Whole, .. });
        let has_events = connection.is_some() || in_answers;
        // Server-sent events have types of their own, and a plain text is its own type.
        let has_types = connection != Some(&ConnectionKind::Websocket)
            || !dialect.kind.is_empty()
            || matches!(start, Start::Message(Content::Text(_)));
        let no_connection = "it is about an event connection: say with `connection` and `path` \
                             where there is one";
        let no_events = "it is about events, and each request is answered whole: say \
                         `answer = \"stream\"` in `[start]` where the answer is a stream, or \
                         `connection` and `path` where events come";
        let no_types = "it names types of messages: say with `type` where they stand";
        for (key, is_named, is_lacking, problem) in [
            ("greeting", !events.greeting.is_empty(), connection.is_none(), no_connection),
            ("accepted", events.accepted.is_some(), !has_events, no_events),
            ("accepted", events.accepted.is_some(), !has_types, no_types),
            ("types", !events.types.is_empty(), !has_events, no_events),
            ("types", !events.types.is_empty(), !has_types, no_types),
            ("ends", dialect.tells_ends(), !has_events, no_events),
            ("ends", !dialect.terminal.is_empty(), !has_types, no_types),
            ("sequence", !dialect.sequence.is_empty(), !has_events, no_events),
        ] {
            if is_named && is_lacking {
                let line = self.line_of_key("events", |own| own == key).map(|(line, _)| line);
                return Err(ScenarioError { line, problem: format!("`events.{key}`: {problem}") });
            }
        }
        Ok(())
    }

    /// A key that reads nothing without another one would be left out without a word.
    fn has_what_it_reads(&self, events: &EventsTable, dialect: &Dialect) -> Checked<()> {
        let (no_run, no_request) = (dialect.run.is_empty(), dialect.request.is_empty());
        if let Some(accepted) = &events.accepted {
            self.demand(!(no_run && no_request), accepted, || {
                "`accepted` binds a run's id to its request: say with `run` or `request` where one \
                 of them stands in that message"
                    .into()
            })?;
        }
        if let Some(matching) = &events.matching {
            let (missing, place) = match dialect.matching {
                Matching::Run => (no_run, "run"),
                Matching::Request => (no_request, "request"),
                Matching::Order | Matching::Stream => (false, ""),
            };
            self.demand(!missing, matching, || {
                format!("`match = \"{place}\"` needs `{place}`, the place where that id stands")
            })?;
        }
        if let Some(unique_runs) = &events.unique_runs {
            self.demand(!no_run, unique_runs, || {
                "`unique_runs` is about the ids of runs: say with `run` where they stand".into()
            })?;
        }
        if let Some(first) = &events.first {
            self.demand(!dialect.sequence.is_empty(), first, || {
                "`first` is the number of a run's first event: say with `sequence` where numbers \
                 stand"
                    .into()
            })?;
        }
        let by_agent = dialect.terminal.iter().any(|(_, agent)| agent.is_some());
        if by_agent && dialect.agent.is_empty() {
            let problem = "an end in `ends` names an agent: say with `agent` where it stands";
            return Err(ScenarioError { line: None, problem: problem.into() });
        }
        Ok(())
    }
}

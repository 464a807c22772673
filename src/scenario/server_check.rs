//! Checks of the tables that say where a server is and how it speaks.

use std::collections::BTreeMap;

use regex_lite::Regex;
use serde_json::Value;
use toml::Spanned;

use super::checked::{ScenarioError, line_of};
use super::server::ServerTarget;
use super::server_file::{
    CaptureTable, EndTable, EventsTable, Pairs, ServerFile, SetUpTable, TargetTable,
};
use crate::trial::dialect::{Dialect, Foreign, Matching};
use crate::trial::protocol::{
    Act, AnswerKind, Capture, CaptureFrom, Content, EventConnection, Identity, Protocol, Request,
    SetUp, Start,
};
use crate::trial::reader::SSE_EVENT;
use crate::trial::template;

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// The text of the file, for the lines of what is wrong with it.
pub(super) struct Words<'t> {
    pub(super) text: &'t str,
}

type Checked<T> = Result<T, ScenarioError>;

impl Words<'_> {
    pub(super) fn demand<T>(
        &self,
        holds: bool,
        at: &Spanned<T>,
        problem: impl FnOnce() -> String,
    ) -> Checked<()> {
        if holds { Ok(()) } else { Err(self.error(at, problem())) }
    }

    pub(super) fn error<T>(&self, at: &Spanned<T>, problem: String) -> ScenarioError {
        ScenarioError { line: Some(line_of(self.text, &at.span())), problem }
    }

    fn template(&self, written: &Spanned<String>) -> Checked<String> {
        template::names(written.get_ref()).map_err(|problem| self.error(written, problem))?;
        Ok(written.get_ref().clone())
    }

    fn pairs(&self, written: &Pairs) -> Checked<Vec<(String, String)>> {
        written.iter().map(|(name, value)| Ok((name.clone(), self.template(value)?))).collect()
    }

    fn pointer(&self, written: &Option<Spanned<String>>) -> Checked<String> {
        let Some(written) = written else { return Ok(String::new()) };
        let text = written.get_ref();
        self.demand(text.starts_with('/') || text == SSE_EVENT, written, || {
            format!("`{0}` is no JSON pointer; write `/{0}`", text.escape_debug())
        })?;
        Ok(text.clone())
    }

    fn pattern(&self, written: &Option<Spanned<String>>) -> Checked<Option<String>> {
        let Some(written) = written else { return Ok(None) };
        Regex::new(written.get_ref())
            .map_err(|error| self.error(written, format!("not a regular expression: {error}")))?;
        Ok(Some(written.get_ref().clone()))
    }

    fn content(
        &self,
        prefix: &str,
        json: &Option<Spanned<Value>>,
        text: &Option<Spanned<String>>,
    ) -> Checked<Content> {
        match (json, text) {
            (Some(_), Some(text)) => {
                Err(self.error(text, "give `json` or `text`, not both".into()))
            }
            (Some(json), None) => {
                for text in template::texts(json.get_ref()) {
                    template::names(&text).map_err(|problem| self.error(json, problem))?;
                }
                Ok(Content::Json { prefix: prefix.to_owned(), value: json.get_ref().clone() })
            }
            (None, Some(text)) => Ok(Content::Text(self.template(text)?)),
            (None, None) => Ok(Content::Nothing),
        }
    }

    fn request(
        &self,
        method: &Option<Spanned<String>>,
        path: &Spanned<String>,
        headers: &Pairs,
        content: Content,
    ) -> Checked<Request> {
        let by_default = if content == Content::Nothing { "GET" } else { "POST" };
        if let Some(method) = method {
            self.demand(METHODS.contains(&method.get_ref().as_str()), method, || {
                format!("`method` is one of {}", METHODS.join(", "))
            })?;
        }
        self.demand(path.get_ref().starts_with('/'), path, || "`path` begins with `/`".into())?;
        Ok(Request {
            method: method.as_ref().map_or(by_default.into(), |method| method.get_ref().clone()),
            path: self.template(path)?,
            headers: self.pairs(headers)?,
            content,
        })
    }

    pub(super) fn target(
        &self,
        table: &TargetTable,
        otherwise: Option<&ServerTarget>,
        hosts: &[String],
    ) -> Checked<ServerTarget> {
        let mut target = otherwise.cloned().unwrap_or(ServerTarget {
            ready_seconds: 20,
            hosts: hosts.to_vec(),
            ..ServerTarget::default()
        });
        let urls = table.urls.as_ref().map(|urls| urls.get_ref().clone());
        if let Some(urls) = urls.or(table.url.as_ref().map(|url| vec![url.get_ref().clone()])) {
            (target.urls, target.command) = (urls, Vec::new());
        }
        if let Some(command) = &table.command {
            self.demand(!command.get_ref().is_empty(), command, || {
                "`command` names a program and its arguments".into()
            })?;
            for part in command.get_ref() {
                template::names(part).map_err(|problem| self.error(command, problem))?;
            }
            let ported = command.get_ref().iter().any(|part| part.contains("port"))
                || table.env.iter().flatten().any(|(_, value)| value.get_ref().contains("port"));
            self.demand(ported, command, || {
                "the server must be told its port: put `{{ port }}` into `command` or `env`".into()
            })?;
            (target.command, target.urls) = (command.get_ref().clone(), Vec::new());
        }
        if let Some(env) = &table.env {
            target.env.retain(|(name, _)| !env.contains_key(name));
            target.env.extend(self.pairs(env)?);
        }
        target.cwd = table.cwd.clone().or(target.cwd);
        target.ready = table.ready.clone().or(target.ready);
        target.ready_seconds = table.ready_seconds.unwrap_or(target.ready_seconds);
        target.fresh_process = table.fresh_process.unwrap_or(target.fresh_process);
        Ok(target)
    }

    pub(super) fn protocol(&self, file: &ServerFile) -> Checked<Protocol> {
        let identity = Identity {
            headers: self.pairs(&file.identity.headers)?,
            query: self.pairs(&file.identity.query)?,
            cookies: self.pairs(&file.identity.cookies)?,
            subprotocol: match &file.identity.subprotocol {
                Some(written) => Some(self.template(written)?),
                None => None,
            },
        };
        let setup = file.setup.iter().map(|step| self.set_up(step)).collect::<Checked<_>>()?;
        let (start, events) = (self.start(file)?, self.connection(&file.events)?);
        let on_connection =
            matches!(start, Start::Message(_) | Start::Http { answer: AnswerKind::Accepted, .. });
        self.demand(!on_connection || events.is_some(), &file.start, || {
            "events come on a connection: give `connection` and `path` in `[events]`".into()
        })?;
        let dialect = self.dialect(&file.events)?;
        let seconds = file.limits.run_seconds.as_ref().map_or(10, |seconds| *seconds.get_ref());
        let told = !on_connection || dialect.tells_ends();
        self.demand(told, &file.start, || {
            "what ends a run is not told: give `ends` in `[events]`".into()
        })?;
        let patience = seconds.clamp(1, 3_600) * 1_000;
        Ok(Protocol { identity, setup, start, events, dialect, patience })
    }

    fn set_up(&self, step: &SetUpTable) -> Checked<SetUp> {
        let content = self.content(&step.prefix, &step.json, &step.text)?;
        let each = step.each.as_ref().map(|each| (each, each.get_ref().as_str()));
        let act = match &step.path {
            Some(path) => Act::Request(self.request(&step.method, path, &step.headers, content)?),
            None => Act::Send(content),
        };
        let each_connection = match each {
            None => matches!(act, Act::Send(_)),
            Some((_, "user")) => false,
            Some((_, "connection")) => true,
            Some((at, _)) => return Err(self.error(at, "write `user` or `connection`".into())),
        };
        let captures = step.capture.iter().map(|(name, from)| {
            let place = self.capture(name, from)?;
            Ok(Capture { name: name.clone(), from: place, private: from.private })
        });
        let captures = captures.collect::<Checked<_>>()?;
        Ok(SetUp { name: step.name.clone(), each_connection, act, captures })
    }

    fn capture(&self, name: &str, from: &CaptureTable) -> Checked<CaptureFrom> {
        match (&from.header, &from.pointer, &from.regex) {
            (Some(header), None, None) => Ok(CaptureFrom::Header(header.clone())),
            (None, pointer @ Some(_), None) => Ok(CaptureFrom::Pointer(self.pointer(pointer)?)),
            (None, None, pattern @ Some(_)) => {
                Ok(CaptureFrom::Pattern(self.pattern(pattern)?.unwrap_or_default()))
            }
            _ => Err(ScenarioError {
                line: None,
                problem: format!(
                    "capture `{}` has one of `header`, `pointer`, `regex`",
                    name.escape_debug()
                ),
            }),
        }
    }

    fn start(&self, file: &ServerFile) -> Checked<Start> {
        let start = file.start.get_ref();
        let content = self.content(&start.prefix, &start.json, &start.text)?;
        let written = [
            serde_json::to_string(&content).unwrap_or_default(),
            start.path.as_ref().map(|path| path.get_ref().clone()).unwrap_or_default(),
        ];
        let marked = written.iter().any(|text| text.contains("canary") || text.contains("prompt"));
        self.demand(marked, &file.start, || {
            "nothing of the run would be recognised: put `{{ canary }}` or `{{ prompt }}` into \
             what the user says"
                .into()
        })?;
        match start.by.get_ref().as_str() {
            "message" => Ok(Start::Message(content)),
            "http" => {
                let Some(path) = &start.path else {
                    return Err(self.error(&start.by, "a request needs its `path`".into()));
                };
                let request = self.request(&start.method, path, &start.headers, content)?;
                let answer = match start.answer.as_ref().map(|kind| (kind, kind.get_ref().as_str()))
                {
                    None | Some((_, "json")) => AnswerKind::Whole,
                    Some((_, "stream" | "sse" | "ndjson")) => AnswerKind::Stream,
                    Some((_, "events")) => AnswerKind::Accepted,
                    Some((at, _)) => {
                        let problem = "write `json`, `stream` or `events`";
                        return Err(self.error(at, problem.into()));
                    }
                };
                Ok(Start::Http { request, answer })
            }
            _ => Err(self.error(&start.by, "write `message` or `http`".into())),
        }
    }

    fn connection(&self, events: &EventsTable) -> Checked<Option<EventConnection>> {
        let Some(kind) = &events.connection else { return Ok(None) };
        let streamed = match kind.get_ref().as_str() {
            "none" => return Ok(None),
            "websocket" => false,
            "sse" => true,
            _ => return Err(self.error(kind, "write `websocket`, `sse` or `none`".into())),
        };
        let Some(path) = &events.path else {
            return Err(self.error(kind, "an event connection needs its `path`".into()));
        };
        let replies: &BTreeMap<String, String> = &events.replies;
        Ok(Some(EventConnection {
            streamed,
            path: self.template(path)?,
            replies: replies.clone().into_iter().collect(),
            resume: self.pairs(&events.resume)?,
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
        dialect.accepted.clone_from(&events.accepted);
        dialect.events.clone_from(&events.types);
        let mut foreign = Foreign {
            frame: self.pattern(&events.frame)?,
            ignore_pattern: self.pattern(&events.ignore_pattern)?,
            ignore: events.ignore.clone(),
            first: events.first.unwrap_or(1),
            unique_runs: events.unique_runs.unwrap_or(true),
            ..Foreign::default()
        };
        for end in &events.ends {
            match end {
                EndTable::Kind(kind) => dialect.terminal.push((kind.clone(), None)),
                EndTable::Second { kind, agent } => {
                    dialect.terminal.push((kind.clone(), Some(agent.clone())));
                }
                EndTable::Place { present } => foreign.ends_where.push(present.clone()),
            }
        }
        foreign.matching = match events.matching.as_ref().map(|by| (by, by.get_ref().as_str())) {
            None if !dialect.run.is_empty() => Matching::Run,
            None if !dialect.request.is_empty() => Matching::Request,
            None | Some((_, "stream")) => Matching::Stream,
            Some((_, "run")) => Matching::Run,
            Some((_, "request")) => Matching::Request,
            Some((_, "order")) => Matching::Order,
            Some((at, _)) => {
                let problem = "write `run`, `request`, `order` or `stream`";
                return Err(self.error(at, problem.into()));
            }
        };
        dialect.foreign = Some(foreign);
        Ok(dialect)
    }
}

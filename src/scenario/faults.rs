//! What goes otherwise than it should in the work against a described server, as checked.

use toml::Spanned;

use super::checked::{Range, Sizes};
use super::file::ScenarioFile;
use super::load_file::{ActTable, LoadTable};
use super::words::{Checked, Words};
use crate::trial::dialect::Dialect;
use crate::trial::plan::{ControlAction, CursorKind};
use crate::trial::protocol::{Act, Content, Protocol, Start};
use crate::trial::run_controls::{RunControls, Switch};

/// The most bytes of a message that says far too much.
const MOST_BYTES: u32 = 64 << 20;
/// The most event connections of one user.
const MOST_TABS: u8 = 8;

/// Where a run is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// Before the first byte of its answer.
    First,
    /// Somewhere in the middle.
    Middle,
    /// Just before its end.
    Last,
}

/// How far a run of this server goes, as it was learnt: plans are made from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Learnt {
    /// The events of the shortest whole run.
    pub events: u32,
    /// The milliseconds that a run takes, in the median.
    pub millis: u32,
}

/// What goes otherwise than it should; percentages of a hundred runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Faults {
    /// Milliseconds over which users come, one after the other; 0: they meet at a barrier.
    pub ramp: u32,
    /// Event connections of every second user.
    pub tabs: u8,
    /// Runs that the user goes away from.
    pub cancel: u8,
    /// Runs that are given up after a time.
    pub time_out: u8,
    /// That time, in milliseconds.
    pub time_out_after: Range,
    /// Where runs are cut.
    pub cut_at: Vec<Point>,
    /// What a user shows who comes back; none where they cannot.
    pub cursors: Vec<CursorKind>,
    /// Runs in which a new event connection is opened beside the old one.
    pub overlap: u8,
    /// How long both stand, in milliseconds.
    pub keep_old: Range,
    /// Pairs of users who share their connections.
    pub switch: u8,
    /// Runs in which nothing is read for a time.
    pub slow: u8,
    /// That time, in milliseconds.
    pub slow_for: Range,
    /// Runs with the words of others.
    pub equal: u8,
    /// Runs that are preceded by something malformed.
    pub malformed: u8,
    /// Runs that say far too much.
    pub oversize: u8,
    /// How much, in bytes.
    pub oversize_bytes: u32,
    /// Runs that are stopped by their user.
    pub stop: u8,
    /// Runs that another user tries to stop.
    pub stop_other: u8,
    /// Runs that another user tries to approve.
    pub approve_other: u8,
    /// How far runs go, once it is known.
    pub learnt: Option<Learnt>,
}

impl Faults {
    /// Whether plans become others once it is known how far runs go; `lost` of a hundred runs lose
    /// their connection.
    pub fn would_learn(&self, lost: u8) -> bool {
        let cut = [self.cancel, self.overlap, self.switch, self.stop, lost];
        let later = self.cut_at.iter().any(|point| *point != Point::First);
        self.learnt.is_none() && later && cut.iter().any(|percent| *percent > 0)
    }

    /// What plans do without, for the readers of a clean verdict; `lost` of a hundred runs lose their
    /// connection.
    pub fn left_out(&self, lost: u8) -> Vec<&'static str> {
        let all = [
            (self.cancel, "cancelled requests"),
            (self.time_out, "client time-outs"),
            (lost, "lost connections"),
            (self.overlap, "a new connection beside the old one"),
            (self.switch, "another user on the same connection"),
            (self.slow, "slow readers"),
            (self.equal, "equal messages"),
            (self.malformed, "malformed input"),
            (self.oversize, "oversize input"),
            (self.stop, "stops"),
            (self.stop_other, "stops by other users"),
        ];
        all.into_iter().filter(|(percent, _)| *percent == 0).map(|(_, what)| what).collect()
    }

    /// Requests and messages of one user at most, besides a request for each run and one
    /// connection with its set-up of that many steps.
    pub(super) fn requests(&self, runs: u64, set_up: u64, disconnect: u8, approves: bool) -> u64 {
        let some = |percents: &[u8]| percents.iter().filter(|percent| **percent > 0).count() as u64;
        let one = some(&[self.malformed, self.stop, self.stop_other, self.approve_other]);
        let connections = some(&[self.overlap, self.oversize, disconnect]).min(1);
        let each = one + u64::from(approves) + connections * (1 + set_up);
        runs * each + u64::from(self.tabs - 1) * (1 + set_up) + u64::from(self.switch > 0)
    }
}

impl Words<'_> {
    /// Fewest and most milliseconds.
    fn millis(&self, written: &Option<Spanned<[u32; 2]>>, otherwise: [u32; 2]) -> Checked<Range> {
        let [least, most] = otherwise;
        match written {
            None => Ok(Range { least, most }),
            Some(written) => self.range(written, "milliseconds", Sizes::DELAY),
        }
    }

    /// The faults of the workload; what the rest of the file does not allow is an error.
    pub(super) fn faults(&self, file: &ScenarioFile, protocol: &Protocol) -> Checked<Faults> {
        let load = &file.workload;
        let faults = Faults {
            ramp: load.ramp.as_ref().map_or(0, |ramp| *ramp.get_ref()),
            tabs: load.tabs.as_ref().map_or(1, |tabs| *tabs.get_ref()),
            cancel: self.percent(&load.cancel_percent)?,
            time_out: self.percent(&load.time_out_percent)?,
            time_out_after: self.millis(&load.time_out, [20, 400])?,
            cut_at: self.points(load)?,
            cursors: self.cursors(load, protocol)?,
            overlap: self.percent(&load.overlap_percent)?,
            keep_old: self.millis(&load.keep_old, [0, 100])?,
            switch: self.percent(&load.switch_percent)?,
            slow: self.percent(&load.slow_percent)?,
            slow_for: self.millis(&load.slow, [100, 400])?,
            equal: self.percent(&load.equal_percent)?,
            malformed: self.percent(&load.malformed_percent)?,
            oversize: self.percent(&load.oversize_percent)?,
            oversize_bytes: load.oversize_bytes.as_ref().map_or(1_000_000, |own| *own.get_ref()),
            stop: self.percent(&load.stop_percent)?,
            stop_other: self.percent(&load.stop_other_percent)?,
            approve_other: self.percent(&load.approve_other_percent)?,
            learnt: None,
        };
        self.sizes(load)?;
        self.needs_connections(load, protocol)?;
        self.needs_controls(load, protocol)?;
        if let Some(equal) = load.equal_percent.as_ref().filter(|_| faults.equal > 0) {
            let start = serde_json::to_string(&protocol.start).unwrap_or_default();
            self.demand(start.contains("settings"), equal, || {
                "with the words of others nothing of the run would be recognised: put \
                 `{{ settings }}` into `[start]`"
                    .into()
            })?;
        }
        Ok(faults)
    }

    fn sizes(&self, load: &LoadTable) -> Checked<()> {
        if let Some(ramp) = &load.ramp {
            self.demand(*ramp.get_ref() <= Sizes::DELAY, ramp, || {
                format!("`ramp` is from 0 to {} milliseconds", Sizes::DELAY)
            })?;
        }
        if let Some(tabs) = &load.tabs {
            self.demand((1..=MOST_TABS).contains(tabs.get_ref()), tabs, || {
                format!("`tabs` is from 1 to {MOST_TABS}")
            })?;
        }
        if let Some(bytes) = &load.oversize_bytes {
            self.demand((1..=MOST_BYTES).contains(bytes.get_ref()), bytes, || {
                format!("`oversize_bytes` is from 1 to {MOST_BYTES}")
            })?;
        }
        Ok(())
    }

    fn points(&self, load: &LoadTable) -> Checked<Vec<Point>> {
        let Some(written) = &load.cut_at else {
            return Ok(vec![Point::First, Point::Middle, Point::Last]);
        };
        let point = |name: &String| match name.as_str() {
            "first" => Some(Point::First),
            "middle" => Some(Point::Middle),
            "last" => Some(Point::Last),
            _ => None,
        };
        let points: Option<Vec<Point>> = written.get_ref().iter().map(point).collect();
        points.filter(|points| !points.is_empty()).ok_or_else(|| {
            self.error(written, "`cut_at` lists some of `first`, `middle` and `last`".into())
        })
    }

    fn cursors(&self, load: &LoadTable, protocol: &Protocol) -> Checked<Vec<CursorKind>> {
        let resumes = protocol.events.as_ref().is_some_and(|on| !on.resume.is_empty());
        let Some(written) = &load.reconnect else {
            let usual = [CursorKind::Own, CursorKind::Foreign, CursorKind::Nonsense];
            return Ok(if resumes { usual.to_vec() } else { Vec::new() });
        };
        self.demand(resumes, written, || {
            "there is nothing to show a cursor by: give `resume` in `[events]`, such as \
             `resume = { after = \"{{ cursor }}\" }`"
                .into()
        })?;
        let kind = |name: &String| match name.as_str() {
            "own" => Some(CursorKind::Own),
            "old" => Some(CursorKind::Old),
            "foreign" => Some(CursorKind::Foreign),
            "nonsense" => Some(CursorKind::Nonsense),
            _ => None,
        };
        let kinds: Option<Vec<CursorKind>> = written.get_ref().iter().map(kind).collect();
        kinds.filter(|kinds| !kinds.is_empty()).ok_or_else(|| {
            let problem = "`reconnect` lists some of `own`, `old`, `foreign` and `nonsense`";
            self.error(written, problem.into())
        })
    }

    fn needs_connections(&self, load: &LoadTable, protocol: &Protocol) -> Checked<()> {
        let none =
            || "there is no event connection to open twice: give `connection` in `[events]`".into();
        if let Some(tabs) = load.tabs.as_ref().filter(|tabs| *tabs.get_ref() > 1) {
            self.demand(protocol.events.is_some(), tabs, none)?;
        }
        if let Some(overlap) = load.overlap_percent.as_ref().filter(|own| *own.get_ref() > 0) {
            self.demand(protocol.events.is_some(), overlap, none)?;
        }
        let over_http = matches!(protocol.start, Start::Http { .. });
        if let Some(switch) = load.switch_percent.as_ref().filter(|own| *own.get_ref() > 0) {
            self.demand(over_http || protocol.switch.is_some(), switch, || {
                "how the next user takes a WebSocket over is not said: give `enter` and `until` \
                 in `[switch]`"
                    .into()
            })?;
        }
        Ok(())
    }

    fn needs_controls(&self, load: &LoadTable, protocol: &Protocol) -> Checked<()> {
        let told = [
            (&load.stop_percent, ControlAction::Stop, "stop", false),
            (&load.stop_other_percent, ControlAction::Stop, "stop", true),
            (&load.approve_other_percent, ControlAction::Approve, "approve", true),
        ];
        for (written, action, name, by_another) in told {
            let Some(written) = written.as_ref().filter(|written| *written.get_ref() > 0) else {
                continue;
            };
            let Some(act) = protocol.controls.act(action) else {
                let problem = format!("how is not said: give `[controls.{name}]`");
                return Err(self.error(written, problem));
            };
            let known = act.names_run() && !protocol.dialect.run.is_empty();
            self.demand(known || !by_another, written, || {
                format!(
                    "another user's run is addressed by the server's name of it: put `{{{{ run }}}}` \
                     into `[controls.{name}]`, and say where it stands by `run` in `[events]`"
                )
            })?;
        }
        Ok(())
    }

    /// How runs are stopped and approved.
    pub(super) fn run_controls(&self, file: &ScenarioFile) -> Checked<RunControls> {
        let table = &file.controls;
        let act = |written: &Option<Spanned<ActTable>>| {
            written.as_ref().map(|written| self.act(written)).transpose()
        };
        Ok(RunControls {
            stop: act(&table.stop)?,
            approve: act(&table.approve)?,
            asks: table.asks.clone(),
        })
    }

    fn act(&self, written: &Spanned<ActTable>) -> Checked<Act> {
        let table = written.get_ref();
        let content = self.content(&table.prefix, &table.json, &table.text)?;
        match &table.path {
            Some(path) => {
                let post = Spanned::new(written.span(), "POST".to_owned());
                let method = table.method.clone().or(Some(post));
                Ok(Act::Request(self.request(&method, path, &table.headers, content)?))
            }
            None => {
                self.demand(content != Content::Nothing, written, || {
                    "give `path` for a request, or `json` or `text` for a message".into()
                })?;
                Ok(Act::Send(content))
            }
        }
    }

    /// How the next user takes over an event connection.
    pub(super) fn switch(&self, file: &ScenarioFile) -> Checked<Option<Switch>> {
        let Some(written) = &file.switch else { return Ok(None) };
        let table = written.get_ref();
        let websocket =
            file.events.connection.as_ref().is_some_and(|on| on.get_ref() == "websocket");
        self.demand(websocket, written, || {
            "only a WebSocket passes from one user to the next: `connection` in `[events]`".into()
        })?;
        let message = |table: &ActTable| self.content(&table.prefix, &table.json, &table.text);
        let enter = message(table.enter.get_ref())?;
        self.demand(enter != Content::Nothing, &table.enter, || {
            "give the `json` or `text` by which the next user logs in".into()
        })?;
        self.demand(!table.until.get_ref().is_empty(), &table.until, || {
            "`until` is the type of the message that confirms the log-in".into()
        })?;
        let (leave, until) = (message(&table.leave)?, table.until.get_ref().clone());
        Ok(Some(Switch { leave, enter, until }))
    }

    /// Where a stopped run says so.
    pub(super) fn stopped(&self, file: &ScenarioFile, dialect: &mut Dialect) -> Checked<()> {
        let Some(written) = &file.controls.stopped else { return Ok(()) };
        let table = written.get_ref();
        let at = self.pointer(&Some(table.at.clone()))?;
        self.demand(at.starts_with('/'), &table.at, || {
            "`at` is a JSON pointer, such as `/error`".into()
        })?;
        dialect.stopped.clone_from(&table.is);
        dialect.stopped_at = at;
        Ok(())
    }
}

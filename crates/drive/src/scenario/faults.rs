//! What goes otherwise than it should in the work against a described server, as checked.

use super::choices::ConnectionKind;
use super::file::ScenarioFile;
use super::load_file::{ActTable, LoadTable};
use super::words::{Checked, Filled, Words};
use super::written::Written;
use super::{Faults, Point, Range, Sizes};
use partywall_core::dialect::Dialect;
use partywall_core::plan::{ControlAction, CursorKind};
use partywall_core::protocol::{Act, Content, Protocol, Start};
use partywall_core::run_controls::{RunControls, Switch};

/// The most bytes of a message that says far too much.
const MOST_BYTES: u32 = 64 << 20;
/// How many of a hundred runs say the same words as others where the scenario does not say.
const USUAL_EQUAL: u8 = 5;
/// The most event connections of one user.
const MOST_TABS: u8 = 8;

impl Words<'_> {
    /// Fewest and most milliseconds.
    fn millis(&self, written: &Option<Written<[u32; 2]>>, otherwise: [u32; 2]) -> Checked<Range> {
        let [least, most] = otherwise;
        match written {
            None => Ok(Range { least, most }),
            Some(written) => self.range(written, "give [fewest, most] milliseconds", Sizes::DELAY),
        }
    }

    /// The faults of the workload; what the rest of the file does not allow is an error.
    pub(super) fn faults(&self, file: &ScenarioFile, protocol: &Protocol) -> Checked<Faults> {
        let load = &file.workload;
        let faults = Faults {
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
            equal: match &load.equal_percent {
                None => USUAL_EQUAL,
                written => self.percent(written)?,
            },
            malformed: self.percent(&load.malformed_percent)?,
            oversize: self.percent(&load.oversize_percent)?,
            stop: self.percent(&load.stop_percent)?,
            stop_other: self.percent(&load.stop_other_percent)?,
            approve_other: self.percent(&load.approve_other_percent)?,
            learnt: None,
            ramp: self.ramp(load)?,
            tabs: self.number(&load.tabs, "tabs", [1, MOST_TABS], 1)?,
            oversize_bytes: self.number(
                &load.oversize_bytes,
                "oversize_bytes",
                [1, MOST_BYTES],
                1_000_000,
            )?,
        };
        self.needs_connections(load, protocol)?;
        self.needs_controls(load, protocol)?;
        Ok(faults)
    }

    fn ramp(&self, load: &LoadTable) -> Checked<u32> {
        let Some(ramp) = &load.ramp else { return Ok(0) };
        self.demand(**ramp <= Sizes::DELAY, ramp, || {
            format!("`ramp` is from 0 to {} milliseconds", Sizes::DELAY)
        })?;
        Ok(**ramp)
    }

    fn points(&self, load: &LoadTable) -> Checked<Vec<Point>> {
        let Some(written) = &load.cut_at else {
            return Ok(vec![Point::First, Point::Middle, Point::Last]);
        };
        self.demand(!written.is_empty(), written, || {
            "list at least one of \"first\", \"middle\" and \"last\"".into()
        })?;
        Ok(written.iter().map(|at| Point::from(*at)).collect())
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
        self.demand(!written.is_empty(), written, || {
            "list at least one of \"own\", \"old\", \"foreign\" and \"nonsense\"".into()
        })?;
        Ok(written.iter().map(|shown| CursorKind::from(*shown)).collect())
    }

    fn needs_connections(&self, load: &LoadTable, protocol: &Protocol) -> Checked<()> {
        let tabs = load.tabs.as_ref().filter(|tabs| ***tabs > 1);
        let twice = tabs.or(load.overlap_percent.as_ref().filter(|own| ***own > 0));
        if let Some(written) = twice {
            self.demand(protocol.events.is_some(), written, || {
                "there is no event connection to open twice: give `connection` in `[events]`".into()
            })?;
        }
        let over_http = matches!(protocol.start, Start::Http { .. });
        if let Some(switch) = load.switch_percent.as_ref().filter(|own| ***own > 0) {
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
            let Some(written) = written.as_ref().filter(|written| ***written > 0) else {
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
        let act = |written: &Option<Written<ActTable>>| {
            written.as_ref().map(|written| self.act(written)).transpose()
        };
        Ok(RunControls {
            stop: act(&table.stop)?,
            approve: act(&table.approve)?,
            asks: table.asks.clone(),
        })
    }

    fn act(&self, table: &Written<ActTable>) -> Checked<Act> {
        let filled = Filled::ForRun;
        let content = self.content(&table.prefix, &table.json, &table.text, filled)?;
        match &table.path {
            Some(path) => {
                let mut request =
                    self.request(&table.method, path, &table.headers, content, filled)?;
                if table.method.is_none() {
                    request.method = "POST".into();
                }
                Ok(Act::Request(request))
            }
            None => {
                self.demand(content != Content::Nothing, table, || {
                    "give `path` for a request, or `json` or `text` for a message".into()
                })?;
                Ok(Act::Send(content))
            }
        }
    }

    /// How the next user takes over an event connection.
    pub(super) fn switch(&self, file: &ScenarioFile) -> Checked<Option<Switch>> {
        let Some(table) = &file.switch else { return Ok(None) };
        let websocket = file.events.connection.as_deref() == Some(&ConnectionKind::Websocket);
        self.demand(websocket, table, || {
            "only a WebSocket passes from one user to the next: `connection` in `[events]`".into()
        })?;
        let filled = Filled::AnyTime;
        let message = |own: &ActTable| self.content(&own.prefix, &own.json, &own.text, filled);
        let enter = message(&table.enter)?;
        self.demand(enter != Content::Nothing, &table.enter, || {
            "give the `json` or `text` by which the next user logs in".into()
        })?;
        self.demand(!table.until.is_empty(), &table.until, || {
            "`until` is the type of the message that confirms the log-in".into()
        })?;
        let (leave, until) = (message(&table.leave)?, table.until.to_string());
        Ok(Some(Switch { leave, enter, until }))
    }

    /// Where a stopped run says so.
    pub(super) fn stopped(&self, file: &ScenarioFile, dialect: &mut Dialect) -> Checked<()> {
        let Some(table) = &file.controls.stopped else { return Ok(()) };
        let at = self.pointer(&Some(table.at.clone()))?;
        self.demand(at.starts_with('/'), &table.at, || {
            "`at` is a JSON pointer, such as `/error`".into()
        })?;
        dialect.stopped.clone_from(&table.is);
        dialect.stopped_at = at;
        Ok(())
    }
}

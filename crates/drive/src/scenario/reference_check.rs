//! Checks of scenarios of the reference back end: its switches, and its work at both levels.

use super::Act;
use super::checked::{Limits, Scenario};
use super::choices::ReferenceVia;
use super::file::{Migrated, ScenarioFile, TargetTable};
use super::load_file::{LevelTable, LoadTable};
use super::states::MigrationEvidence;
use super::words::{Checked, Words};
use super::written::Written;
use super::{Range, Sizes, Workload};
use partywall_core::plan::Via;
use partywall_core::target::Reference;
use partywall_reference::call_sites::{CallSite, Migration};

/// Keys of `[workload]` and the levels that only the reference back end has.
pub(super) const ONLY_REFERENCE: [&str; 9] = [
    "via",
    "mix",
    "acts",
    "share_browsers",
    "heavy_runs",
    "agents",
    "stub_delay",
    "faults",
    "trials",
];
/// Keys of `[workload]` that it has as well.
const ITS_WORK: [&str; 6] =
    ["users", "runs_per_user", "rounds", "start_delay", "bystander", "disconnect_percent"];
/// Tables and keys at the top level that it has.
const ITS_TABLES: [&str; 10] = [
    "version", "name", "title", "target", "before", "after", "state", "workload", "explore", "wire",
];
/// Keys of a target that it has, and no other.
const SWITCHES: [&str; 3] = ["builtin", "migrated", "defect"];

/// What holds where neither says anything.
struct Otherwise {
    users: Range,
    start_delay: Range,
    stub_delay: Range,
}

const EXPLORE: Otherwise = Otherwise {
    users: Range { least: 3, most: 5 },
    start_delay: Range { least: 0, most: 12 },
    stub_delay: Range { least: 0, most: 3 },
};
const WIRE: Otherwise = Otherwise {
    users: Range { least: 50, most: 50 },
    start_delay: Range { least: 0, most: 20 },
    stub_delay: Range { least: 1, most: 9 },
};

impl Words<'_> {
    /// Whether the reference back end is driven.
    pub(super) fn builtin(&self, table: &TargetTable) -> Checked<bool> {
        if table.builtin.is_some() {
            return Ok(true);
        }
        let why = "for `builtin = \"reference\"`: add that line, or remove this one";
        for of in ["target", "before", "after"] {
            self.refuse(of, |key| SWITCHES.contains(&key), why)?;
        }
        Ok(false)
    }

    /// A scenario of the reference back end.
    pub(super) fn reference(&self, file: ScenarioFile) -> Checked<Scenario> {
        let why = "for a server of your own; the reference back end has no use for it: remove it";
        self.refuse("", |key| !ITS_TABLES.contains(&key), why)?;
        let is_its_work = |key: &str| ITS_WORK.contains(&key) || ONLY_REFERENCE.contains(&key);
        self.refuse("workload", |key| !is_its_work(key), why)?;
        for of in ["target", "before", "after"] {
            self.refuse(of, |key| !SWITCHES.contains(&key), why)?;
        }
        self.refuse("explore", |key| key == "rounds", "for `[wire]`: remove it")?;
        let why = "for `[explore]`: remove it";
        self.refuse("wire", |key| ["faults", "trials"].contains(&key), why)?;
        let target = self.switches(&file.target, None)?;
        let side = |side: &Option<TargetTable>, otherwise: Migration| match side {
            Some(own) => self.switches(own, Some(target)),
            None => Ok(Reference { migration: otherwise, ..target }),
        };
        let before = side(&file.before, Migration::NONE)?;
        let after = side(&file.after, Migration::ALL)?;
        let states = self.states(&file.state, |table| {
            let is_legacy = |site: &CallSite| table.legacy.iter().any(|own| own == site.name());
            let known = |own: &String| CallSite::ALL.iter().any(|site| site.name() == own);
            self.demand(table.legacy.iter().all(known), &table.legacy, || {
                let all = CallSite::ALL.map(|site| format!("`{}`", site.name())).join(", ");
                format!("the call sites of the reference back end are {all}")
            })?;
            let migrated = CallSite::ALL.into_iter().filter(|site| !is_legacy(site));
            Ok(Reference { migration: Migration::of(migrated), ..target }.into())
        })?;
        let common = self.common(&file)?;
        let mut explore = self.level(&file.workload, &common, &file.explore, &EXPLORE)?;
        if let Some(faults) = &file.explore.faults {
            explore.faults = self.range(faults, "`faults` is [fewest, most]", Sizes::FAULTS)?;
        }
        let wire = self.level(&file.workload, &common, &file.wire, &WIRE)?;
        let trials = file.explore.trials.as_ref();
        let rounds = file.wire.rounds.as_ref().or(file.workload.rounds.as_ref());
        for (written, name) in [(trials, "trials"), (rounds, "rounds")] {
            if let Some(written) = written {
                self.demand(**written > 0, written, || format!("`{name}` is at least 1"))?;
            }
        }
        Ok(Scenario {
            explore_trials: trials.map_or(500, |trials| **trials),
            wire_rounds: rounds.map_or(8, |rounds| **rounds),
            name: file.name.to_string(),
            title: file.title,
            target: target.into(),
            before: Some(before.into()),
            after: Some(after.into()),
            states,
            evidence: MigrationEvidence::default(),
            explore: Some(explore),
            wire,
            limits: Limits::default(),
        })
    }

    fn switches(&self, table: &TargetTable, otherwise: Option<Reference>) -> Checked<Reference> {
        let defect = table.defect.as_ref().map(|written| {
            written.parse().map_err(|error| self.error(written, format!("{error}")))
        });
        let defect = defect.transpose()?.or(otherwise.and_then(|own| own.defect));
        let migration = match (&table.migrated, otherwise) {
            (Some(written), _) => {
                let sites = match &**written {
                    Migrated::Word(word) => word.clone(),
                    Migrated::Sites(sites) if sites.is_empty() => "none".into(),
                    Migrated::Sites(sites) => sites.join(","),
                };
                sites.parse().map_err(|error| self.error(written, format!("{error}")))?
            }
            (None, Some(otherwise)) => otherwise.migration,
            (None, None) if defect.is_some() => Migration::ALL,
            (None, None) => Migration::NONE,
        };
        Ok(Reference { migration, defect })
    }

    /// What both levels have in common.
    fn common(&self, file: &ScenarioFile) -> Checked<Workload> {
        let load = &file.workload;
        let users = Range { least: 1, most: 1 };
        Ok(Workload {
            runs_per_user: self.runs_per_user(file)?,
            via: self.via(load)?,
            mix: load.mix || load.acts.is_some(),
            acts: self.acts(load)?,
            share_browsers: load.share_browsers.as_deref().copied(),
            heavy_runs: self.heavy_runs(load)?,
            bystander: load.bystander.unwrap_or(true),
            vanish_percent: self.percent(&load.disconnect_percent)?,
            ..Workload::plain(&*file.name, users)
        })
    }

    fn level(
        &self,
        load: &LoadTable,
        common: &Workload,
        own: &LevelTable,
        otherwise: &Otherwise,
    ) -> Checked<Workload> {
        let delay = |own: Option<&Written<[u32; 2]>>, name: &str, otherwise| match own {
            Some(written) => self.delay(written, name),
            None => Ok(otherwise),
        };
        let idle = u32::from(common.bystander);
        let users = match own.users.as_ref().or(load.users.as_ref()) {
            Some(written) => self.users(written, common.bystander)?,
            None => {
                Range { least: otherwise.users.least - idle, most: otherwise.users.most - idle }
            }
        };
        let agents = match own.agents.as_ref().or(load.agents.as_ref()) {
            Some(written) => {
                self.demand(!written.is_empty(), written, || {
                    "`agents` lists at least one sub-agent".into()
                })?;
                written.to_vec()
            }
            None => vec!["triage".into()],
        };
        let start = own.start_delay.as_ref().or(load.start_delay.as_ref());
        let stub = own.stub_delay.as_ref().or(load.stub_delay.as_ref());
        Ok(Workload {
            users,
            agents,
            start_delay: delay(start, "start_delay", otherwise.start_delay)?,
            stub_delay: delay(stub, "stub_delay", otherwise.stub_delay)?,
            ..common.clone()
        })
    }

    fn via(&self, load: &LoadTable) -> Checked<Vec<Via>> {
        let Some(written) = &load.via else { return Ok(vec![Via::Socket, Via::Http]) };
        self.demand(!written.is_empty(), written, || {
            "`via` lists at least one of `socket`, `http`".into()
        })?;
        let via = |own: &ReferenceVia| match own {
            ReferenceVia::Socket => Via::Socket,
            ReferenceVia::Http => Via::Http,
        };
        Ok(written.iter().map(via).collect())
    }

    fn acts(&self, work: &LoadTable) -> Checked<Vec<Act>> {
        let Some(written) = &work.acts else {
            if let (Some(share), false) = (&work.share_browsers, work.mix) {
                return Err(self.error(share, "`share_browsers` needs `mix` or `acts`".into()));
            }
            return Ok(Act::ALL.to_vec());
        };
        let all = || Act::ALL.map(|act| format!("`{}`", act.as_str())).join(", ");
        self.demand(!written.is_empty(), written, || {
            format!("`acts` lists at least one of {}", all())
        })?;
        let read = |name: &Written<String>| {
            Act::ALL.into_iter().find(|act| act.as_str() == **name).ok_or_else(|| {
                let written = name.escape_debug();
                self.error(name, format!("there is no act `{written}`; there are {}", all()))
            })
        };
        written.iter().map(read).collect()
    }

    fn heavy_runs(&self, work: &LoadTable) -> Checked<u16> {
        let Some(written) = &work.heavy_runs else { return Ok(0) };
        self.demand(!work.mix && work.acts.is_none(), written, || {
            "`heavy_runs` goes without `mix` and `acts`".into()
        })?;
        self.number(&work.heavy_runs, "heavy_runs", [1, Sizes::RUNS], 0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Target, built_in};
    use super::*;

    const LEAST: &str =
        "version = 1\nname = \"a\"\ntitle = \"A\"\n[target]\nbuiltin = \"reference\"\n";

    #[test]
    fn what_is_not_said_is_usual_and_a_level_says_what_is_other_there() {
        let scenario = Scenario::parse(LEAST).expect("enough is said");
        let explore = scenario.to_explore().expect("it is explored");
        assert_eq!(scenario.target, Target::Reference(Reference::LEGACY));
        assert_eq!(scenario.after, Some(Target::Reference(Reference::PER_REQUEST)));
        assert_eq!((explore.users.least, explore.users.most), (2, 4));
        assert_eq!((scenario.wire.users.most, scenario.wire_rounds), (49, 8));
        let more = "migrated = [\"startup\"]\ndefect = \"M05@2%\"\n[workload]\nusers = 9\n\
                    agents = [\"data\"]\n[explore]\nusers = [3, 4]\n[wire]\nrounds = 3\n\
                    [before]\nmigrated = \"none\"\n[[state]]\nname = \"left\"\nlegacy = [\"startup\"]\n";
        let scenario = Scenario::parse(&format!("{LEAST}{more}")).expect("valid");
        let shown = |target: &Target| target.to_string();
        assert!(shown(&scenario.target).ends_with("migrated startup, with defect M05@2%"));
        let before = scenario.before.as_ref().map(shown).unwrap_or_default();
        assert!(before.ends_with("migrated none, with defect M05@2%"), "{before}");
        let Target::Reference(left) = &scenario.states[0].target else { panic!("another target") };
        let legacy = CallSite::ALL.iter().filter(|site| !left.migration.includes(**site));
        assert_eq!(legacy.map(|site| site.name()).collect::<Vec<_>>(), ["startup"]);
        let explore = scenario.to_explore().expect("it is explored");
        assert_eq!((explore.users.least, explore.users.most), (2, 3));
        assert_eq!((scenario.wire.users.most, scenario.wire_rounds), (8, 3));
        assert_eq!(scenario.wire.agents, ["data"]);
    }

    #[test]
    fn what_is_of_the_other_kind_is_refused_with_its_line() {
        let chat = super::super::TEMPLATES[0].1;
        let of_reference = [
            ("[workload]\ntabs = 2", "tabs = 2", "server of your own"),
            ("command = [\"x\"]", "command", "server of your own"),
            ("migrated = [\"bogus\"]", "migrated", "no call site `bogus`"),
            ("defect = \"M99\"", "defect", "M99"),
            ("[events]\nconnection = \"sse\"", "[events]", "server of your own"),
            (
                "[workload]\nusers = \"many\"",
                "users",
                "use a whole number, 0 or more or [fewest, most]",
            ),
            ("[workload]\nvia = [\"mail\"]", "via", "\"socket\" or \"http\""),
            ("[workload]\nacts = [\"dances\"]", "acts", "no act `dances`"),
            ("[workload]\nmix = true\nheavy_runs = 2", "heavy_runs", "without `mix`"),
            ("[explore]\nrounds = 2", "rounds", "`[wire]`"),
            ("[wire]\ntrials = 2", "trials", "`[explore]`"),
        ];
        let of_reference =
            of_reference.map(|(more, at, why)| (format!("{LEAST}{more}\n"), at, why));
        let of_server = [
            ("[workload]\n", "[workload]\nvia = [\"http\"]\n", "via", "`builtin = \"reference\"`"),
            ("[workload]\n", "[explore]\ntrials = 9\n[workload]\n", "[explore]", "on the wire"),
            ("[target]\n", "[target]\nmigrated = \"all\"\n", "migrated", "add that line"),
            ("[target]\n", "[target]\nbuiltin = \"other\"\n", "builtin", "use \"reference\""),
        ];
        let of_server = of_server.map(|(old, new, at, why)| (chat.replacen(old, new, 1), at, why));
        for (text, at, why) in of_reference.into_iter().chain(of_server) {
            let error = Scenario::parse(&text).expect_err(at);
            let line = error.line.and_then(|line| text.lines().nth(line - 1)).unwrap_or_default();
            assert!(line.starts_with(at) && error.problem.contains(why), "{at}: {error}");
        }
    }

    #[test]
    fn a_file_of_an_older_version_is_told_what_to_add() {
        let old = "version = 1\nname = \"a\"\ntitle = \"A\"\n\n[workload]\nvanish_percent = 5\n\
                   [explore]\nusers = [2, 4]\n[wire]\nusers = [50, 50]\n";
        let error = Scenario::parse(old).expect_err("it says not what is driven");
        assert_eq!(error.line, Some(5));
        let told = error.to_string();
        assert!(told.contains("`builtin = \"reference\"`") && told.contains("disconnect_percent"));
    }

    #[test]
    fn a_server_that_is_described_is_not_explored() {
        let chat = Scenario::parse(super::super::TEMPLATES[0].1).expect("valid");
        let error = chat.to_explore().expect_err("it is driven").to_string();
        assert!(error.contains("`partywall run`"), "{error}");
        assert!(built_in("mechanism-mix").is_ok_and(|mix| mix.to_explore().is_ok()));
    }
}

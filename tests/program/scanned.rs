//! SARIF as code scanning finds it in a job: every place is a line of a file of the repository, wherever
//! in it the program was started.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::code_scanning::takes;
use crate::support::toy::{Leak, serve};
use crate::support::{Scratch, partywall, ran};

const CALLS: &str = "from core import get_agent_instance_factory\n\n\nasync def socket(ws):\n    \
                     return get_agent_instance_factory()\n";

/// A repository with scenarios in one folder and sources in another; commands start in a third.
struct Repository(Scratch);

impl Repository {
    fn new(name: &str) -> Self {
        let own = Self(Scratch::new(name));
        for folder in [".git", "checks", "app", "jobs"] {
            std::fs::create_dir_all(own.root().join(folder)).expect("can be written");
        }
        own.write("app/routes.py", CALLS);
        own
    }

    fn root(&self) -> PathBuf {
        self.0.path().canonicalize().expect("it is there")
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.root().join(name), text).expect("can be written");
    }

    /// The program, started in a folder below the root.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = partywall(arguments);
        command.current_dir(self.root().join("jobs"));
        command
    }

    /// Drives something, and gives the files of its log, each with its highest line.
    #[track_caller]
    fn places(&self, arguments: &[&str], code: i32) -> (Value, Vec<String>) {
        let reports = ["--report-dir", "../out", "--report", "sarif,junit", "--name", "own"];
        ran(self.command(arguments).args(reports)).exits(code);
        let log = self.root().join("out/runs/own/latest/report.sarif");
        self.checked(&std::fs::read_to_string(log).expect("a log"))
    }

    #[track_caller]
    fn checked(&self, log: &str) -> (Value, Vec<String>) {
        let log: Value = serde_json::from_str(log).expect("JSON");
        let files = takes(&log, "log");
        for (file, line) in &files {
            let text = std::fs::read_to_string(self.root().join(file));
            let text = text.unwrap_or_else(|error| panic!("{file}: {error}"));
            assert!(*line as usize <= text.lines().count(), "{file}:{line}");
        }
        (log, files.into_keys().collect())
    }
}

/// A carried scenario.
fn carried(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("scenarios/{name}.toml"));
    std::fs::read_to_string(file).expect("a ready scenario")
}

#[track_caller]
fn rules(log: &Value) -> Vec<&str> {
    let results = log["runs"][0]["results"].as_array().expect("results");
    results.iter().map(|result| result["ruleId"].as_str().expect("a rule")).collect()
}

#[test]
fn a_run_an_exploration_and_a_server_that_dies_are_shown_at_the_scenario() {
    let own = Repository::new("scanned-run");
    let text = carried("chat-websocket");
    let (head, tail) = text.split_once("[identity]").expect("a table");
    let head: Vec<&str> = head.lines().take_while(|line| !line.starts_with('[')).collect();
    let with_target =
        |target: &str| format!("{}\n[target]\n{target}\n[identity]{tail}", head.join("\n"));
    let program = env!("CARGO_BIN_EXE_partywall");
    let leaking = format!(
        "command = [\"{program}\", \"serve\", \"--migrated\", \"none\", \"--port\", \
         \"{{{{ port }}}}\"]"
    );
    own.write("checks/chat.toml", &with_target(&leaking));
    let quick = ["--users", "6", "--rounds", "1"];
    let run = [&["run", "../checks/chat.toml"][..], &quick].concat();
    let (_, files) = own.places(&run, 1);
    assert_eq!(files, ["checks/chat.toml"]);
    own.write("checks/dies.toml", &with_target("command = [\"false\", \"{{ port }}\"]"));
    for how in ["fail", "warn"] {
        // Nothing was exercised, which is never let pass.
        let dies = ["run", "../checks/dies.toml", "--inconclusive", how];
        let (log, files) = own.places(&dies, 5);
        assert_eq!(
            (files, rules(&log)),
            (vec!["checks/dies.toml".into()], vec!["partywall/inconclusive"])
        );
        let junit = std::fs::read_to_string(own.root().join("out/runs/own/latest/junit.xml"));
        assert!(junit.expect("it was asked for").contains("file=\"checks/dies.toml\""));
    }
    own.write("checks/golden.toml", &carried("reference-golden-path"));
    let explore = ["explore", "../checks/golden.toml", "--migrated", "none", "--trials", "12"];
    let quick = ["--users", "3", "--max-findings", "1"];
    let (_, files) = own.places(&[&explore[..], &quick].concat(), 1);
    assert_eq!(files, ["checks/golden.toml"]);
    // A recorded history is judged at its own file.
    let histories = own.root().join("out/runs/own/latest/histories");
    let history = std::fs::read_dir(histories).expect("histories").flatten().next().expect("one");
    let mut check = own.command(&["check", "--annotations", "github"]);
    let told = ran(check.arg(history.path())).exits(1).stdout;
    let line = told.lines().find(|line| line.starts_with("::error ")).expect("it is annotated");
    assert!(line.contains("file=out/runs/own/"), "{line}");
}

#[test]
fn call_sites_are_shown_at_their_lines() {
    let own = Repository::new("scanned-sites");
    let audit = ["audit", "../app", "--format", "sarif"];
    let (_, files) = own.checked(&ran(&mut own.command(&audit)).exits(0).stdout);
    assert_eq!(files, ["app/routes.py"]);
    let json = ran(&mut own.command(&["audit", "../app", "--format", "json"])).exits(0).stdout;
    own.write("jobs/audit.json", &json);
    // Two states of servers that run already: all migrated, and one call site left that leaks.
    let states: String =
        [("left", "[\"routes.py:socket\"]", Leak::Broadcast), ("end", "[]", Leak::None)]
            .into_iter()
            .map(|(name, legacy, leak)| {
                let url = serve(leak);
                format!("[[state]]\nname = \"{name}\"\nlegacy = {legacy}\nurl = \"{url}\"\n\n")
            })
            .collect();
    let text = carried("chat-migration");
    let (head, rest) = text.split_once("[migration]").expect("a table");
    let (_, tail) = rest.split_once("[identity]").expect("a table");
    own.write("checks/states.toml", &format!("{head}{states}[identity]{tail}"));
    let states = ["migration", "../checks/states.toml", "--audit", "audit.json"];
    let quick = ["--users", "10", "--rounds", "2"];
    let (log, files) = own.places(&[&states[..], &quick].concat(), 0);
    assert!(files.contains(&"app/routes.py".to_owned()), "{files:?}");
    let results = log["runs"][0]["results"].as_array().expect("results");
    let left: Vec<&Value> =
        results.iter().filter(|own| own["ruleId"] == "partywall/call-site-leaks").collect();
    let [left] = left.as_slice() else { panic!("{results:#?}") };
    let place = &left["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "app/routes.py");
    assert_eq!((&place["region"]["startLine"], &left["level"]), (&5.into(), &"warning".into()));
    // A sign-off that requires the migration says where it is not done.
    let signoff = ["signoff", "reference-golden-path", "--trials", "1", "--rounds", "1", "--seed"];
    let source = ["5", "--audit", "audit.json", "--require-migrated"];
    let reports = ["--report-dir", "../out", "--name", "signed"];
    ran(own.command(&[&signoff[..], &source].concat()).args(reports)).exits(1);
    let log = own.root().join("out/runs/signed/latest/report.sarif");
    let log: Value =
        serde_json::from_str(&std::fs::read_to_string(log).expect("a log")).expect("JSON");
    let files = takes(&log, "sign-off");
    assert_eq!(files.get("app/routes.py"), Some(&5));
    assert!(rules(&log).iter().any(|rule| rule.starts_with("partywall/remaining-")), "{files:?}");
}

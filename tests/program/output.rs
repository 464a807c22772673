//! Colour, broken pipes, twins in the environment, and what an inconclusive verdict exits with.

use std::process::Stdio;

use partywall::trial::verdict::{Outcome, ReasonCode};

use crate::support::reports::{codes, report};
use crate::support::{Scratch, partywall, ran};

const EXPLORE: [&str; 5] = ["explore", "--migrated", "all", "--trials", "1"];

#[test]
fn colour_comes_where_it_is_wanted() {
    let scratch = Scratch::new("colour");
    let coloured = |more: &[&str], environment: &[(&str, &str)]| {
        let mut command = scratch.partywall(&[&EXPLORE[..], more].concat());
        let ran = ran(command.envs(environment.iter().copied()));
        assert!(!ran.stderr.contains('\x1b'), "{}", ran.stderr);
        ran.stdout.contains('\x1b')
    };
    assert!(!coloured(&[], &[]), "a pipe is no terminal");
    assert!(coloured(&["--color", "always"], &[]));
    assert!(coloured(&["--color", "always"], &[("NO_COLOR", "1")]));
    assert!(coloured(&[], &[("PARTYWALL_COLOR", "always")]));
    assert!(coloured(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(!coloured(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    let scratch = Scratch::new("pipe");
    for arguments in [&["explain", "O1"][..], &["--help"], &[]] {
        let mut command = partywall(arguments);
        let code = code_without_reader(&mut command);
        assert_eq!(code, Some(0), "{arguments:?}");
    }
    let mut explore = scratch.partywall(&["explore", "--migrated", "all", "--trials", "40"]);
    assert_eq!(code_without_reader(&mut explore), Some(0));
    report(&scratch.run_folder("explore"));
}

fn code_without_reader(command: &mut std::process::Command) -> Option<i32> {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let errors = writer.try_clone().expect("a pipe");
    let status = command.stdout(Stdio::from(writer)).stderr(Stdio::from(errors)).status();
    status.expect("the program starts").code()
}

#[test]
fn the_environment_sets_options_and_the_command_line_wins() {
    let scratch = Scratch::new("twins");
    let seed = |more: &[&str], environment: &[(&str, &str)]| {
        let mut command = scratch.partywall(&[&EXPLORE[..], more].concat());
        ran(command.envs(environment.iter().copied()));
        report(&scratch.run_folder("explore")).seed
    };
    assert_eq!(seed(&[], &[]), 1);
    assert_eq!(seed(&[], &[("PARTYWALL_SEED", "7")]), 7);
    assert_eq!(seed(&["--seed", "8"], &[("PARTYWALL_SEED", "7")]), 8);
    for yes_or_no in ["1", "true", "0", "false", "yes"] {
        assert_eq!(seed(&[], &[("PARTYWALL_NO_FAIL_FAST", yes_or_no)]), 1);
    }
    let mut malformed = scratch.partywall(&EXPLORE);
    ran(malformed.env("PARTYWALL_SEED", "x")).exits(2).complains(&["--seed", "'x'"]);
    let mut named = partywall(&EXPLORE);
    named.env("PARTYWALL_REPORT_DIR", scratch.path()).env("PARTYWALL_NAME", "by-environment");
    ran(&mut named);
    assert_eq!(report(&scratch.run_folder("by-environment")).name, "by-environment");
}

#[test]
fn who_cannot_be_reached_is_inconclusive_and_does_not_pass_by_warn() {
    let scratch = Scratch::new("unreachable");
    let closed = {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        listener.local_addr().expect("it is bound").port()
    };
    let url = format!("http://127.0.0.1:{closed}");
    let arguments = ["run", "--target", &url, "--users", "6"];
    let failed = ran(&mut scratch.partywall(&arguments)).exits(5);
    assert!(failed.stdout.contains("refused"), "{}", failed.stdout);
    let record = report(&scratch.run_folder("run"));
    assert_eq!(record.verdict, Outcome::Inconclusive);
    assert!(codes(&record).contains(&ReasonCode::TargetUnreachable));
    assert!(record.seconds < 5.0, "{} s to notice", record.seconds);
    let warned = ran(scratch.partywall(&arguments).args(["--inconclusive", "warn"])).exits(5);
    assert!(warned.stdout.contains("NOT A PASS"), "{}", warned.stdout);
    let record = report(&scratch.run_folder("run"));
    assert_eq!((record.verdict, record.exit_code as u8), (Outcome::Inconclusive, 5));
}

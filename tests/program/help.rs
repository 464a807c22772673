//! What the program says of itself.

use crate::support::{partywall, ran};

const SUBCOMMANDS: [&str; 12] = [
    "signoff",
    "explore",
    "migration",
    "model",
    "run",
    "replay",
    "check",
    "audit",
    "serve",
    "upstream",
    "explain",
    "selftest",
];

#[test]
fn alone_it_prints_a_short_help_that_ends_with_three_commands() {
    let help = ran(&mut partywall(&[])).exits(0).stdout;
    assert!(help.lines().count() < 40, "{help}");
    let (_, commands) = help.split_once("\nTry:\n").expect("it says what to try");
    let tried: Vec<&str> =
        commands.lines().filter(|line| line.trim_start().starts_with("partywall ")).collect();
    assert_eq!(tried.len(), 3, "{commands}");
    for subcommand in SUBCOMMANDS {
        assert!(help.contains(&format!("\n  {subcommand} ")), "{subcommand}: {help}");
    }
    // What it says to try is understood.
    let explain = tried.iter().find(|line| line.contains("explain")).expect("explain is one");
    let arguments: Vec<&str> = explain.split_whitespace().skip(1).take(2).collect();
    ran(&mut partywall(&arguments)).exits(0);
}

#[test]
fn every_option_has_a_twin_in_the_environment() {
    for subcommand in SUBCOMMANDS {
        let help = ran(&mut partywall(&[subcommand, "--help"])).exits(0).stdout;
        assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        let (_, options) = help.split_once("Options:").expect("it has options");
        let options = options.split(" --").skip(1).filter(|option| !option.starts_with("help"));
        for option in options {
            let name: String =
                option.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
            let twin = format!("[env: PARTYWALL_{}=]", name.to_uppercase().replace('-', "_"));
            assert!(option.contains(&twin), "{subcommand} --{name} has no twin: {option}");
        }
    }
}

#[test]
fn help_and_version_are_no_errors() {
    ran(&mut partywall(&["--help"])).exits(0);
    let version = ran(&mut partywall(&["--version"])).exits(0).stdout;
    assert_eq!(version, format!("partywall {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_mechanism_is_told_with_the_software_that_had_it() {
    let told = ran(&mut partywall(&["explain", "m01"])).exits(0).stdout;
    assert!(told.starts_with("M01 ") && told.contains("redis-py"), "{told}");
}

#[test]
fn every_oracle_is_explained_by_code_and_by_name() {
    for (code, name) in [("O1", "canary"), ("o3", "completeness"), ("O6", "after-close")] {
        let by_code = ran(&mut partywall(&["explain", code])).exits(0).stdout;
        let by_name = ran(&mut partywall(&["explain", name])).exits(0).stdout;
        assert!(by_code.contains(&code.to_uppercase()) && by_code.contains(name), "{by_code}");
        assert_eq!(by_code, by_name);
    }
}

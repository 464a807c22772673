//! What the program says of itself.

use crate::support::{Scratch, partywall, ran};

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
        let help = ran(&mut partywall(&[subcommand, "--help-all"])).exits(0).stdout;
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
fn the_usual_help_is_short_and_the_whole_one_has_everything() {
    for subcommand in SUBCOMMANDS {
        let short = ran(&mut partywall(&[subcommand, "--help"])).exits(0).stdout;
        assert!(short.lines().count() <= 60, "{subcommand}: {}", short.lines().count());
        assert!(short.lines().all(|line| line.chars().count() <= 80), "{short}");
        assert!(short.contains("--help-all"), "{subcommand} does not say where the rest is");
        assert_eq!(short, ran(&mut partywall(&[subcommand, "-h"])).exits(0).stdout);
    }
    let short = ran(&mut partywall(&["run", "--help"])).exits(0).stdout;
    let whole = ran(&mut partywall(&["run", "--help-all"])).exits(0).stdout;
    for common in ["--target", "--command", "--users", "--rounds", "--seed", "--report "] {
        assert!(short.contains(common), "{common} is common");
    }
    for rare in ["--nonce", "--partition", "--subject", "--allow-host"] {
        assert!(!short.contains(rare) && whole.contains(rare), "{rare} is rare");
    }
}

#[test]
fn completions_and_man_pages_know_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = ran(&mut partywall(&["generate", shell])).exits(0).stdout;
        let missing = SUBCOMMANDS.iter().filter(|command| !script.contains(**command));
        assert_eq!(missing.count(), 0, "{shell}");
    }
    let scratch = Scratch::new("man");
    let pages = scratch.path().join("pages");
    ran(partywall(&["generate", "man"]).arg(&pages)).exits(0);
    let run = std::fs::read_to_string(pages.join("partywall-run.1")).expect("a page");
    assert!(run.contains("PARTYWALL_USERS") && run.contains("nonce"), "{run}");
    for command in SUBCOMMANDS {
        assert!(pages.join(format!("partywall-{command}.1")).is_file(), "{command}");
    }
    let in_the_way = scratch.file("file", "");
    ran(partywall(&["generate", "man"]).arg(in_the_way)).exits(2).complains(&["man pages"]);
}

#[test]
fn help_and_version_are_no_errors() {
    ran(&mut partywall(&["--help"])).exits(0);
    let version = ran(&mut partywall(&["--version"])).exits(0).stdout;
    let own = format!("partywall {} (commit ", env!("CARGO_PKG_VERSION"));
    assert!(version.starts_with(&own) && version.ends_with(", features: cli)\n"), "{version}");
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

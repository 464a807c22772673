//! The command line: one file a subcommand. Environment variables are read here and nowhere else.

mod audit;
mod audit_fix;
mod audit_settings;
mod check;
mod check_scenario;
mod common;
mod compare;
mod ending;
mod explain;
mod explore;
mod formats;
mod generate;
mod init;
mod merge;
mod migration;
mod model;
mod output;
mod places;
mod progress;
mod reach;
mod replay;
mod report;
mod run;
mod saved;
mod scenario;
mod schema;
mod selftest;
mod serve;
mod shrink;
mod signoff;
mod source;
mod upstream;
mod version;

use std::process::ExitCode as ProcessExit;

use clap::{ArgAction, Parser, Subcommand};

use crate::campaign::error::CampaignError;
use ending::Ended;

const AFTER_HELP: &str = "\
Exit codes: 0 clean or fixed, 1 leaked, 2 usage, 3 internal error,
4 nothing exercised, 5 inconclusive, 130 interrupted.
Every option has a twin PARTYWALL_<OPTION>.

Try:
  partywall signoff                  before and after the migration
  partywall explore --migrated none  find the leak and shrink it
  partywall explain O1               what an oracle looks for";

/// Finds where one user's data reaches another.
#[derive(Debug, Parser)]
#[command(name = "partywall", version = version::text(), max_term_width = 80)]
#[command(after_help = AFTER_HELP, arg_required_else_help = true)]
#[command(disable_help_flag = true, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Print help: the common options
    #[arg(short, long, global = true, action = ArgAction::HelpShort, display_order = 1000)]
    help: Option<bool>,
    /// Print help: all options
    #[arg(long, global = true, action = ArgAction::HelpLong, display_order = 1001)]
    help_all: Option<bool>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Drive both sides of a migration, and compare
    Signoff(signoff::Args),
    /// Interleave simulated users in the simulated world
    Explore(explore::Args),
    /// Search the thread interleavings of the kernel
    Model(model::Args),
    /// Drive a running server over real connections
    Run(run::Args),
    /// Replay a repro: same, gone, or diverged
    Replay(replay::Args),
    /// Make a repro as small as it goes
    Shrink(shrink::Args),
    /// Show the report of a run folder again, in any form
    Report(report::Args),
    /// Put the parts of a shared campaign together
    Merge(merge::Args),
    /// Say what is new, gone or still there between two reports
    Compare(compare::Args),
    /// Judge a recorded history again
    Check(check::Args),
    /// Write a commented starter for a scenario file
    Init(init::Args),
    /// Say whether a scenario file can be driven
    CheckScenario(check_scenario::Args),
    /// Show the JSON Schema of scenario files, or of reports
    Schema(schema::Args),
    /// Drive every state between legacy and migrated
    #[command(after_help = migration::EXIT_CODES)]
    Migration(migration::Args),
    /// Find what still uses a deprecated accessor in a source tree
    Audit(audit::Args),
    /// Serve the reference back end
    Serve(serve::Args),
    /// Play a target's model and tools, and log who asked for what
    Upstream(upstream::Args),
    /// Say what an oracle looks for, or how a mechanism leaks
    Explain(explain::Args),
    /// See that every known mechanism is found
    Selftest(selftest::Args),
    /// Generate shell completions or man pages
    Generate(generate::Args),
}

/// The command line's definition, for checks of the documentation.
pub fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

/// Parses the command line and does what it says.
pub fn main() -> ProcessExit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let done = match cli.command {
        Command::Signoff(args) => signoff::exec(args),
        Command::Explore(args) => explore::exec(args),
        Command::Model(args) => model::exec(&args),
        Command::Run(args) => run::exec(args),
        Command::Replay(args) => replay::exec(&args),
        Command::Shrink(args) => shrink::exec(&args),
        Command::Report(args) => report::exec(args),
        Command::Merge(args) => merge::exec(&args),
        Command::Compare(args) => compare::exec(&args),
        Command::Check(args) => check::exec(args),
        Command::Init(args) => init::exec(&args),
        Command::CheckScenario(args) => check_scenario::exec(&args),
        Command::Schema(args) => schema::exec(&args),
        Command::Migration(args) => migration::exec(&args),
        Command::Audit(args) => audit::exec(&args),
        Command::Serve(args) => serve::exec(args),
        Command::Upstream(args) => upstream::exec(args),
        Command::Explain(args) => explain::exec(&args),
        Command::Selftest(args) => selftest::exec(&args),
        Command::Generate(args) => generate::exec(&args),
    };
    end(&done.unwrap_or_else(|error| fail(&error)))
}

fn fail(error: &CampaignError) -> Ended {
    // An error may quote a file or a server.
    output::complain(&format!("error: {error}"));
    Ended::by(error)
}

/// Every command ends here.
fn end(ended: &Ended) -> ProcessExit {
    ended.tell();
    ProcessExit::from(ended.code() as u8)
}

/// Help and version are no errors; with no subcommand the help is what was asked for.
fn usage(error: &clap::Error) -> ProcessExit {
    use clap::error::ErrorKind;
    let asked_for = matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    if asked_for {
        output::print(&error.render().to_string());
        return ProcessExit::SUCCESS;
    }
    // A reader that has gone does not change what was wrong.
    let _ = error.print();
    end(&Ended::usage())
}

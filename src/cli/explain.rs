//! `partywall explain`: what an oracle looks for, or how a mechanism leaks.

use super::common::rules;
use super::ending::Ended;
use super::output;
use crate::campaign::error::CampaignError;
use crate::report::explain::explain;
use crate::trial::finding::OracleId;
use crate::trial::mechanism::{Facts, Mechanism};

/// The arguments of `explain`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// An oracle or a mechanism, by code or name: O1, canary, M05, …
    what: String,
}

pub(super) fn exec(args: &Args) -> Result<Ended, CampaignError> {
    let wanted = args.what.to_lowercase();
    if let Ok(mechanism) = wanted.parse::<Mechanism>() {
        output::print(&story(mechanism));
        return Ok(Ended::with_text());
    }
    let rule = rules()
        .into_iter()
        .find(|rule| rule.oracle.code().to_lowercase() == wanted || rule.oracle.name() == wanted);
    let rule = rule.ok_or_else(|| {
        let known = OracleId::ALL.map(|oracle| oracle.to_string()).join(", ");
        CampaignError::usage(format!(
            "there is no oracle and no mechanism `{}`; there are {known}, and M01 to M24",
            args.what.escape_debug()
        ))
    })?;
    output::print(&explain(&rule));
    Ok(Ended::with_text())
}

/// The story of a mechanism.
fn story(mechanism: Mechanism) -> String {
    let Facts { name, story, trigger, shows, workloads, oracles, cases } = *mechanism.facts();
    let workloads: Vec<String> = workloads.iter().map(|work| format!("{work:?}")).collect();
    let mut text = format!(
        "{mechanism} {name}\n\n{story}\n\nWhen:     {trigger}\nShows as: {shows}\n\
         Work:     {}\nSeen by:  {}\n\nSeen in released software:\n",
        workloads.join(" "),
        oracles.join(" "),
    );
    for case in cases {
        text.push_str(&format!("  - {case}\n"));
    }
    text.push_str(&format!(
        "\nSwitch it on: partywall explore --scenario mechanism-mix --defect {mechanism}\n"
    ));
    text
}

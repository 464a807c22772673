//! `partywall model`: every thread interleaving of the kernel that the server runs.

use clap::builder::BoolishValueParser;

use super::ending::Ended;
use super::output;
use super::progress::Shown;
use crate::campaign::error::CampaignError;
use crate::campaign::models::check_models;
use crate::model::{
    self, Expected, ModelOutcome, ModelSpec, Thoroughness, render_story, render_table,
};
use crate::trial::verdict::ExitCode;

/// The arguments of `model`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Models to check [default: all]
    #[arg(value_name = "MODEL")]
    models: Vec<String>,
    /// Search the larger models up to a higher bound
    #[arg(long, env = "PARTYWALL_THOROUGH", value_parser = BoolishValueParser::new())]
    thorough: bool,
    /// Tell the interleaving of that number of one model
    #[arg(long, env = "PARTYWALL_REPLAY", value_name = "N")]
    replay: Option<u64>,
    /// Tell the counterexamples of the models that must be refuted too
    #[arg(long, env = "PARTYWALL_STORIES", value_parser = BoolishValueParser::new())]
    stories: bool,
}

pub(super) fn exec(args: &Args) -> Result<Ended, CampaignError> {
    let thoroughness = if args.thorough { Thoroughness::Thorough } else { Thoroughness::Usual };
    let specs = chosen(&args.models)?;
    if let Some(execution) = args.replay {
        return replay(&specs, thoroughness, execution);
    }
    let outcomes = check_models(&specs, thoroughness, &Shown::new());
    output::print(&render_table(&outcomes));
    for outcome in &outcomes {
        let unexpected = outcome.expected == Expected::Clean;
        if let Some(story) = outcome.refuted.as_ref().filter(|_| unexpected || args.stories) {
            output::print(&format!(
                "\n{}\nReproduce with: partywall model {} --replay {}{}\n",
                render_story(story),
                story.model,
                story.execution,
                if args.thorough { " --thorough" } else { "" },
            ));
        }
    }
    Ok(ended(&outcomes))
}

fn ended(outcomes: &[ModelOutcome]) -> Ended {
    let leaked =
        |outcome: &ModelOutcome| outcome.expected == Expected::Clean && outcome.refuted.is_some();
    if outcomes.iter().any(leaked) {
        Ended::new(ExitCode::Leaked, "a model is refuted")
            .next("replay the interleaving that stands above")
    } else if outcomes.iter().all(ModelOutcome::as_expected) {
        Ended::new(ExitCode::Clean, "every model came to what is expected")
    } else {
        Ended::new(ExitCode::Inconclusive, "a model that must be refuted was not")
            .next("partywall model --thorough")
    }
}

fn chosen(names: &[String]) -> Result<Vec<&'static ModelSpec>, CampaignError> {
    if names.is_empty() {
        return Ok(model::models().iter().collect());
    }
    let find = |name: &String| {
        model::models().iter().find(|spec| spec.name == name).ok_or_else(|| {
            let known = model::models().iter().map(|spec| spec.name).collect::<Vec<_>>();
            CampaignError::usage(format!(
                "there is no model `{}`; there are {}",
                name.escape_debug(),
                known.join(", ")
            ))
        })
    };
    names.iter().map(find).collect()
}

fn replay(
    specs: &[&ModelSpec],
    thoroughness: Thoroughness,
    execution: u64,
) -> Result<Ended, CampaignError> {
    let [spec] = specs else {
        return Err(CampaignError::usage("--replay takes the name of one model"));
    };
    let story = model::replay(spec, None, thoroughness, execution).ok_or_else(|| {
        CampaignError::usage(format!("{} has no interleaving {execution}", spec.name))
    })?;
    output::print(&(render_story(&story) + "\n"));
    Ok(match story.violation {
        Some(_) => Ended::new(ExitCode::Leaked, "the interleaving violates the model"),
        None => Ended::new(ExitCode::Clean, "the interleaving violates nothing"),
    })
}

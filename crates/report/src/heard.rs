//! What the server said, and what its answers ask for.

use partywall_core::heard::{Asked, Came, Heard};
use partywall_core::record::{Level, Record};

use super::phrases::{self, Quote};

/// The levels of which it is known, each with its side.
fn heard(record: &Record) -> impl Iterator<Item = (&'static str, &Level, &Heard)> {
    let heard = record.all_levels().map(|(side, level)| (side, level, &level.heard));
    heard.filter(|(_, _, heard)| !heard.is_empty())
}

/// What no reason tells: other answers, the types of messages, places that matched nothing.
pub(super) fn lines(record: &Record, quote: Quote) -> Vec<String> {
    let several = heard(record).count() > 1;
    let mut lines = Vec::new();
    for (side, level, heard) in heard(record) {
        let of = match several {
            true => format!("{}: ", phrases::place(side, level, quote)),
            false => String::new(),
        };
        let is_told = |text: &str| level.reasons.iter().any(|reason| reason.text.contains(text));
        let answers = heard.answers.iter().map(ToString::to_string);
        let unmatched = heard.unmatched.iter().map(ToString::to_string);
        let types = heard.types.iter().map(ToString::to_string);
        let untold = answers.chain(unmatched).chain(types).filter(|text| !is_told(text));
        lines.extend(untold.map(|text| format!("{of}{}", quote(&text))));
    }
    lines
}

/// What helps against the answers that kept users from going on, by what they are.
pub(super) fn remedies(record: &Record) -> Vec<&'static str> {
    let levels = heard(record).map(|(_, _, heard)| heard);
    let answers = levels.flat_map(|heard| &heard.answers);
    let in_the_way = answers.filter(|answer| answer.is_in_the_way() && !answer.refuses_names());
    in_the_way.filter_map(|answer| remedy(&answer.asked, answer.came)).collect()
}

fn remedy(asked: &Asked, came: Came) -> Option<&'static str> {
    let status = match came {
        Came::Status { status } => status,
        Came::ToolError => {
            return Some(
                "Correct what the request asks for: the server says what it does not know.",
            );
        }
        Came::Closed { .. } => {
            return Some(
                "See why the server closed the connection: mostly the identity, or a message that it \
                 does not know.",
            );
        }
        Came::Failed { .. } if matches!(asked, Asked::SetUp { .. }) => {
            return Some(
                "Correct the step in `[[setup]]`: its request, or where `capture` looks in the answer.",
            );
        }
        Came::Failed { .. } => return None,
    };
    Some(match status {
        200..300 => {
            "Correct the path of the event connection and its kind: the answer was neither a \
             WebSocket nor a stream of events."
        }
        300..400 => {
            "Redirects are not followed. Give the path that the redirect leads to; one to a log-in \
             page means that `[identity]` is not accepted."
        }
        401 | 403 | 407 => {
            "Correct `[identity]`, or the log-in in `[[setup]]`: the server does not accept what users \
             show."
        }
        404 | 410 => "Correct the path, or the target's URL: the server knows no such place.",
        405 => "Correct the method: the server knows the path, but not with this method.",
        406 => "Add the `accept` header that the server asks for to `[start]` or `[identity]`.",
        415 => {
            "Send the content type that the server asks for, such as JSON by `json` in `[start]`."
        }
        400 | 409 | 413 | 422 => {
            "Correct the body: its fields, and the types of their values; the answer says which."
        }
        429 => "Lower the load by `runs_per_second` in `[limits]`, or raise the server's limit.",
        _ => "See in the server's log why it failed at this request.",
    })
}

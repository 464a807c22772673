//! What the page's script reads: the timelines of the findings, as compact as they can be.

use serde_json::{Value, json};

use super::findings::Told;
use crate::safe_text;
use partywall_core::timeline::{MOST_MARKS, Mark, MarkKind, RunEnd, Timeline};

/// The kinds of mark, each with how it is told.
const KINDS: [(MarkKind, &str, &str); 9] = [
    (MarkKind::Connected, "connected", "is"),
    (MarkKind::Start, "start", ""),
    (MarkKind::Request, "request", "sends"),
    (MarkKind::Received, "received", "receives"),
    (MarkKind::Answer, "answer", "is answered"),
    (MarkKind::Emitted, "emitted", "(the back end)"),
    (MarkKind::Internal, "internal", "(the back end)"),
    (MarkKind::Gone, "gone", "connection"),
    (MarkKind::GaveUp, "gave_up", ""),
];

/// The data as JSON that may stand in a script element.
pub(super) fn data(told: &[Told<'_>]) -> String {
    let mut timelines: Vec<(&Timeline, Vec<u64>)> = Vec::new();
    let mut findings = serde_json::Map::new();
    for one in told {
        let line = one.level.timeline_of(one.finding);
        let place = line.map(|line| {
            let known = timelines.iter().position(|(own, _)| std::ptr::eq(*own, line));
            known.unwrap_or_else(|| {
                timelines.push((line, Vec::new()));
                timelines.len() - 1
            })
        });
        if let Some(place) = place {
            timelines[place].1.extend(one.finding.evidence.iter().map(|evidence| evidence.n));
        }
        findings.insert(one.id.clone(), finding(one, line, place));
    }
    let shares = shares(&timelines.iter().map(|(line, _)| line.marks.len()).collect::<Vec<_>>());
    let timelines: Vec<Value> = timelines
        .iter()
        .zip(shares)
        .map(|((line, centres), most)| timeline(line, centres, most))
        .collect();
    let whole = json!({
        "kinds": KINDS.map(|(.., words)| words),
        "kindNames": KINDS.map(|(_, name, _)| name),
        "timelines": timelines,
        "findings": findings,
    });
    // No text of it may end the script element or begin a comment there.
    whole.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

fn finding(told: &Told<'_>, line: Option<&Timeline>, place: Option<usize>) -> Value {
    let finding = told.finding;
    let lane = |user| line.and_then(|line| line.lanes.iter().position(|lane| lane == user));
    let evidence: Vec<Value> = finding
        .evidence
        .iter()
        .take(12)
        .map(|evidence| json!([evidence.n, safe_text::terminal(&evidence.shows)]))
        .collect();
    json!({
        "victim": safe_text::name(finding.victim.as_str()),
        "observer": safe_text::name(finding.observer.as_str()),
        "oracle": finding.oracle.to_string(),
        "kind": finding.kind.as_str(),
        "what": safe_text::name(&finding.victim_operation),
        "run": finding.victim_run,
        "t": place,
        "v": lane(&finding.victim),
        "o": lane(&finding.observer),
        "c": finding.crossing.map(|crossing| [crossing.from, crossing.to]),
        "e": evidence,
    })
}

/// How many marks of each timeline are drawn, so that all together are no more than can be: the
/// short ones whole, the long ones alike.
fn shares(lengths: &[usize]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|at| lengths[*at]);
    let mut left = MOST_MARKS;
    let mut shares = vec![0; lengths.len()];
    for (done, at) in order.iter().enumerate() {
        shares[*at] = lengths[*at].min(left / (lengths.len() - done));
        left -= shares[*at];
    }
    shares
}

fn timeline(line: &Timeline, centres: &[u64], most: usize) -> Value {
    let kind = |mark: &Mark| KINDS.iter().position(|(kind, ..)| *kind == mark.what);
    let mut marks: Vec<&Mark> = line.marks.iter().collect();
    if marks.len() > most {
        let mut centres = centres.to_vec();
        centres.sort_unstable();
        let distance = |n: u64| {
            let at = centres.partition_point(|centre| *centre < n);
            let near = [at.checked_sub(1), Some(at)].into_iter().flatten();
            near.filter_map(|at| centres.get(at)).map(|centre| centre.abs_diff(n)).min()
        };
        marks.sort_by_cached_key(|mark| (distance(mark.n), mark.n));
        marks.truncate(most);
        marks.sort_by_key(|mark| mark.n);
    }
    let rows: Vec<Value> = marks
        .iter()
        .map(|mark| {
            json!([mark.n, mark.at, mark.lane, kind(mark), mark.label, mark.run, mark.owner])
        })
        .collect();
    let end = |end| match end {
        RunEnd::Completed => "completed",
        RunEnd::Lost => "lost",
        RunEnd::Unknown => "unknown",
    };
    let runs: Vec<Value> = line
        .runs
        .iter()
        .take(MOST_MARKS)
        .map(|run| json!([run.lane, run.run, run.from, run.to, end(run.end)]))
        .collect();
    json!({
        "unit": line.unit.as_str(),
        "lanes": line.lanes.iter().map(|lane| safe_text::name(lane.as_str())).collect::<Vec<_>>(),
        "labels": line.labels.iter().map(|label| safe_text::terminal(label)).collect::<Vec<_>>(),
        "runs": runs,
        "marks": rows,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_timelines_stay_whole_and_all_together_are_no_more_than_can_be_drawn() {
        assert_eq!(shares(&[10, 20]), [10, 20]);
        assert_eq!(shares(&[9_999, 60_000, 1]), [4_999, 5_000, 1]);
        assert!(shares(&vec![5_000; 40]).iter().sum::<usize>() <= MOST_MARKS);
        assert!(shares(&[]).is_empty());
    }

    #[test]
    fn every_kind_of_mark_has_words() {
        let all = [
            MarkKind::Connected,
            MarkKind::Start,
            MarkKind::Request,
            MarkKind::Received,
            MarkKind::Answer,
            MarkKind::Emitted,
            MarkKind::Internal,
            MarkKind::Gone,
            MarkKind::GaveUp,
        ];
        assert!(all.iter().all(|kind| KINDS.iter().any(|(own, ..)| own == kind)));
    }
}

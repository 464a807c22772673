//! What a self-test came to, as the record has it, and what of it is not as expected.

use super::driven::Drive;
use super::explored::{FoundAt, Quiet, Search};
use super::matrix::{Row, Wire, expected};
use partywall_core::detection::{DetectionRow, OracleCell, QuietRow, WireCell};
use partywall_core::finding::OracleId;
use partywall_core::mechanism::Mechanism;
use partywall_core::verdict::{Reason, ReasonCode};

/// The row of one mechanism.
pub fn row(mechanism: Mechanism, search: &Search, drive: Option<&Drive>) -> DetectionRow {
    let Row { explore, wire, model } = expected(mechanism);
    let cell = |oracle: OracleId| {
        let found = search.oracles.get(&oracle);
        let spread = found.and_then(FoundAt::spread);
        OracleCell {
            oracle,
            seeds: found.map_or(0, FoundAt::seeds) as u64,
            median: spread.map(|(median, _)| median),
            worst: spread.map(|(_, worst)| worst),
            expected: explore.contains(&oracle),
        }
    };
    let cells = OracleId::ALL.into_iter().map(cell);
    let named =
        search.diagnoses.iter().filter(|diagnosis| diagnosis.likely == Some(mechanism)).count();
    DetectionRow {
        mechanism: mechanism.to_string(),
        name: mechanism.facts().name.into(),
        found: search.found_at.iter().flatten().count() as u64,
        median: search.median(),
        worst: search.worst(),
        named_first: named as u64,
        oracles: cells.filter(|cell| cell.seeds > 0 || cell.expected).collect(),
        wire: drive.map(|drive| WireCell {
            found_in_round: drive.found_at,
            rounds: drive.rounds,
            seconds: (drive.seconds * 10.0).round() / 10.0,
            oracles: drive.oracles.iter().copied().collect(),
        }),
        wire_expected: match wire {
            Wire::Found => "found".into(),
            Wire::Late(why) | Wire::Missed(why) => why.into(),
        },
        model: model.map(String::from),
    }
}

/// The row of one work without a defect.
pub fn quiet_row(work: &str, quiet: &Quiet) -> QuietRow {
    QuietRow {
        work: work.into(),
        trials: quiet.trials,
        overlapping: Some(quiet.overlapping),
        findings: quiet.findings.len() as u64,
    }
}

/// What is not as expected of the searches; nothing, if all is. Which oracles find a mechanism is
/// expected only of a whole defect under the mix: `by_oracle` says whether that was looked for.
pub fn missed(searches: &[(Mechanism, Search)], by_oracle: bool) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut complain = |text| reasons.push(Reason::new(ReasonCode::ControlMissed, text));
    for (mechanism, search) in searches {
        let seeds = search.found_at.iter().filter(|found| found.is_none()).count();
        if seeds > 0 {
            complain(format!("{mechanism} is not found with {seeds} seeds"));
        }
        for oracle in expected(*mechanism).explore.iter().filter(|_| by_oracle) {
            if search.oracles.get(oracle).is_none_or(|found| found.seeds() == 0) {
                complain(format!("{mechanism} is never found by {oracle}"));
            }
        }
    }
    reasons
}

/// What was found in the simulated world where nothing is wrong, and what could not be looked at.
pub fn alarms(quiet: &[(String, Quiet)]) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for (work, Quiet { findings, unfinished, overlapping, .. }) in quiet {
        for (seed, trial, finding) in findings {
            let text = format!("{work}, seed {seed}, trial {trial}: {}", finding.summary());
            reasons.push(Reason::new(ReasonCode::FalseAlarm, text));
        }
        if *unfinished > 0 || *overlapping == 0 {
            let text =
                format!("{work}: {unfinished} trials did not finish, {overlapping} overlapped");
            reasons.push(Reason::new(ReasonCode::TooLittleOverlap, text));
        }
    }
    reasons
}

/// What is not as expected on the wire of one mechanism, if anything.
pub fn missed_on_wire(mechanism: Mechanism, drive: &Drive) -> Option<Reason> {
    let should = expected(mechanism).wire == Wire::Found;
    (should && drive.found_at.is_none()).then(|| {
        let text = format!("{mechanism} is not found in {} rounds on the wire", drive.rounds);
        Reason::new(ReasonCode::ControlMissed, text)
    })
}

/// What was found on the wire where nothing is wrong.
pub fn alarms_on_wire(drive: &Drive) -> Vec<Reason> {
    let alarm = |found: &String| Reason::new(ReasonCode::FalseAlarm, format!("wire: {found}"));
    let mut reasons: Vec<Reason> = drive.summaries.iter().map(alarm).collect();
    if drive.rounds == 0 {
        reasons.push(Reason::new(ReasonCode::NothingExercised, "wire: no round was driven"));
    }
    reasons
}

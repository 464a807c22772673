//! More of everything than any report shows.

use partywall::trial::record::Record;

/// A record in which every list is longer than any report shows, and every text is the given one.
pub(crate) fn flooded(text: &str) -> Record {
    let mut record = super::still_leaks();
    let texts = vec![text.to_owned(); 30];
    record.not_tried = texts.clone();
    record.command = text.into();
    record.reasons = vec![record.reasons[0].clone(); 30];
    record.cross_checks = vec![record.cross_checks[0].clone(); 30];
    record.folder = Some(text.into());
    let mut compared = record.comparison[0].clone();
    compared.scenario = text.into();
    record.comparison = vec![compared; 30];
    for (at, compared) in record.comparison.iter_mut().enumerate() {
        // Different ones, so that none hides behind another.
        compared.figure = format!("{text}{at}");
    }
    for reason in &mut record.reasons {
        reason.text = text.into();
    }
    for row in &mut record.models {
        row.name = text.into();
        row.about = text.into();
        row.story = Some(format!("{text}\n  {text}\n").repeat(100));
        row.reproduce_with = Some(text.into());
        row.interleavings = u64::MAX;
        row.controls_planted = u64::MAX;
        row.preemption_bound = Some(u64::MAX);
        row.seconds = f64::MAX;
    }
    record.models = vec![record.models.clone(); 5].concat();
    for side in [&mut record.before, &mut record.after].into_iter().flatten() {
        side.backend = text.into();
        let level = &mut side.levels[1];
        let finding = &mut level.findings[0];
        finding.victim = text.into();
        finding.summary = text.into();
        finding.event = Some(text.into());
        finding.chain = texts.clone();
        finding.reproduce_with = Some(text.into());
        finding.repro_size = Some(text.into());
        level.findings = vec![level.findings[0].clone(); 30];
        level.scenario = text.into();
        level.controls.judge.missed = texts.clone();
        level.oracles[0].blind = Some(text.into());
        level.overlapping_pairs = u64::MAX;
        side.levels = vec![side.levels.clone(); 8].concat();
    }
    record
}

//! What a server tells of itself while a state is driven: which legacy call sites ran, and whether
//! agents were built with another user's settings. Nothing of it is assumed.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use regex_lite::Regex;

use crate::wire::drive::user_runtime;
use partywall_core::migration::Exercise;
use partywall_drive::scenario::{EvidenceSource, MigrationEvidence, SitePlaces};
use partywall_drive::transport::{Servers, read_page};
use partywall_explore::store::error::CampaignError;

/// So much of a line is looked at, in bytes.
const LONGEST_LINE: u64 = 64 << 10;

/// What is looked for in what the servers tell.
pub(super) struct Watched {
    exercised: Option<EvidenceSource>,
    /// The patterns of each call site; one is enough.
    sites: Vec<Vec<Pattern>>,
    contaminated: Option<(EvidenceSource, Regex)>,
}

struct Pattern {
    /// Whatever is matched holds this, which is quicker to look for.
    holds: String,
    regex: Regex,
}

impl Watched {
    /// Patterns over those call sites, each known by one or more places in the source.
    ///
    /// # Errors
    ///
    /// The pattern asks for something that is not known of a call site.
    pub(super) fn new(
        evidence: &MigrationEvidence,
        sites: &[Vec<SitePlaces>],
    ) -> Result<Self, CampaignError> {
        let pattern = |source: &EvidenceSource, places: &SitePlaces| {
            let regex = places.fill(source.pattern()).map_err(|problem| {
                let site = places.site.escape_debug();
                let remedy = "name it `path:line` or `path:function`, or give --audit FILE";
                CampaignError::usage(format!(
                    "`exercised` in `[migration]`: {problem} for the call site `{site}`; {remedy}"
                ))
            })?;
            let names_it = source.pattern().contains("site");
            let holds = if names_it { places.site.clone() } else { String::new() };
            Ok(Pattern { holds, regex })
        };
        let patterns = |places: &Vec<SitePlaces>| match &evidence.exercised {
            None => Ok(Vec::new()),
            Some(source) => places.iter().map(|places| pattern(source, places)).collect(),
        };
        let contaminated = match &evidence.contaminated {
            None => None,
            Some(source) => {
                let regex = Regex::new(source.pattern())
                    .map_err(|error| CampaignError::usage(format!("`contaminated`: {error}")))?;
                Some((source.clone(), regex))
            }
        };
        Ok(Self {
            exercised: evidence.exercised.clone(),
            sites: sites.iter().map(patterns).collect::<Result<_, CampaignError>>()?,
            contaminated,
        })
    }

    /// Whether anything is to be told about call sites.
    pub(super) fn asks_for_sites(&self) -> bool {
        self.exercised.is_some()
    }

    /// Whether any of it is looked for in what a server prints.
    pub(super) fn reads_output(&self) -> bool {
        let sources = self.exercised.iter().chain(self.contaminated.as_ref().map(|own| &own.0));
        sources.into_iter().any(|source| matches!(source, EvidenceSource::Log { .. }))
    }
}

/// When something was told: before anybody used the server, or from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Before,
    During,
}

/// When one thing was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    before: bool,
    during: bool,
}

impl Seen {
    fn note(&mut self, phase: Phase) {
        match phase {
            Phase::Before => self.before = true,
            Phase::During => self.during = true,
        }
    }
}

/// What one state told of itself.
#[derive(Debug, Default)]
pub(super) struct Told {
    sites: Vec<Seen>,
    contaminated: Seen,
    /// Whether call sites, and whether contamination, could be told at all.
    can_tell: [bool; 2],
    /// Why something could not be asked.
    pub(super) trouble: Option<String>,
}

impl Told {
    /// Whether it told of any call site: then the evidence is known to work.
    pub(super) fn has_worked(&self) -> bool {
        self.sites.iter().any(|seen| seen.before || seen.during)
    }

    /// Whether that call site was exercised; `works` where the evidence is known to work.
    pub(super) fn exercise(&self, site: usize, works: bool) -> Exercise {
        match self.sites.get(site) {
            _ if !self.can_tell[0] => Exercise::Unknown,
            Some(Seen { during: true, .. }) => Exercise::Exercised,
            Some(Seen { before: true, .. }) => Exercise::BeforeOnly,
            _ if works => Exercise::NotExercised,
            _ => Exercise::Unknown,
        }
    }

    /// Whether contamination was told; none where nothing tells.
    pub(super) fn contaminated(&self) -> Option<bool> {
        let Seen { before, during } = self.contaminated;
        self.can_tell[1].then_some(before || during)
    }
}

/// Watches the servers of one state, from the start of the first to the end of the last.
pub(super) struct Witness<'w> {
    watched: &'w Watched,
    log: PathBuf,
    /// From which byte of the log on something is told before, and from which on after, the first
    /// use of a server.
    marks: Vec<(u64, Phase)>,
    told: Told,
}

impl<'w> Witness<'w> {
    /// Of a state whose servers print into that log, if partywall starts them.
    pub(super) fn new(watched: &'w Watched, log: &Path, is_started: bool) -> Self {
        let can = |source: Option<&EvidenceSource>| match source {
            None => false,
            Some(EvidenceSource::Log { .. }) => is_started,
            Some(EvidenceSource::Page { .. }) => true,
        };
        let contaminated = watched.contaminated.as_ref().map(|own| &own.0);
        let told = Told {
            sites: vec![Seen::default(); watched.sites.len()],
            can_tell: [can(watched.exercised.as_ref()), can(contaminated)],
            ..Told::default()
        };
        Self { watched, log: log.to_owned(), marks: Vec::new(), told }
    }

    /// A server is about to be started.
    pub(super) fn will_start(&mut self) {
        self.marks.push((self.printed(), Phase::Before));
    }

    /// It is ready, and nobody has used it yet.
    pub(super) fn is_ready(&mut self, servers: &Servers) -> Result<(), CampaignError> {
        self.marks.push((self.printed(), Phase::During));
        self.read_pages(servers, Phase::Before)
    }

    /// Nobody will use it any more; it is still there.
    pub(super) fn was_used(&mut self, servers: &Servers) -> Result<(), CampaignError> {
        self.read_pages(servers, Phase::During)
    }

    /// All servers have ended: what they told.
    pub(super) fn told(mut self) -> Told {
        if let Err(error) = self.read_log() {
            self.distrust(format!("its output cannot be read: {error}"));
        }
        self.told
    }

    fn printed(&self) -> u64 {
        std::fs::metadata(&self.log).map_or(0, |data| data.len())
    }

    /// What could not be asked is not known, whatever was told otherwise.
    fn distrust(&mut self, trouble: String) {
        self.told.can_tell = [false, false];
        self.told.trouble.get_or_insert(trouble);
    }

    fn read_pages(&mut self, servers: &Servers, phase: Phase) -> Result<(), CampaignError> {
        let watched = self.watched;
        let runtime = user_runtime()?;
        if let Some(EvidenceSource::Page { path, .. }) = &watched.exercised {
            match runtime.block_on(read_page(servers, path)) {
                Ok(text) => self.look_for_sites(&text, phase, true),
                Err(error) => self.distrust(error),
            }
        }
        if let Some((EvidenceSource::Page { path, .. }, regex)) = &watched.contaminated {
            match runtime.block_on(read_page(servers, path)) {
                Ok(text) if regex.is_match(&text) => self.told.contaminated.note(phase),
                Ok(_) => {}
                Err(error) => self.distrust(error),
            }
        }
        Ok(())
    }

    fn look_for_sites(&mut self, text: &str, phase: Phase, is_page: bool) {
        for (patterns, seen) in self.watched.sites.iter().zip(&mut self.told.sites) {
            // A page says the same again: what it said before says nothing of what came later.
            let known = match phase {
                Phase::Before => seen.before,
                Phase::During => seen.during || (is_page && seen.before),
            };
            let tells =
                |pattern: &Pattern| text.contains(&pattern.holds) && pattern.regex.is_match(text);
            if !known && patterns.iter().any(tells) {
                seen.note(phase);
            }
        }
    }

    fn read_log(&mut self) -> std::io::Result<()> {
        if self.watched.reads_output() && self.log.is_file() {
            let log = File::open(&self.log)?;
            self.read_lines(BufReader::new(log))?;
        }
        Ok(())
    }

    fn read_lines(&mut self, mut log: impl BufRead) -> std::io::Result<()> {
        let of_sites = matches!(self.watched.exercised, Some(EvidenceSource::Log { .. }));
        let watched = self.watched;
        let of_settings = watched.contaminated.as_ref().and_then(|(source, regex)| {
            matches!(source, EvidenceSource::Log { .. }).then_some(regex)
        });
        let (mut at, mut line) = (0_u64, Vec::new());
        loop {
            line.clear();
            let read = log.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
            if read == 0 {
                return Ok(());
            }
            let mark = self.marks.iter().rev().find(|(from, _)| *from <= at);
            let phase = mark.map_or(Phase::Before, |(_, phase)| *phase);
            at += read as u64;
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end_matches(['\n', '\r']);
            if of_sites {
                self.look_for_sites(text, phase, false);
            }
            if of_settings.is_some_and(|regex| regex.is_match(text)) {
                self.told.contaminated.note(phase);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched(sites: &[&str]) -> Watched {
        let log = |pattern: &str| Some(EvidenceSource::Log { pattern: pattern.into() });
        let mut evidence = MigrationEvidence::default();
        (evidence.exercised, evidence.contaminated) = (log("ran: {{ site }}$"), log("foreign"));
        let places: Vec<_> = sites.iter().map(|site| vec![SitePlaces::of(site)]).collect();
        Watched::new(&evidence, &places).expect("plain names")
    }

    fn told(before: &str, during: &str, is_started: bool) -> Told {
        let watched = watched(&["a.py:1", "a.py:12", "b"]);
        let mut witness = Witness::new(&watched, Path::new("no such file"), is_started);
        witness.marks = vec![(0, Phase::Before), (before.len() as u64, Phase::During)];
        witness.read_lines(format!("{before}{during}").as_bytes()).expect("it is in memory");
        witness.told()
    }

    #[test]
    fn what_ran_before_the_workload_was_not_exercised_by_it() {
        use Exercise::{BeforeOnly, Exercised, NotExercised, Unknown};
        let told = told("ran: b\n", "noise\nWARN ran: a.py:12\nforeign\n", true);
        let of = |works| [0, 1, 2].map(|site| told.exercise(site, works));
        assert_eq!(of(told.has_worked()), [NotExercised, Exercised, BeforeOnly]);
        assert_eq!(told.contaminated(), Some(true));
        // Evidence that has told of nothing may be none.
        assert_eq!(told.exercise(0, false), Unknown);
    }

    #[test]
    fn without_a_source_nothing_is_known() {
        let nothing = told("", "ran: c\n", true);
        assert!(!nothing.has_worked());
        assert_eq!(nothing.exercise(0, nothing.has_worked()), Exercise::Unknown);
        assert_eq!(nothing.contaminated(), Some(false));
        let elsewhere = told("", "ran: b\nforeign\n", false);
        assert_eq!(elsewhere.exercise(2, true), Exercise::Unknown, "somebody else started it");
        assert_eq!(elsewhere.contaminated(), None);
    }
}

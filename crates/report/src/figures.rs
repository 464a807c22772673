//! The figures on a terminal: a table for each scenario, before beside after.

use super::comparison::{self, BOUND, MOST_FIGURES, Measure, NEEDS, NEEDS_MEANING, Pair, USERS};
use super::page::{Page, Paint, fitted};
use super::safe_text;
use partywall_core::record::{Comparison, Level, LevelName, Record};
use partywall_core::verdict::Verdict;

/// How many columns the labels of a table take.
const LABELS: usize = 16;

/// The tables, and what their rows mean.
pub(super) fn figures(page: &mut Page, record: &Record, has_bounds: bool) {
    let mut measures = comparison::measures(record);
    // Where there are bounds, they are told with all that they mean.
    measures.retain(|measure| !(has_bounds && measure.label == BOUND));
    let pairs = comparison::pairs(record);
    if pairs.is_empty() {
        return;
    }
    for pairs in pairs.chunk_by(|one, next| one.scenario == next.scenario) {
        page.heading(&format!("Figures for scenario {}", safe_text::name(pairs[0].scenario)));
        let table = Table::of(record, &measures, pairs);
        table.show(page);
    }
    page.heading("How to read the figures");
    let mut levels: Vec<LevelName> = pairs.iter().map(|pair| pair.level).collect();
    levels.sort_unstable();
    levels.dedup();
    let levels = levels.iter().map(|level| (level.as_str(), comparison::level_meaning(*level)));
    let needs = (!record.comparison.is_empty()).then_some((NEEDS, NEEDS_MEANING));
    let told = measures.iter().map(|measure| (measure.label, measure.meaning));
    let told = told.filter(|(_, meaning)| !meaning.is_empty());
    for (label, meaning) in levels.chain(told).chain(needs) {
        let lead = format!("  {:<LABELS$}  ", label.trim_start_matches("- "));
        page.hanging(Paint::Faint, &lead, meaning);
    }
}

/// What is told of one scenario.
struct Table<'r> {
    measures: Vec<&'static Measure>,
    /// What after must reach, each once.
    needs: Vec<&'r str>,
    columns: Vec<Column>,
}

/// One side of one level.
struct Column {
    /// The level, and the users of a trial where all of its columns have the same.
    level: String,
    side: &'static str,
    /// The measures, then the needs.
    cells: Vec<String>,
    /// The figures that after must reach, and did not.
    unmet: Vec<String>,
    verdict: Verdict,
}

impl Column {
    fn width(&self) -> usize {
        let level = safe_text::columns(&self.level);
        // Above two sides, the head of the level has both and the gap, and shows where they end.
        let head = if self.side.is_empty() { level } else { level.div_ceil(2) + 1 };
        let cells = self.cells.iter().map(|cell| safe_text::columns(cell));
        cells.chain([head, safe_text::columns(self.side)]).max().unwrap_or(0)
    }
}

/// How many columns they take side by side.
fn taken(columns: &[Column]) -> usize {
    columns.iter().map(|column| column.width() + 2).sum()
}

impl<'r> Table<'r> {
    fn of(record: &'r Record, measures: &[&'static Measure], pairs: &[Pair<'r>]) -> Self {
        let scenario = pairs[0].scenario;
        let mut needs: Vec<&str> = Vec::new();
        for one in record.comparison.iter().filter(|one| one.scenario == scenario) {
            if !needs.contains(&one.figure.as_str()) && needs.len() < MOST_FIGURES {
                needs.push(&one.figure);
            }
        }
        let need = |side: &str, level: &Level, figure: &str| {
            let is_it = |one: &&Comparison| {
                one.level == level.level && one.scenario == scenario && one.figure == figure
            };
            record.comparison.iter().find(is_it).filter(|_| side == "after")
        };
        let users = pairs.iter().map(users_of_both).collect::<Option<Vec<_>>>();
        let own = |measure: &&&Measure| users.is_none() || measure.label != USERS;
        let measures: Vec<_> = measures.iter().filter(own).copied().collect();
        let head = |at: usize, level: &Level| match &users {
            Some(users) => format!("{}, {} users", level.level.as_str(), users[at]),
            None => level.level.as_str().into(),
        };
        let column = |at: usize, side: &'static str, level: &Level| {
            let cells = measures.iter().map(|measure| (measure.cell)(level));
            let own = needs.iter().filter_map(|figure| need(side, level, figure));
            let unmet = own.filter(|row| !row.met).map(|row| row.figure.clone()).collect();
            let told =
                |figure: &&str| need(side, level, figure).map(comparison::need).unwrap_or_default();
            let needs = needs.iter().map(told);
            Column {
                unmet,
                level: head(at, level),
                side,
                cells: cells.chain(needs).collect(),
                verdict: level.verdict,
            }
        };
        let sides = (0..)
            .zip(pairs)
            .flat_map(|(at, pair)| pair.sides.iter().map(move |(side, level)| (at, *side, *level)));
        let columns = sides.map(|(at, side, level)| column(at, side, level)).collect();
        Self { measures, needs, columns }
    }

    /// As many tables as the width asks for; the sides of a level stay together where they fit.
    fn show(&self, page: &mut Page) {
        let room = page.width() - LABELS - 2;
        let columns = &self.columns;
        let mut shown: Vec<&[Column]> = Vec::new();
        let mut start = 0;
        let mut end = 0;
        for pair in columns.chunk_by(|one, next| one.level == next.level) {
            if taken(&columns[start..end + pair.len()]) > room && end > start {
                shown.push(&columns[start..end]);
                start = end;
            }
            end += pair.len();
            while taken(&columns[start..end]) > room && end - start > 1 {
                shown.push(&columns[start..=start]);
                start += 1;
            }
        }
        shown.push(&columns[start..end]);
        for (at, columns) in shown.into_iter().enumerate() {
            if at > 0 {
                page.blank();
            }
            self.part(page, columns);
        }
    }

    fn part(&self, page: &mut Page, columns: &[Column]) {
        heads(page, columns);
        for (at, measure) in self.measures.iter().enumerate() {
            row(page, measure.label, columns, |column| {
                let paint = match (at, column.verdict) {
                    (0, Verdict::Clean) => Paint::Good,
                    (0, Verdict::Leaked) => Paint::Bad,
                    (0, Verdict::Inconclusive) => Paint::Doubt,
                    _ => Paint::Plain,
                };
                (paint, &column.cells[at])
            });
        }
        let needs = self.needs.iter().zip(self.measures.len()..);
        let is_told = |at: usize| columns.iter().any(|column| !column.cells[at].is_empty());
        let needs: Vec<_> = needs.filter(|(_, at)| is_told(*at)).collect();
        if needs.is_empty() {
            return;
        }
        page.line(&[(Paint::Plain, &format!("  {NEEDS}"))]);
        for (figure, at) in needs {
            let label = format!("- {}", fitted(comparison::figure(figure), LABELS - 2));
            row(page, &label, columns, |column| {
                let cell = &column.cells[at];
                let is_met = column.unmet.iter().all(|own| own != figure);
                let paint = if is_met { Paint::Plain } else { Paint::Bad };
                (paint, cell)
            });
        }
    }
}

/// The users of a trial where both sides have the same, so that it is enough to say it once.
fn users_of_both(pair: &Pair<'_>) -> Option<String> {
    let [(_, before), (_, after)] = pair.sides[..] else { return None };
    let users = comparison::users(before);
    // With more digits the head would be wider than its columns.
    (before.users == after.users && users.len() <= 8).then_some(users)
}

/// The names of the levels, and of the sides where there are sides.
fn heads(page: &mut Page, columns: &[Column]) {
    let mut heads = " ".repeat(LABELS + 2);
    for group in columns.chunk_by(|one, next| one.level == next.level) {
        let span = taken(group) - 2;
        let level = &group[0].level;
        let head = match group.len() {
            1 => format!("{level:>span$}"),
            _ => format!("{:-^span$}", format!(" {level} ")),
        };
        heads.push_str("  ");
        heads.push_str(&head);
    }
    page.line(&[(Paint::Strong, heads.trim_end())]);
    if columns.iter().any(|column| !column.side.is_empty()) {
        row(page, "", columns, |column| (Paint::Strong, column.side));
    }
}

fn row<'c>(
    page: &mut Page,
    label: &str,
    columns: &'c [Column],
    cell: impl Fn(&'c Column) -> (Paint, &'c str),
) {
    let padding = LABELS.saturating_sub(safe_text::columns(label));
    let label = format!("  {label}{}", " ".repeat(padding));
    let mut pieces = vec![(Paint::Plain, label)];
    for column in columns {
        let (paint, text) = cell(column);
        // Padded apart from the text, so that colour does not count.
        let padding = 2 + column.width() - safe_text::columns(text);
        pieces.push((Paint::Plain, " ".repeat(padding)));
        pieces.push((paint, text.into()));
    }
    let pieces: Vec<_> = pieces.iter().map(|(paint, text)| (*paint, text.as_str())).collect();
    page.line(&pieces);
}

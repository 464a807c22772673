//! What `audit --fix` rewrote or would rewrite: a diff, a list for people, JSON for scripts.

use super::audit_phrases::place;
use super::page::{Page, Paint, Style};
use super::safe_text;
use partywall_core::fix::{FixRecord, FixState, FixedCall, Left, WhyLeft};

/// So many lines of one list are shown; JSON has them all.
const MOST: usize = 200;

/// The whole change as one unified diff.
pub fn diff(fix: &FixRecord) -> String {
    fix.files.iter().map(|file| file.diff.as_str()).collect()
}

/// The record as pretty JSON, with a final newline.
pub fn json(fix: &FixRecord) -> String {
    let mut text = serde_json::to_string_pretty(fix)
        .expect("a rewrite has string keys only, and nothing in it fails to serialise");
    text.push('\n');
    text
}

/// What was rewritten, and what stays with the reason.
pub fn render(fix: &FixRecord, style: Style) -> String {
    let mut page = Page::new(style);
    let done = fix.files.iter().filter(|file| file.is_done()).count();
    let (tests, left): (Vec<_>, Vec<_>) =
        fix.left.iter().partition(|left| left.why == WhyLeft::TestCode);
    let verb = if fix.write { "rewritten" } else { "can be rewritten" };
    let text = format!(
        "{} in {} {verb}; {} left",
        counted(fix.calls().count(), "call"),
        counted(done, "file"),
        counted(left.len(), "use")
    );
    let is_whole = left.is_empty() && done == fix.files.len();
    page.hanging(if is_whole { Paint::Good } else { Paint::Bad }, "", &text);
    if !tests.is_empty() {
        let text = format!(
            "{} in tests not touched; --scope all or --scope tests rewrites them, too",
            counted(tests.len(), "call")
        );
        page.hanging(Paint::Plain, "  ", &text);
    }
    not_written(&mut page, fix);
    if fix.write {
        let calls: Vec<_> = fix.calls().collect();
        list(&mut page, "Rewritten", &calls, |page, call| rewritten(page, call));
    }
    list(&mut page, "Left", &left, |page, left| stays(page, left));
    page.finish()
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn not_written(page: &mut Page, fix: &FixRecord) {
    let failed = fix.files.iter().filter(|file| !file.is_done());
    let failed: Vec<_> = failed.collect();
    list(page, "Not written", &failed, |page, file| {
        let why = match (file.state, &file.error) {
            (FixState::Changed, _) => "it changed after it was read; run it again".to_owned(),
            (_, error) => error.clone().unwrap_or_default(),
        };
        let text = format!("{}: {}", safe_text::terminal(&file.path), safe_text::terminal(&why));
        page.hanging(Paint::Bad, "  ", &text);
    });
}

fn list<T>(page: &mut Page, title: &str, all: &[T], row: impl Fn(&mut Page, &T)) {
    if all.is_empty() {
        return;
    }
    page.heading(&format!("{title}: {}", all.len()));
    for one in all.iter().take(MOST) {
        row(page, one);
    }
    if let Some(more) = all.len().checked_sub(MOST).filter(|more| *more > 0) {
        page.hanging(Paint::Faint, "  ", &format!("… and {more} more: --format json has them all"));
    }
}

fn rewritten(page: &mut Page, call: &FixedCall) {
    let within = call.function.as_deref().map(safe_text::name);
    let within = within.map(|name| format!(" in {name}")).unwrap_or_default();
    let text = format!("{}{within}: {}", place(&call.place), safe_text::name(&call.context));
    page.hanging(Paint::Plain, "  ", &text);
}

fn stays(page: &mut Page, left: &Left) {
    page.hanging(Paint::Strong, "  ", &place(&left.place));
    let within = left.function.as_deref().map(safe_text::name);
    let within = within.map(|name| format!(" in {name}")).unwrap_or_default();
    let mut text = format!("{}{within}: {}", left.kind.as_str(), why(left.why));
    if !left.candidates.is_empty() {
        let names: Vec<_> = left.candidates.iter().map(|name| safe_text::name(name)).collect();
        text.push_str(&format!(": {}", names.join(", ")));
    }
    page.hanging(Paint::Plain, "    ", &text);
    page.hanging(Paint::Faint, "    > ", &safe_text::terminal(&left.text));
}

/// Why a use stays, in words.
pub fn why(why: WhyLeft) -> &'static str {
    match why {
        WhyLeft::TestCode => "it is in a test; --scope all or --scope tests rewrites it",
        WhyLeft::ModuleLevel => "it runs when its module is loaded, where no user is served",
        WhyLeft::InReplacement => "it is in the replacement, or in the accessor, itself",
        WhyLeft::NoContext => "no parameter and no local there has the context's name or type",
        WhyLeft::SeveralContexts => "several parameters or locals could be the context",
        WhyLeft::ContextMayBeNone => "what has the context's name or type may be none",
        WhyLeft::ContextUnsure => {
            "what has the context's name or type is not assigned on every way to the call, or \
             something else is assigned to it"
        }
        WhyLeft::HasArguments => "the call has arguments",
        WhyLeft::NotPlainCall => "it is not called by its plain name or as a member of its module",
        WhyLeft::NotACall => "it is named, not called",
        WhyLeft::AliasedCall => "it is called by a name that an assignment gave it",
        WhyLeft::NotAModule => "it is a member of an object that is not known to be the module",
        WhyLeft::NoImport => "the replacement is not imported, and no import can be extended",
        WhyLeft::NoReplacementThere => {
            "the module that the accessor is imported from has no such replacement; import it \
             first"
        }
        WhyLeft::ReplacementShadowed => "the replacement's name means something else there",
        WhyLeft::PartlyRead => "the file could be read in part only",
        WhyLeft::TooMany => "the file has more uses than are rewritten; split it",
        WhyLeft::Generated => "a program made the file; --include-generated rewrites it",
        WhyLeft::Unreadable => "the file cannot be read, or is not UTF-8",
        WhyLeft::ResultBroken => "the file would have a syntax error",
        WhyLeft::ImportStays => {
            "it is imported and not called here, or other files take it from here"
        }
    }
}

//! What a message says by a dialect: its JSON is found in its frame, or in its event of a stream.

use std::borrow::Cow;

use regex_lite::Regex;
use serde_json::Value;

use super::dialect::{Dialect, Foreign};

/// The longest text that is taken for a type, in bytes, where a message is no JSON.
const LONGEST_KIND: usize = 64;

/// The type that stands for the name of an SSE event.
pub const SSE_EVENT: &str = "sse:event";

/// Finds the JSON in messages.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    frame: Option<Regex>,
    ignore: Option<Regex>,
    foreign: bool,
}

/// What a message carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload<'b> {
    /// The bytes that may be JSON.
    pub json: Cow<'b, [u8]>,
    /// The name of the SSE event.
    pub event: Option<&'b str>,
    /// Whether the message is of no interest.
    pub ignored: bool,
}

/// What a message says to a simulated user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Its type.
    pub kind: Option<String>,
    /// The run that it names.
    pub run: Option<String>,
    /// The request that it names.
    pub request: Option<String>,
    /// The number of the event.
    pub sequence: Option<u64>,
    /// Whether it is of a run's stream.
    pub is_event: bool,
    /// Whether it ends its run.
    pub is_terminal: bool,
    /// Whether it is of no interest.
    pub ignored: bool,
}

impl Reader {
    /// The reader of that dialect. Patterns are checked with the scenario; one that cannot be
    /// compiled here matches nothing.
    pub fn new(dialect: &Dialect) -> Self {
        let Some(foreign) = &dialect.foreign else { return Self::default() };
        let compiled = |pattern: &Option<String>| Regex::new(pattern.as_deref()?).ok();
        let Foreign { frame, ignore_pattern, .. } = foreign;
        Self { frame: compiled(frame), ignore: compiled(ignore_pattern), foreign: true }
    }

    /// What the message carries; `streamed` if it came in the body of an HTTP answer.
    pub fn payload<'b>(&self, bytes: &'b [u8], streamed: bool) -> Payload<'b> {
        let plain = Payload { json: Cow::Borrowed(bytes), event: None, ignored: false };
        let (true, Ok(text)) = (self.foreign, std::str::from_utf8(bytes)) else { return plain };
        let ignored = self.ignore.as_ref().is_some_and(|ignore| ignore.is_match(text));
        let mut payload = match sse(text).filter(|_| streamed) {
            Some(payload) => payload,
            None => plain,
        };
        payload.ignored |= ignored;
        if let (Some(frame), Cow::Borrowed(inner)) = (&self.frame, &payload.json)
            && let Ok(text) = std::str::from_utf8(inner)
            && let Some(found) = frame.find(text).filter(|found| found.start() == 0)
        {
            payload.json = Cow::Borrowed(&inner[found.end()..]);
        }
        payload
    }

    /// The bytes of a message with other JSON in the place of its own.
    pub fn with_json(
        &self,
        bytes: &[u8],
        streamed: bool,
        change: impl FnOnce(&[u8]) -> Option<Vec<u8>>,
    ) -> Option<Vec<u8>> {
        let payload = self.payload(bytes, streamed);
        let Cow::Borrowed(json) = payload.json else { return None };
        let begin = json.as_ptr() as usize - bytes.as_ptr() as usize;
        let changed = change(json)?;
        Some([&bytes[..begin], &changed, &bytes[begin + json.len()..]].concat())
    }

    /// What the message says.
    pub fn read(&self, dialect: &Dialect, bytes: &[u8], streamed: bool) -> Said {
        let payload = self.payload(bytes, streamed);
        let tree: Option<Value> = serde_json::from_slice(&payload.json).ok();
        let at = |pointer: &str| {
            let found = tree.as_ref().filter(|_| !pointer.is_empty())?.pointer(pointer)?;
            match found {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            }
        };
        let kind = at(&dialect.kind).or_else(|| self.other_kind(dialect, &payload, tree.is_some()));
        let ignored = payload.ignored || nothing_to_say(dialect, kind.as_deref(), &payload.json);
        let is_event = !ignored && dialect.is_event(kind.as_deref().unwrap_or_default());
        let agent = at(&dialect.agent);
        let ends = || {
            let by_kind =
                kind.as_deref().is_some_and(|kind| dialect.is_terminal(kind, agent.as_deref()));
            by_kind || ends_by_place(dialect, tree.as_ref())
        };
        let is_terminal = !ignored && ends();
        Said {
            is_terminal,
            run: at(&dialect.run),
            request: at(&dialect.request),
            sequence: at(&dialect.sequence).and_then(|number| number.parse().ok()),
            kind,
            is_event: is_event || is_terminal,
            ignored,
        }
    }

    /// The type where the JSON has none: the event's name, or the text of what is no JSON.
    pub fn other_kind(
        &self,
        dialect: &Dialect,
        payload: &Payload<'_>,
        is_json: bool,
    ) -> Option<String> {
        if !self.foreign {
            return None;
        }
        if dialect.kind == SSE_EVENT {
            return Some(payload.event.unwrap_or("message").to_owned());
        }
        let text = std::str::from_utf8(&payload.json).ok()?.trim();
        (!is_json && !text.is_empty() && text.len() <= LONGEST_KIND).then(|| text.to_owned())
    }
}

/// Whether a message that is nothing but a heartbeat, or of a type to be ignored.
pub fn nothing_to_say(dialect: &Dialect, kind: Option<&str>, json: &[u8]) -> bool {
    let Some(foreign) = &dialect.foreign else { return false };
    json.iter().all(u8::is_ascii_whitespace)
        || kind.is_some_and(|kind| foreign.ignore.iter().any(|ignored| ignored == kind))
}

/// Whether something stands where it ends a run.
pub fn ends_by_place(dialect: &Dialect, tree: Option<&Value>) -> bool {
    let (Some(foreign), Some(tree)) = (&dialect.foreign, tree) else { return false };
    let stands = |place: &String| tree.pointer(place).is_some_and(|found| !found.is_null());
    foreign.ends_where.iter().any(stands) || says_stopped(dialect, tree)
}

/// Whether the message says that its run was stopped, in a server of somebody's own.
pub fn says_stopped(dialect: &Dialect, tree: &Value) -> bool {
    let Some(foreign) = dialect.foreign.as_ref().filter(|own| !own.stopped_at.is_empty()) else {
        return false;
    };
    match tree.pointer(&foreign.stopped_at) {
        Some(Value::String(text)) => *text == dialect.stopped,
        None => false,
        Some(Value::Bool(is)) => dialect.stopped == if *is { "true" } else { "false" },
        Some(Value::Number(number)) => number.to_string() == dialect.stopped,
        Some(_) => false,
    }
}

/// The event of a stream: its data, and its name. None for what is no such event.
fn sse(text: &str) -> Option<Payload<'_>> {
    let is_field = |line: &str| {
        line.starts_with(':')
            || ["data", "event", "id", "retry"].iter().any(|field| {
                line.strip_prefix(field)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
            })
    };
    let mut data: Vec<&str> = Vec::new();
    let mut event = None;
    let mut any = false;
    // One after the other, since each of them alone is looked for quickly: a line may be long.
    let lines = text.split('\n').flat_map(|line| line.split('\r'));
    for line in lines.filter(|line| !line.is_empty()) {
        let line = line.trim_start_matches('\u{feff}');
        if !is_field(line) {
            return None;
        }
        any = true;
        let value = |field: &str| {
            let rest = line.strip_prefix(field)?.strip_prefix(':').unwrap_or_default();
            Some(rest.strip_prefix(' ').unwrap_or(rest))
        };
        data.extend(value("data"));
        event = value("event").or(event);
    }
    let json = match data.as_slice() {
        [] => Cow::Borrowed(&text.as_bytes()[..0]),
        [one] => Cow::Borrowed(one.as_bytes()),
        several => Cow::Owned(several.join("\n").into_bytes()),
    };
    any.then_some(Payload { json, event, ignored: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_is_found_in_its_frame_and_in_its_event() {
        let mut dialect = Dialect::unknown();
        (dialect.kind, dialect.run) = ("/0".into(), "/1/run".into());
        dialect.terminal = vec![("done".into(), None), ("[DONE]".into(), None)];
        if let Some(foreign) = &mut dialect.foreign {
            foreign.frame = Some(r"^42(?:/[^,]*,)?\d*".into());
            foreign.ignore_pattern = Some("^[0-3]".into());
        }
        let reader = Reader::new(&dialect);
        let said = reader.read(&dialect, br#"42/chat,17["done",{"run":"r1"}]"#, false);
        assert_eq!((said.kind.as_deref(), said.run.as_deref()), (Some("done"), Some("r1")));
        assert!(said.is_terminal && said.is_event);
        assert!(reader.read(&dialect, b"2", false).ignored);
        let end = reader.read(&dialect, b"data: [DONE]\n\n", true);
        assert!(end.is_terminal);
        assert!(reader.read(&dialect, b": still here\n\n", true).ignored);
        let two = reader.payload(b"event: x\ndata: [\"a\",\ndata: {}]\n\n", true);
        assert_eq!((&*two.json, two.event), (&b"[\"a\",\n{}]"[..], Some("x")));
        let changed = reader.with_json(b"42[1]", false, |json| Some([json, b"!"].concat()));
        assert_eq!(changed.as_deref(), Some(&b"42[1]!"[..]));
    }
}

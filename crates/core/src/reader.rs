//! What a message says by a dialect: its JSON is found in its frame, or in its event of a stream.

use std::borrow::Cow;

use regex_lite::Regex;
use serde_json::Value;

use super::dialect::Dialect;
use super::lenient;
use super::pointers::{Found, Pointers};
use super::raw::Raw;

/// The longest text that is taken for a type, in bytes, where a message is no JSON.
const LONGEST_KIND: usize = 64;

/// The type that stands for the name of an SSE event.
pub const SSE_EVENT: &str = "sse:event";

/// Finds the JSON in messages.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    frame: Option<Regex>,
    ignore: Option<Regex>,
    strict: bool,
    /// Type, run, request, agent and number.
    pointers: Pointers<5>,
    /// Whether only a tree tells what ends a run: it may be any value at some place.
    needs_tree: bool,
}

/// What a message carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload<'b> {
    /// What may be JSON.
    pub json: Json<'b>,
    /// The name of the SSE event.
    pub event: Option<&'b str>,
    /// Whether the message is of no interest.
    pub ignored: bool,
}

/// What may be JSON in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json<'b> {
    /// A text, mostly as it stands in the message.
    Text(Cow<'b, str>),
    /// What is not UTF-8, and so no JSON.
    Bytes(&'b [u8]),
}

impl Json<'_> {
    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    /// It as text, where it is UTF-8.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bytes(_) => None,
        }
    }

    /// It as text; what is not UTF-8 becomes the replacement character.
    pub fn lossy(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Bytes(bytes) => String::from_utf8_lossy(bytes),
        }
    }

    /// The tree of its values, where it is JSON, read leniently.
    pub fn tree(&self) -> Option<Value> {
        lenient::tree(self.as_text()?)
    }
}

/// What a message says to a simulated user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said<'m> {
    /// Its type.
    pub kind: Option<Cow<'m, str>>,
    /// The run that it names.
    pub run: Option<Cow<'m, str>>,
    /// The request that it names.
    pub request: Option<Cow<'m, str>>,
    /// The number of the event.
    pub sequence: Option<u64>,
    /// Whether it is of a run's stream.
    pub is_event: bool,
    /// Whether it ends its run.
    pub is_terminal: bool,
    /// Whether it is of no interest.
    pub ignored: bool,
    /// Whether all of the message is JSON that a strict parser takes, with nothing before or after it.
    pub is_whole: bool,
}

impl Reader {
    /// The reader of that dialect. Patterns are checked with the scenario; one that cannot be
    /// compiled here matches nothing.
    pub fn new(dialect: &Dialect) -> Self {
        let Dialect { kind, run, request, agent, sequence, .. } = dialect;
        let pointers = Pointers::new([kind, run, request, agent, sequence]);
        let compiled = |pattern: &Option<String>| Regex::new(pattern.as_deref()?).ok();
        Self {
            frame: compiled(&dialect.frame),
            ignore: compiled(&dialect.ignore_pattern),
            strict: dialect.strict,
            pointers,
            needs_tree: dialect.ends_by_place(),
        }
    }

    /// What the message carries; `streamed` if it came in the body of an HTTP answer.
    pub fn payload<'b>(&self, raw: &'b Raw, streamed: bool) -> Payload<'b> {
        let whole = |json| Payload { json, event: None, ignored: false };
        let Some(text) = raw.as_text() else { return whole(Json::Bytes(raw.bytes())) };
        if self.strict {
            return whole(Json::Text(Cow::Borrowed(text)));
        }
        let ignored = self.ignore.as_ref().is_some_and(|ignore| ignore.is_match(text));
        let event = if streamed { sse(text) } else { None };
        let mut payload = match event {
            Some(payload) => payload,
            None => whole(Json::Text(Cow::Borrowed(text))),
        };
        payload.ignored |= ignored;
        if let (Some(frame), Json::Text(Cow::Borrowed(inner))) = (&self.frame, &payload.json)
            && let Some(found) = frame.find(inner).filter(|found| found.start() == 0)
        {
            payload.json = Json::Text(Cow::Borrowed(&inner[found.end()..]));
        }
        payload
    }

    /// The bytes of a message with other JSON in the place of its own.
    pub fn with_json(
        &self,
        raw: &Raw,
        streamed: bool,
        change: impl FnOnce(&[u8]) -> Option<Vec<u8>>,
    ) -> Option<Vec<u8>> {
        let (payload, bytes) = (self.payload(raw, streamed), raw.bytes());
        let json = match &payload.json {
            Json::Text(Cow::Borrowed(json)) => json.as_bytes(),
            Json::Text(Cow::Owned(_)) => return None,
            Json::Bytes(json) => json,
        };
        // What an event without data holds stands nowhere in the message.
        let begin = (json.as_ptr() as usize).checked_sub(bytes.as_ptr() as usize)?;
        if begin + json.len() > bytes.len() {
            return None;
        }
        let changed = change(json)?;
        Some([&bytes[..begin], &changed, &bytes[begin + json.len()..]].concat())
    }

    /// What the message says.
    pub fn read<'m>(&self, dialect: &Dialect, raw: &'m Raw, streamed: bool) -> Said<'m> {
        let payload = self.payload(raw, streamed);
        let read_owned = |text: &str| {
            let found = self.pointers.read(text)?;
            Some(found.map(|value| value.map(Found::into_owned)))
        };
        let found = match &payload.json {
            Json::Text(Cow::Borrowed(text)) => self.pointers.read(text),
            Json::Text(Cow::Owned(text)) => read_owned(text),
            Json::Bytes(_) => None,
        };
        let is_whole = found.is_some() && payload.json.bytes().len() == raw.bytes().len();
        let found = found.or_else(|| read_owned(&lenient::strict(payload.json.as_text()?)?));
        let is_json = found.is_some();
        let [kind, run, request, agent, sequence] = found.unwrap_or_default();
        let sequence = sequence.and_then(|number| number.number());
        let [kind, run, request, agent] =
            [kind, run, request, agent].map(|found| found.map(Found::into_text));
        let other = || self.other_kind(dialect, &payload, is_json).map(Cow::Owned);
        let kind = kind.or_else(other);
        let ignored = payload.ignored || nothing_to_say(dialect, kind.as_deref(), &payload.json);
        let is_event = !ignored && dialect.is_event(kind.as_deref().unwrap_or_default());
        let ends = || {
            let by_kind =
                kind.as_deref().is_some_and(|kind| dialect.is_terminal(kind, agent.as_deref()));
            by_kind || (self.needs_tree && ends_by_place(dialect, payload.json.tree().as_ref()))
        };
        let is_terminal = !ignored && ends();
        Said {
            is_terminal,
            run,
            request,
            sequence,
            kind,
            is_event: is_event || is_terminal,
            ignored,
            is_whole,
        }
    }

    /// The type where the JSON has none: the event's name, or the text of what is no JSON.
    pub fn other_kind(
        &self,
        dialect: &Dialect,
        payload: &Payload<'_>,
        is_json: bool,
    ) -> Option<String> {
        if self.strict {
            return None;
        }
        if dialect.kind == SSE_EVENT {
            return Some(payload.event.unwrap_or("message").to_owned());
        }
        let text = payload.json.as_text()?.trim();
        (!is_json && !text.is_empty() && text.len() <= LONGEST_KIND).then(|| text.to_owned())
    }
}

/// Whether a message that is nothing but a heartbeat, or of a type to be ignored.
pub fn nothing_to_say(dialect: &Dialect, kind: Option<&str>, json: &Json<'_>) -> bool {
    json.bytes().iter().all(u8::is_ascii_whitespace)
        || kind.is_some_and(|kind| dialect.ignore.iter().any(|ignored| ignored == kind))
}

/// Whether something stands where it ends a run.
pub fn ends_by_place(dialect: &Dialect, tree: Option<&Value>) -> bool {
    let Some(tree) = tree else { return false };
    let stands = |place: &String| tree.pointer(place).is_some_and(|found| !found.is_null());
    dialect.ends_where.iter().any(stands) || says_stopped(dialect, tree)
}

/// Whether the message says that its run was stopped, and ends by that alone.
pub fn says_stopped(dialect: &Dialect, tree: &Value) -> bool {
    if dialect.stopped_at.is_empty() {
        return false;
    }
    match tree.pointer(&dialect.stopped_at) {
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
        [] => Cow::Borrowed(""),
        [one] => Cow::Borrowed(*one),
        several => Cow::Owned(several.join("\n")),
    };
    any.then_some(Payload { json: Json::Text(json), event, ignored: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_is_found_in_its_frame_and_in_its_event() {
        let mut dialect = Dialect::unknown();
        (dialect.kind, dialect.run) = ("/0".into(), "/1/run".into());
        dialect.terminal = vec![("done".into(), None), ("[DONE]".into(), None)];
        dialect.frame = Some(r"^42(?:/[^,]*,)?\d*".into());
        dialect.ignore_pattern = Some("^[0-3]".into());
        let reader = Reader::new(&dialect);
        let raw = r#"42/chat,17["done",{"run":"r1"}]"#.into();
        let said = reader.read(&dialect, &raw, false);
        assert_eq!((said.kind.as_deref(), said.run.as_deref()), (Some("done"), Some("r1")));
        assert!(said.is_terminal && said.is_event);
        assert!(reader.read(&dialect, &"2".into(), false).ignored);
        assert!(reader.read(&dialect, &"data: [DONE]\n\n".into(), true).is_terminal);
        assert!(reader.read(&dialect, &": still here\n\n".into(), true).ignored);
        let raw = "event: x\ndata: [\"a\",\ndata: {}]\n\n".into();
        let two = reader.payload(&raw, true);
        assert_eq!((two.json.as_text(), two.event), (Some("[\"a\",\n{}]"), Some("x")));
        let changed = reader.with_json(&"42[1]".into(), false, |json| Some([json, b"!"].concat()));
        assert_eq!(changed.as_deref(), Some(&b"42[1]!"[..]));
        for nothing in [": still here\n\n", "data\n\n", "id: 7\n\n", "event: x\n"] {
            let raw = nothing.into();
            assert_eq!(reader.with_json(&raw, true, |_| Some(b"!".to_vec())), None, "{nothing:?}");
        }
    }
}

//! Chat completions as OpenAI's clients ask for them and read them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Told;
use super::log::Says;

/// The one model that there is; any other name is taken as well and answered under.
pub(super) const MODEL: &str = "partywall-echo";

/// When everything was made: a clock would make answers differ.
const CREATED: u64 = 1_700_000_000;

/// A request; what the stub does not use may be anything.
#[derive(Debug, Deserialize)]
pub(super) struct Request {
    #[serde(default)]
    model: Option<String>,
    messages: Vec<Message>,
    #[serde(default)]
    pub(super) stream: Option<bool>,
    #[serde(default)]
    stream_options: Option<StreamOptions>,
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    safety_identifier: Option<String>,
    #[serde(default)]
    metadata: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

#[derive(Debug, Deserialize)]
struct Message {
    role: String,
    #[serde(default)]
    content: Value,
    #[serde(default)]
    tool_calls: Value,
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    ///
    /// It is none, in words.
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        let request: Self = serde_json::from_slice(body)
            .map_err(|error| format!("the body is no chat completion request: {error}"))?;
        if request.messages.is_empty() {
            return Err("`messages` is empty; give at least one".into());
        }
        Ok(request)
    }

    pub(super) fn told(&self) -> Told {
        let mut told = Told::default();
        let last = self.messages.iter().rposition(|message| message.role == "user");
        let last = last.unwrap_or(self.messages.len() - 1);
        for (place, message) in self.messages.iter().enumerate() {
            let mut text = String::new();
            gather(&message.content, &mut text);
            gather(&message.tool_calls, &mut text);
            match message.role.as_str() {
                _ if place == last => told.last = text,
                "system" | "developer" => told.settings.push(text),
                _ => told.earlier.push(text),
            }
        }
        told
    }

    pub(super) fn says(&self) -> Says {
        let in_metadata = |name: &str| Some(self.metadata.as_ref()?.get(name)?.as_str()?.into());
        let of_body = [self.user.clone(), self.safety_identifier.clone(), in_metadata("user_id")];
        Says { identities: of_body.into_iter().flatten().collect(), run: in_metadata("run_id") }
    }

    pub(super) fn streams(&self) -> bool {
        self.stream == Some(true)
    }

    fn model(&self) -> &str {
        self.model.as_deref().unwrap_or(MODEL)
    }

    /// The whole answer.
    pub(super) fn completion(&self, n: u64, pieces: &[String]) -> String {
        let text = pieces.concat();
        json!({
            "id": id(n),
            "object": "chat.completion",
            "created": CREATED,
            "model": self.model(),
            "choices": [{
                "index": 0,
                "message": {"role": "assistant", "content": text, "refusal": null},
                "logprobs": null,
                "finish_reason": "stop",
            }],
            "usage": self.usage(&text),
        })
        .to_string()
    }

    /// The frames of a streamed answer, `[DONE]` among them.
    pub(super) fn frames(&self, n: u64, pieces: &[String]) -> Vec<String> {
        let chunk = |delta: Value, finish: Value| {
            json!({
                "id": id(n),
                "object": "chat.completion.chunk",
                "created": CREATED,
                "model": self.model(),
                "choices": [{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}],
            })
        };
        let mut frames = Vec::with_capacity(pieces.len() + 3);
        for (place, piece) in pieces.iter().enumerate() {
            let delta = match place {
                0 => json!({"role": "assistant", "content": piece}),
                _ => json!({"content": piece}),
            };
            frames.push(frame(&chunk(delta, Value::Null)));
        }
        frames.push(frame(&chunk(json!({}), "stop".into())));
        if self.stream_options.as_ref().is_some_and(|options| options.include_usage) {
            let mut usage = chunk(json!({}), Value::Null);
            usage["choices"] = json!([]);
            usage["usage"] = self.usage(&pieces.concat());
            frames.push(frame(&usage));
        }
        frames.push("data: [DONE]\n\n".into());
        frames
    }

    /// Words, where a model would count tokens.
    fn usage(&self, answer: &str) -> Value {
        let Told { last, earlier, settings } = self.told();
        let texts = earlier.iter().chain(&settings).chain([&last]);
        let asked: usize = texts.map(|text| text.split_whitespace().count()).sum();
        let answered = answer.split_whitespace().count();
        json!({
            "prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered,
        })
    }
}

/// Names start at zero in each process, and no two calls share one.
fn id(n: u64) -> String {
    format!("chatcmpl-{n}")
}

fn frame(event: &Value) -> String {
    format!("data: {event}\n\n")
}

/// Every text in a message's content: a string, or parts with texts in them.
fn gather(value: &Value, text: &mut String) {
    match value {
        Value::String(part) => {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(part);
        }
        Value::Array(parts) => parts.iter().for_each(|part| gather(part, text)),
        Value::Object(members) => {
            let names = members.iter().filter(|(name, _)| *name != "type" && *name != "id");
            names.for_each(|(_, member)| gather(member, text));
        }
        _ => {}
    }
}

/// The list of models.
pub(super) fn models() -> String {
    let model =
        json!({"id": MODEL, "object": "model", "created": CREATED, "owned_by": "partywall"});
    json!({"object": "list", "data": [model]}).to_string()
}

/// An error as OpenAI's clients read it.
pub(super) fn error(status: u16, message: &str) -> String {
    let kind = match status {
        429 => "rate_limit_error",
        500.. => "server_error",
        _ => "invalid_request_error",
    };
    json!({"error": {"message": message, "type": kind, "param": null, "code": null}}).to_string()
}

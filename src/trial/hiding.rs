//! Takes secrets out of what was recorded.

use super::history::What;
use super::raw::Raw;

/// What stands in the place of a secret.
const HIDDEN: &str = "***";

impl What {
    /// The same with these secrets taken out: a server may send back what it was shown.
    pub fn without(mut self, secrets: &[String]) -> Self {
        match &mut self {
            Self::Sent { raw }
            | Self::Received { raw }
            | Self::Refused { raw, .. }
            | Self::Ended { raw, .. } => hide_bytes(raw, secrets),
            Self::Request { path, raw, .. } => {
                hide(path, secrets);
                hide_bytes(raw, secrets);
            }
            Self::Answer { headers, raw, .. } => {
                hide_bytes(headers, secrets);
                hide_bytes(raw, secrets);
            }
            Self::Broken { error } => hide(error, secrets),
            _ => {}
        }
        self
    }
}

fn hide(text: &mut String, secrets: &[String]) {
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        let quoted = super::template::in_url(secret);
        for form in [secret, &quoted] {
            if text.contains(form.as_str()) {
                *text = text.replace(form.as_str(), HIDDEN);
            }
        }
    }
}

fn hide_bytes(raw: &mut Raw, secrets: &[String]) {
    if let Ok(text) = std::str::from_utf8(raw.bytes()) {
        let mut hidden = text.to_owned();
        hide(&mut hidden, secrets);
        if hidden != text {
            *raw = Raw::from(hidden);
        }
        return;
    }
    // What is no text: the secret's own bytes are blanked where they stand.
    let mut bytes = raw.bytes().to_vec();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        let length = secret.len();
        let places: Vec<usize> = bytes
            .windows(length)
            .enumerate()
            .filter(|(_, window)| *window == secret.as_bytes())
            .map(|(at, _)| at)
            .collect();
        for at in places {
            bytes[at..at + length].fill(b'*');
        }
    }
    *raw = Raw::new(bytes);
}

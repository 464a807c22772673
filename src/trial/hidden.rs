//! Secrets, taken out of what is written down.

use aho_corasick::{AhoCorasick, MatchKind};

use super::history::{Note, What};
use super::ids::RunId;
use super::raw::Raw;
use super::template::in_url;

/// What stands in the place of a secret.
const HIDDEN: &str = "***";

/// A shorter secret would be found everywhere, and protects nothing.
const SHORTEST: usize = 6;

/// Finds secrets, however many there are, in one pass.
#[derive(Clone, Debug, Default)]
pub struct Secrets(Option<AhoCorasick>);

impl Secrets {
    /// Hides these from here on.
    pub fn new(secrets: &[String]) -> Self {
        let long = secrets.iter().filter(|secret| secret.len() >= SHORTEST);
        let all: Vec<String> = long.flat_map(|secret| forms(secret)).collect();
        if all.is_empty() {
            return Self::default();
        }
        // A secret that holds another goes first.
        let search = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(all);
        // It fails only where the secrets take gigabytes.
        Self(Some(search.expect("secrets are short")))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The text without them.
    pub fn without(&self, text: &str) -> String {
        let mut text = text.to_owned();
        self.hide(&mut text);
        text
    }

    pub(super) fn hide(&self, text: &mut String) {
        let Some(search) = self.0.as_ref().filter(|search| search.is_match(text.as_str())) else {
            return;
        };
        let mut hidden = String::with_capacity(text.len());
        search.replace_all_with(text, &mut hidden, |_, _, hidden| {
            hidden.push_str(HIDDEN);
            true
        });
        *text = hidden;
    }

    pub(super) fn hide_raw(&self, raw: &mut Raw) {
        let Some(search) = self.0.as_ref().filter(|search| search.is_match(raw.bytes())) else {
            return;
        };
        if let Ok(text) = std::str::from_utf8(raw.bytes()) {
            *raw = Raw::from(self.without(text));
            return;
        }
        // What is no text: the secret's own bytes are blanked where they stand.
        let mut bytes = raw.bytes().to_vec();
        for found in search.find_iter(raw.bytes()) {
            bytes[found.range()].fill(b'*');
        }
        *raw = Raw::new(bytes);
    }
}

impl What {
    /// The same with these secrets taken out: a server may send back what it was shown, as the name
    /// of a run too.
    pub fn without(mut self, secrets: &Secrets) -> Self {
        let hide_run = |run: &mut RunId| {
            let mut named = run.to_string();
            secrets.hide(&mut named);
            *run = RunId::new(named);
        };
        match &mut self {
            Self::Sent { raw }
            | Self::Received { raw }
            | Self::Refused { raw, .. }
            | Self::Ended { raw, .. } => secrets.hide_raw(raw),
            Self::Request { path, raw, .. } => {
                secrets.hide(path);
                secrets.hide_raw(raw);
            }
            Self::Answer { headers, raw, .. } => {
                secrets.hide_raw(headers);
                secrets.hide_raw(raw);
            }
            Self::Broken { error } => secrets.hide(error),
            Self::Resume { run, .. } | Self::Control { id: Some(run), .. } => hide_run(run),
            Self::Backend { note: Note::Upstream { run, text, .. } } => {
                hide_run(run);
                secrets.hide(text);
            }
            _ => {}
        }
        self
    }
}

/// A secret as it may stand in what is sent: as it is, in a URL, in a JSON text.
pub fn forms(secret: &str) -> Vec<String> {
    let json = serde_json::Value::from(secret).to_string();
    let json = json[1..json.len() - 1].to_owned();
    let mut forms = vec![secret.to_owned(), in_url(secret), json];
    forms.sort();
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_however_it_is_quoted() {
        let secrets = Secrets::new(&["a\"b/c d".to_owned(), "a\"b/c d e".to_owned()]);
        for text in ["<a\"b/c d>", "<a\\\"b/c d>", "<a%22b%2Fc%20d>", "<a\"b/c d e>"] {
            assert_eq!(secrets.without(text), format!("<{HIDDEN}>"), "{text}");
        }
        let mut raw = Raw::new(b"\xff a\"b/c d".to_vec());
        secrets.hide_raw(&mut raw);
        assert_eq!(raw.bytes(), b"\xff *******");
        assert!(Secrets::new(&["short".to_owned()]).is_empty());
    }
}

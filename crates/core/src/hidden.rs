//! Secrets, taken out of what is written down. In the place of each stands a mark of its own, so that
//! what differs in a secret still differs, and so that one user's secret is known for theirs wherever
//! it comes back.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Bound;
use std::sync::OnceLock;

use super::canary::{CampaignKey, Scanner, Sighting};
use super::history::{Note, What, Whose};
use super::ids::{RunId, UserName};
use super::plan::Plan;
use super::raw::Raw;
use super::template::in_url;

/// How a mark begins and ends.
pub const MARK: &str = "***";

/// A shorter secret would be found everywhere, and protects nothing.
const SHORTEST: usize = 6;

/// What is that long stands nowhere by chance.
const LONG: usize = 20;

/// Letters alone, and fewer: a word that a server may well say by itself.
const LONGEST_WORD: usize = 15;

/// A part of a value that is that long, without a space, may be what it proves somebody by.
const TOKEN: usize = 16;

/// So many bytes at its beginning let most places be passed over.
const BEGINNING: usize = 4;

/// Finds secrets, however many there are, in one pass; more can be added at any time.
#[derive(Clone, Default)]
pub struct Secrets {
    /// Those of a trial stand as marks that no server can make.
    trial: Option<Trial>,
    /// Each form of each secret, with the number of the secret.
    forms: BTreeMap<Box<[u8]>, usize>,
    /// A bit for each hash of the bytes that a form begins with.
    beginnings: Vec<u64>,
    secrets: usize,
    /// Those of the scenario, which all users may be shown.
    of_all: BTreeSet<usize>,
    /// Who was told to have which.
    told: BTreeSet<(UserName, usize)>,
    /// Those which the back end gave to a user who alone may see them.
    private: Vec<PrivateValue>,
}

/// What the back end gave to one user who alone may see it.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateValue {
    /// To whom.
    pub user: UserName,
    /// The value.
    pub value: String,
    /// What the scenario calls it.
    pub name: String,
}

impl fmt::Debug for PrivateValue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "PrivateValue({} of {})", self.name, self.user)
    }
}

#[derive(Clone)]
struct Trial {
    key: CampaignKey,
    /// What is written down in any case.
    written: String,
    /// Finds what users said. It is made for the first secret.
    canaries: OnceLock<Scanner>,
}

impl Secrets {
    /// These, for a text that nobody is judged by.
    pub fn new(secrets: &[String]) -> Self {
        let mut all = Self::default();
        secrets.iter().for_each(|secret| all.add(secret));
        all
    }

    /// Those of a trial of that plan: none yet.
    pub fn of_trial(plan: &Plan) -> Self {
        let mut words = BTreeSet::from([serde_json::to_string(&plan.protocol).unwrap_or_default()]);
        for user in &plan.users {
            words.insert(user.name.to_string());
            for run in user.runs() {
                words.extend([run.thread.to_string(), run.request_id.to_string()]);
            }
        }
        let written: Vec<String> = words.into_iter().collect();
        let (key, written) = (plan.campaign, written.join("\n"));
        Self { trial: Some(Trial { key, written, canaries: OnceLock::new() }), ..Self::default() }
    }

    /// Why a value cannot be hidden, if it cannot: what is written down anyway is no secret, and to
    /// take a number out of messages would break them.
    pub fn unfit(&self, secret: &str) -> Option<&'static str> {
        if secret.len() < SHORTEST {
            return Some("is shorter than 6 bytes, so that it may stand anywhere");
        }
        let written = &self.trial.as_ref()?.written;
        if secret.parse::<f64>().is_ok() {
            return Some("is a number, so that it may stand anywhere");
        }
        let stands = forms(secret).iter().any(|form| written.contains(form));
        stands.then_some(
            "stands in the scenario itself or in the name of a user, a thread or a request, which \
             are written down",
        )
    }

    /// Hides this one too. What is [unfit](Self::unfit) stays as it is.
    pub fn add(&mut self, secret: &str) {
        self.number(secret);
    }

    /// Hides this one too, and whoever is shown it is shown what is everybody's.
    pub fn share(&mut self, secret: &str) {
        let number = self.number(secret);
        self.of_all.extend(number);
    }

    /// Hides this secret of that user too, and says how a history tells that it is theirs. Nothing
    /// where that was told, and for what accuses nobody: it is everybody's, or a word that a server
    /// may say by itself.
    pub fn tell(
        &mut self,
        user: &UserName,
        secret: &str,
        name: &str,
        whose: Whose,
    ) -> Option<What> {
        let number = self.number(secret)?;
        let word = secret.len() <= LONGEST_WORD && secret.chars().all(char::is_alphabetic);
        if word || self.of_all.contains(&number) {
            return None;
        }
        // Who is given it once more has it in this round too.
        if whose != Whose::Earlier && !self.told.insert((user.clone(), number)) {
            return None;
        }
        if whose == Whose::Private {
            let (user, value, name) = (user.clone(), secret.to_owned(), name.to_owned());
            self.private.push(PrivateValue { user, value, name });
        }
        let (mark, long) = (self.mark(number), secret.len() >= LONG);
        Some(What::Secret { mark, name: name.to_owned(), whose, long })
    }

    /// Takes what the back end gave to users who alone may see it, in the order in which it came.
    pub fn take_private(&mut self) -> Vec<PrivateValue> {
        std::mem::take(&mut self.private)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.secrets
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.forms.is_empty()
    }

    /// The text without them.
    pub fn without(&self, text: &str) -> String {
        let mut text = text.to_owned();
        self.hide(&mut text);
        text
    }

    /// Takes them out of the text; whether there were any.
    pub fn hide(&self, text: &mut String) -> bool {
        let Some(hidden) = self.replaced(text.as_bytes()) else { return false };
        // Texts were taken out of a text, whole.
        *text = String::from_utf8_lossy(&hidden).into_owned();
        true
    }

    pub(super) fn hide_raw(&self, raw: &mut Raw) -> bool {
        let hidden = self.replaced(raw.bytes());
        hidden.map(|hidden| *raw = Raw::new(hidden)).is_some()
    }

    /// The number of the secret, which is hidden from here on; none if it cannot be.
    fn number(&mut self, secret: &str) -> Option<usize> {
        if let Some(number) = self.forms.get(secret.as_bytes()) {
            return Some(*number);
        }
        if self.unfit(secret).is_some() {
            return None;
        }
        if let Some(tokens) = self.beside_canaries(secret) {
            for token in tokens {
                self.number(token);
            }
            return None;
        }
        self.secrets += 1;
        self.beginnings.resize(1 << 10, 0);
        for form in forms(secret) {
            let (word, bit) = place(form.as_bytes());
            self.beginnings[word] |= bit;
            self.forms.entry(form.into_bytes().into()).or_insert(self.secrets);
        }
        Some(self.secrets)
    }

    /// The tokens in a value that also holds what users said, a flash message in a cookie: none if it
    /// holds nothing of the kind. What users said is no secret of the server's, and stays: hidden, it
    /// would show nobody whose it is.
    fn beside_canaries<'s>(&self, secret: &'s str) -> Option<Vec<&'s str>> {
        let Trial { key, canaries, .. } = self.trial.as_ref()?;
        let sightings = canaries.get_or_init(|| Scanner::new(*key)).scan(secret.as_bytes());
        let sightings = sightings.iter().map(|Sighting { start, end, .. }| (*start, *end));
        let mut said: Vec<(usize, usize)> =
            sightings.map(|(start, end)| (start as usize, end as usize)).collect();
        // What several users say in equal messages is as little the server's.
        said.extend(key.round_words().filter_map(|word| {
            let start = secret.find(&word)?;
            Some((start, start + word.len()))
        }));
        said.sort_unstable();
        let mut rest = 0;
        let mut beside = Vec::new();
        for (start, end) in &said {
            // In base64, neighbours share a character.
            beside.push(secret.get(rest..(*start).max(rest))?);
            rest = *end;
        }
        beside.push(secret.get(rest..)?);
        let tokens = beside.into_iter().flat_map(|text| {
            text.split(|one: char| !one.is_ascii_alphanumeric() && !"-_.".contains(one))
        });
        (!said.is_empty()).then(|| tokens.filter(|token| token.len() >= TOKEN).collect())
    }

    /// What stands in the place of the secret of that number.
    fn mark(&self, number: usize) -> String {
        match &self.trial {
            Some(Trial { key, .. }) => {
                format!("{MARK}{number}-{:016x}{MARK}", key.seal("hidden secret", number))
            }
            None => format!("{MARK}{number}{MARK}"),
        }
    }

    fn replaced(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        if self.is_empty() {
            return None;
        }
        let mut hidden: Option<Vec<u8>> = None;
        let (mut at, mut done) = (0, 0);
        while at + SHORTEST <= bytes.len() {
            let (word, bit) = place(&bytes[at..]);
            let found = if self.beginnings[word] & bit == 0 { None } else { self.at(&bytes[at..]) };
            let Some((length, number)) = found else {
                at += 1;
                continue;
            };
            let hidden = hidden.get_or_insert_default();
            hidden.extend_from_slice(&bytes[done..at]);
            hidden.extend_from_slice(self.mark(number).as_bytes());
            at += length;
            done = at;
        }
        hidden.map(|hidden| [&hidden, &bytes[done..]].concat())
    }

    /// The longest form that those bytes begin with: its length, and the number of the secret.
    fn at(&self, mut bytes: &[u8]) -> Option<(usize, usize)> {
        loop {
            let upto = (Bound::Unbounded, Bound::Included(bytes));
            let (form, number) = self.forms.range::<[u8], _>(upto).next_back()?;
            let same = form.iter().zip(bytes).take_while(|(one, other)| one == other).count();
            if same == form.len() {
                return Some((same, *number));
            }
            // A longer one that they begin with would stand between the two.
            bytes = &bytes[..same];
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Secrets({})", self.secrets)
    }
}

/// The place of those bytes' beginning among the bits.
fn place(bytes: &[u8]) -> (usize, u64) {
    let mut beginning = [0; BEGINNING];
    beginning.copy_from_slice(&bytes[..BEGINNING]);
    let hash = u32::from_le_bytes(beginning).wrapping_mul(0x9E37_79B1) >> 16;
    ((hash >> 6) as usize, 1 << (hash & 63))
}

impl What {
    /// Takes these secrets out: a server may send back what it was shown, as the name of a run too.
    /// Whether there were any.
    pub fn hide(&mut self, secrets: &Secrets) -> bool {
        let hide_run = |run: &mut RunId| {
            let mut named = run.to_string();
            let hidden = secrets.hide(&mut named);
            if hidden {
                *run = RunId::new(named);
            }
            hidden
        };
        match self {
            Self::Sent { raw }
            | Self::Received { raw }
            | Self::Aside { raw }
            | Self::Ended { raw, .. } => secrets.hide_raw(raw),
            Self::Request { path, raw, .. } => {
                let other = secrets.replaced(path.as_bytes());
                let hidden = other.map(|other| *path = String::from_utf8_lossy(&other).into());
                hidden.is_some() | secrets.hide_raw(raw)
            }
            Self::Connected { headers } => secrets.hide_raw(headers),
            Self::Answer { headers, raw, .. } | Self::Refused { headers, raw, .. } => {
                secrets.hide_raw(headers) | secrets.hide_raw(raw)
            }
            Self::Broken { error, .. } => secrets.hide(error),
            Self::Resume { run, .. } | Self::Control { id: Some(run), .. } => hide_run(run),
            Self::Backend { note } => match &mut **note {
                Note::Upstream { run, text, .. } => hide_run(run) | secrets.hide(text),
                _ => false,
            },
            _ => false,
        }
    }
}

/// A text as it may stand in what is sent: as it is, in a URL, in a JSON text.
pub fn forms(secret: &str) -> Vec<String> {
    let json = serde_json::Value::from(secret).to_string();
    let json = json[1..json.len() - 1].to_owned();
    let url = in_url(secret);
    // The digits of URLs in both cases, and slashes in JSON as some write them.
    let mut lower = url.clone().into_bytes();
    for (at, _) in url.match_indices('%') {
        lower[at..at + 3].make_ascii_lowercase();
    }
    let lower = String::from_utf8_lossy(&lower).into_owned();
    let mut forms = vec![secret.to_owned(), url, lower, json.replace('/', "\\/"), json];
    forms.sort();
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canary::{Field, Mint, Owner};
    use crate::plan::PLAN_VERSION;

    fn of_trial(users: &[&str]) -> Secrets {
        let user = |(index, name): (usize, &&str)| crate::plan::UserPlan {
            name: UserName::new(*name),
            index: index as u32,
            browser: None,
            steps: Vec::new(),
        };
        Secrets::of_trial(&Plan {
            version: PLAN_VERSION,
            scenario: "secrets".into(),
            campaign: CampaignKey::from_seed(7),
            trial: 0,
            users: users.iter().enumerate().map(user).collect(),
            faults: Vec::new(),
            linger: 0,
            protocol: crate::protocol::Protocol::reference(),
        })
    }

    #[test]
    fn a_secret_is_hidden_however_it_is_quoted() {
        let secrets = Secrets::new(&["a\"b/c d".to_owned(), "a\"b/c d e".to_owned()]);
        let first =
            ["<a\"b/c d>", "<a\\\"b/c d>", "<a\\\"b\\/c d>", "<a%22b%2Fc%20d>", "<a%22b%2fc%20d>"];
        for text in first {
            assert_eq!(secrets.without(text), "<***1***>", "{text}");
        }
        assert_eq!(secrets.without("<a\"b/c d e>"), "<***2***>");
        assert_eq!(secrets.without("<a\"b/c d é>"), "<***1*** é>");
        assert_eq!(secrets.without("<a\"b/c>"), "<a\"b/c>");
        let mut raw = Raw::new(b"\xff a\"b/c d".to_vec());
        secrets.hide_raw(&mut raw);
        assert_eq!(raw.bytes(), b"\xff ***1***");
        assert!(Secrets::new(&["short".to_owned()]).is_empty());
    }

    #[test]
    fn many_that_begin_alike_are_told_apart() {
        let all: Vec<String> = (0..3000).map(|n| format!("token-{n}")).collect();
        let secrets = Secrets::new(&all);
        for (place, one) in all.iter().enumerate() {
            let mark = format!("{{\"a\":\"***{}***\"}}", place + 1);
            assert_eq!(secrets.without(&format!("{{\"a\":\"{one}\"}}")), mark);
        }
        assert_eq!(secrets.without("token-x token"), "token-x token");
    }

    #[test]
    fn a_mark_is_of_one_secret_and_no_server_can_make_it() {
        let (ann, bob) = (UserName::new("ann"), UserName::new("bob"));
        let mut secrets = of_trial(&["ann", "bob"]);
        let told = |what: Option<What>| match what {
            Some(What::Secret { mark, .. }) => Some(mark),
            _ => None,
        };
        let one = told(secrets.tell(&ann, "run-1-of-ann", "user.secret", Whose::Own));
        let other = told(secrets.tell(&bob, "run-1-of-bob", "user.secret", Whose::Own));
        let (one, other) = (one.expect("told"), other.expect("told"));
        assert_ne!(one, other);
        assert_eq!(secrets.without("run-1-of-ann, run-1-of-bob"), format!("{one}, {other}"));
        // What looks like one is none: the tag is missing, or of another campaign or number.
        let fake = format!("***1*** {}", one.replacen('1', "2", 1));
        assert_eq!(secrets.without(&fake), fake);
        assert_ne!(fake.split_once(' ').map(|(_, mark)| mark), Some(other.as_str()));
        // What was told need not be again; another who has the same must be.
        assert_eq!(told(secrets.tell(&ann, "run-1-of-ann", "token", Whose::Captured)), None);
        assert_eq!(told(secrets.tell(&bob, "run-1-of-ann", "token", Whose::Captured)), Some(one));
    }

    #[test]
    fn what_accuses_nobody_is_hidden_all_the_same() {
        let ann = UserName::new("ann");
        let mut secrets = of_trial(&["ann", "bob"]);
        secrets.share("the-key-of-all");
        assert_eq!(secrets.tell(&ann, "the-key-of-all", "user.secret", Whose::Own), None);
        assert_eq!(secrets.tell(&ann, "welcome", "user.secret", Whose::Own), None);
        assert!(!secrets.without("welcome, the-key-of-all").contains(['w', 'k']));
    }

    #[test]
    fn what_users_said_stays_and_the_tokens_beside_it_do_not() {
        let mut secrets = of_trial(&["ann", "bob"]);
        let owner = Owner { user: 1, run: 0, field: Field::Prompt };
        let said = Mint::new(CampaignKey::from_seed(7)).mint(owner);
        let (words, token) = (format!("%22Saved%3A%20{said}%22%5D:1abc:"), "0123456789abcdef0123");
        let flash = format!("{words}{token}");
        secrets.add(&flash);
        assert_eq!(secrets.tell(&"ann".into(), &flash, "flash", Whose::Captured), None);
        assert_eq!(secrets.without(&flash).split("***").next(), Some(words.as_str()));
        assert!(!secrets.without(&flash).contains(token));
        // So are the words of an equal message.
        let key = CampaignKey::from_seed(7).with_nonce(9).in_round(2);
        let trial = Trial { key, written: String::new(), canaries: OnceLock::new() };
        let mut secrets = Secrets { trial: Some(trial), ..Secrets::default() };
        let flash = format!("{}:{token}", key.in_round(1).round_word().expect("a word"));
        assert_eq!(secrets.tell(&"ann".into(), &flash, "flash", Whose::Session), None);
        assert!(!secrets.without(&flash).contains(token));
        // Without a trial nobody's words are known.
        assert!(!Secrets::new(std::slice::from_ref(&flash)).without(&flash).contains(&said));
    }

    #[test]
    fn what_is_written_down_anyway_or_breaks_messages_is_not_hidden() {
        let mut secrets = of_trial(&["annabel", "bob"]);
        for unfit in ["short", "annabe", "123456", "-1.5e10", ""] {
            assert!(secrets.unfit(unfit).is_some(), "{unfit}");
            secrets.add(unfit);
            assert_eq!(secrets.without(unfit), unfit);
        }
        assert!(secrets.is_empty() && secrets.unfit("annabel's").is_none());
    }
}

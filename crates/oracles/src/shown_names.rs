//! Another user's name, or what is made of it to prove who they are, as a text in what came in: a page
//! that greets another, a header, a close reason. For O2.
//!
//! A name is a text like others, so it counts only where it is nobody's doing but the server's. It
//! does not count where the observer sent it before, where one of the two names holds the other,
//! where it came before its user did anything, and on an event connection in what answers no run of
//! the observer: others may be told there that somebody is present. What shows the user in their
//! JSON place, or beside a canary of the same user, is told of as that.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};

use super::case::Case;
use super::edits::{Edit, bytes, with_bytes};
use super::message::{Channel, Message};
use super::private::{shown_as, stands_alone};
use super::suspects::{Suspects, crossing, shows};
use partywall_core::hidden::forms;
use partywall_core::history::{History, Note, Observation, What};
use partywall_core::ids::UserName;
use partywall_core::plan::holds_equal_of_others;
use partywall_core::protocol::{Identity, Protocol};
use partywall_core::raw::Raw;
use partywall_core::template::{fill, plain};

/// A shorter name may be any word.
const SHORTEST: usize = 5;
/// A shorter number may count anything.
const SHORTEST_NUMBER: usize = 8;
/// An answer with at least so many other names, and half of all, is a list of users.
const FEWEST_LISTED: usize = 3;

/// Whether texts are searched for that name: it is not so short that it may stand there by chance.
pub fn is_searched(name: &UserName) -> bool {
    let is_number = name.as_str().bytes().all(|byte| byte.is_ascii_digit());
    name.as_str().chars().count() >= if is_number { SHORTEST_NUMBER } else { SHORTEST }
}

/// What a text says of its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Name,
    Credential,
}

/// A text that says who somebody is.
#[derive(Clone, Debug)]
struct Term {
    text: String,
    /// The user, by place in the plan.
    user: usize,
    kind: Kind,
}

/// Finds the texts that say who a user is.
pub(super) struct ShownNames<'c, 'h> {
    case: &'c Case<'h>,
    terms: Vec<Term>,
    search: AhoCorasick,
    /// When each user, by place, first did something.
    first: BTreeMap<usize, u64>,
    /// When an observer, by place, first sent a text that names a user, by place.
    sent: BTreeMap<(usize, usize), u64>,
    /// The observations, by number, that show a canary of a user, by place.
    canaries: BTreeSet<(u64, usize)>,
    /// The observations, by number, that show an equal message which an earlier state was given. It
    /// has no canary that says whose it was, and its user's name may have been filed along with it.
    equal_of_others: BTreeSet<u64>,
}

/// A text that says who another user is, in one part of what came in.
struct Shown {
    user: usize,
    kind: Kind,
    in_header: bool,
}

impl<'c, 'h> ShownNames<'c, 'h> {
    /// Those of the case; none where all messages name their user in a place of their own.
    pub(super) fn of(case: &'c Case<'h>) -> Option<Self> {
        let users = &case.history.plan.users;
        if case.dialect.strict || users.len() < 2 {
            return None;
        }
        let terms = terms(case);
        let mut builder = AhoCorasickBuilder::new();
        // The longest: one user's name may begin as another's does.
        let builder = builder.match_kind(MatchKind::LeftmostLongest).ascii_case_insensitive(true);
        let search = builder.build(terms.iter().map(|term| &term.text)).ok()?;
        let (first, sent) = (BTreeMap::new(), BTreeMap::new());
        // What an earlier state left brings its user's name along.
        let seen = case.seen.iter().chain(&case.left);
        let canaries = seen
            .filter_map(|seen| Some((seen.n, case.place(&case.person_at(seen.owner.user)?.name)?)));
        let canaries = canaries.collect();
        let equal_of_others = equal_of_others(case);
        let mut own = Self { case, terms, search, first, sent, canaries, equal_of_others };
        own.listen();
        (!own.terms.is_empty()).then_some(own)
    }

    /// Notes what users did and sent.
    fn listen(&mut self) {
        for seen in &self.case.history.observations {
            let Some(user) = seen.by.as_ref().and_then(|user| self.case.place(user)) else {
                continue;
            };
            let acts = matches!(
                seen.what,
                What::Connect | What::Start { .. } | What::Sent { .. } | What::Request { .. }
            );
            if acts {
                self.first.entry(user).or_insert(seen.n);
            }
            let sent: [&[u8]; 2] = match &seen.what {
                What::Sent { raw } => [raw.bytes(), b""],
                What::Request { path, raw, .. } => [path.as_bytes(), raw.bytes()],
                _ => continue,
            };
            for found in sent.into_iter().flat_map(|bytes| self.search.find_iter(bytes)) {
                let named = self.terms[found.pattern().as_usize()].user;
                self.sent.entry((user, named)).or_insert(seen.n);
            }
        }
    }

    /// All that the observation shows its observer, who has that place: of themselves too.
    fn shown(&self, observation: &Observation, observer: usize) -> Vec<Shown> {
        let mut all = self.names_in(observation, observer);
        if self.equal_of_others.contains(&observation.n) {
            all.retain(|shown| shown.user == observer);
        }
        all
    }

    /// The same, be it what an earlier state was given or not.
    fn names_in(&self, observation: &Observation, observer: usize) -> Vec<Shown> {
        let what = &observation.what;
        let parts = [(what.headers(), true), (what.inbound(), false)];
        let mut all = Vec::new();
        for (raw, in_header) in parts {
            let bytes = raw.map_or(&[][..], Raw::bytes);
            for found in self.search.find_iter(bytes) {
                let Term { user, kind, .. } = self.terms[found.pattern().as_usize()];
                let counts = user == observer
                    || (self.counts(observation, observer, user, kind)
                        && !(kind == Kind::Name && self.is_shared(observation, observer, user)));
                if counts && stands_alone(bytes, found.start(), found.end()) {
                    all.push(Shown { user, kind, in_header });
                }
            }
        }
        all
    }

    /// The first observation that shows another's name beside what an earlier state was given, its
    /// observer, and whose name it is.
    pub(super) fn left(&self) -> Option<(u64, &'h UserName, &'h UserName)> {
        let history = self.case.history;
        let left = |observation: &&Observation| self.equal_of_others.contains(&observation.n);
        history.observations.iter().filter(left).find_map(|observation| {
            let observer = observation.by.as_ref()?;
            let own = self.case.place(observer)?;
            let mut shown = self.names_in(observation, own).into_iter();
            let user = shown.find(|shown| shown.user != own)?.user;
            Some((observation.n, observer, &history.plan.users[user].name))
        })
    }

    /// What each observation shows, with its observer and their place.
    fn all_shown(
        &self,
    ) -> impl Iterator<Item = (&'h Observation, &'h UserName, usize, Vec<Shown>)> {
        self.case.history.observations.iter().filter_map(|observation| {
            let observer = observation.by.as_ref()?;
            let own = self.case.place(observer)?;
            Some((observation, observer, own, self.shown(observation, own)))
        })
    }

    /// Whether a text that says who that user is would be the server's doing there.
    fn counts(&self, observation: &Observation, observer: usize, user: usize, kind: Kind) -> bool {
        let n = observation.n;
        let before = |at: Option<&u64>| at.is_some_and(|at| *at < n);
        let name = |place: usize| self.case.history.plan.users[place].name.as_str();
        let (own, other) = (name(observer), name(user));
        before(self.first.get(&user))
            && !before(self.sent.get(&(observer, user)))
            && !holds_word(own, other)
            && !holds_word(other, own)
            && !self.canaries.contains(&(n, user))
            && (kind == Kind::Credential || self.is_asked_for(observation, other))
    }

    /// Whether all that names that user there stands where the two may see each other's data.
    fn is_shared(&self, observation: &Observation, observer: usize, user: usize) -> bool {
        let history = self.case.history;
        let at = history.observations.binary_search_by_key(&observation.n, |seen| seen.n);
        let Some(at) = at.ok().filter(|_| self.case.has_sharing()) else { return false };
        let name = |place: usize| &history.plan.users[place].name;
        self.case.is_shared(at, (name(user), name(observer)), |bytes| {
            let found = self.search.find_iter(bytes);
            found.filter(|found| self.terms[found.pattern().as_usize()].user == user).count()
        })
    }

    /// Whether the observation answers its observer, and does not name that user in the place that
    /// messages have for it.
    fn is_asked_for(&self, observation: &Observation, other: &str) -> bool {
        let messages = &self.case.messages;
        let message = messages.binary_search_by_key(&observation.n, |message| message.n);
        let Ok(message) = message.map(|at| &messages[at]) else {
            return !matches!(observation.what, What::Received { .. });
        };
        self.case.user(message) != Some(other) && is_of_own_run(self.case, message)
    }
}

/// The observations, by number, that show an equal message of another state or campaign.
fn equal_of_others(case: &Case<'_>) -> BTreeSet<u64> {
    let key = &case.history.plan.campaign;
    if !key.is_of_later_state() {
        return BTreeSet::new();
    }
    let shows = |observation: &&Observation| {
        let parts = [observation.what.headers(), observation.what.inbound()];
        parts.into_iter().flatten().any(|raw| holds_equal_of_others(&raw.text(), key))
    };
    case.history.observations.iter().filter(shows).map(|observation| observation.n).collect()
}

/// Whether the message answers its observer, or one of their runs.
fn is_of_own_run(case: &Case<'_>, message: &Message<'_>) -> bool {
    match message.channel {
        Channel::HttpAnswer => true,
        Channel::Stream => message.asked_run.is_some(),
        Channel::Websocket => {
            case.facts(message).is_some_and(|facts| facts.user == Some(message.observer))
        }
    }
}

/// What says who each user is, as far as it is theirs alone.
fn terms(case: &Case<'_>) -> Vec<Term> {
    let users = &case.history.plan.users;
    let templates = credentials(&case.history.plan.protocol);
    let said_alone = |name: &UserName| {
        case.history.observations.iter().any(|seen| {
            matches!(seen.what.note(), Some(Note::SaidAlone { users }) if users.contains(name))
        })
    };
    let mut all: BTreeMap<String, Vec<Term>> = BTreeMap::new();
    for (user, name) in users.iter().map(|user| &user.name).enumerate() {
        let counts = is_searched(name) && !said_alone(name);
        let named = counts.then(|| (name.to_string(), Kind::Name));
        let value = |place: &str| (place == "user").then(|| name.to_string());
        let made = templates.iter().filter_map(|template| {
            let made = fill(template, &value, plain).ok()?;
            let token = made.split_whitespace().next_back()?;
            let is_more = token != name.as_str() && token.contains(name.as_str());
            (is_more && token.len() > SHORTEST).then(|| (token.to_owned(), Kind::Credential))
        });
        for (text, kind) in named.into_iter().chain(made) {
            for text in forms(&text) {
                let known = all.entry(text.clone()).or_default();
                if known.iter().all(|known| known.user != user) {
                    known.push(Term { text, user, kind });
                }
            }
        }
    }
    all.into_values().filter(|of| of.len() == 1).flatten().collect()
}

/// The templates of what users show with every request.
fn credentials(protocol: &Protocol) -> Vec<&String> {
    let Identity { headers, query, cookies, subprotocol } = &protocol.identity;
    let pairs = [headers, query, cookies].into_iter().flatten();
    pairs.map(|(_, template)| template).chain(subprotocol).collect()
}

/// Whether the word stands in that name, with nothing around it that would make it a longer one:
/// `user-1` in `user-1:thread-1`, not in `user-10`.
fn holds_word(name: &str, word: &str) -> bool {
    let (name, word) = (name.to_lowercase(), word.to_lowercase());
    name.match_indices(&word).any(|(at, _)| {
        let ends = |one: Option<char>| !one.is_some_and(char::is_alphanumeric);
        ends(name[..at].chars().next_back()) && ends(name[at + word.len()..].chars().next())
    })
}

/// Who is shown who another user is. Gives how many texts that name a user were looked at.
pub(super) fn judge(case: &Case<'_>, suspects: &mut Suspects) -> u64 {
    let Some(names) = ShownNames::of(case) else { return 0 };
    let users = &case.history.plan.users;
    let mut items = 0;
    for (observation, observer, own, shown) in names.all_shown() {
        items += shown.len() as u64;
        let how = shown_as(observation);
        let mut add = |victim: usize, what: String, evidence: String| {
            let victim = &users[victim].name;
            let evidence = vec![shows(observation.n, evidence)];
            suspects.add(crossing((victim, None), what, observer, how, evidence));
        };
        let of = |kind: Kind| {
            let others = shown.iter().filter(move |one| one.user != own && one.kind == kind);
            others.map(|one| (one.user, one.in_header)).collect::<BTreeMap<_, _>>()
        };
        let place = |in_header: bool| if in_header { "a header" } else { "a text" };
        for (victim, in_header) in of(Kind::Credential) {
            let evidence =
                format!("{observer} is shown what {} proves who they are by", users[victim].name);
            add(victim, format!("credential in {}", place(in_header)), evidence);
        }
        let named = of(Kind::Name);
        let is_list = named.len() >= FEWEST_LISTED && named.len() * 2 >= users.len() - 1;
        match named.first_key_value() {
            Some((first, _)) if is_list => {
                let evidence = format!("{observer} is shown the names of {} users", named.len());
                add(*first, "a list of users' names".into(), evidence);
            }
            _ => {
                for (victim, in_header) in named {
                    let evidence =
                        format!("{observer} is shown the name of {}", users[victim].name);
                    add(victim, format!("name in {}", place(in_header)), evidence);
                }
            }
        }
    }
    items
}

/// The users whose names others are shown as texts: each with one who is shown it.
pub fn names_shown(case: &Case<'_>) -> BTreeMap<UserName, UserName> {
    let Some(names) = ShownNames::of(case) else { return BTreeMap::new() };
    let users = &case.history.plan.users;
    let mut all = BTreeMap::new();
    for (_, observer, own, shown) in names.all_shown() {
        for shown in shown {
            if shown.user != own && shown.kind == Kind::Name {
                all.entry(users[shown.user].name.clone()).or_insert_with(|| observer.clone());
            }
        }
    }
    all
}

/// Which of these names stand in at least so many answers or messages of the history, whoever is there.
pub fn names_said(history: &History, names: &[UserName], least: usize) -> Vec<UserName> {
    let says = |name: &UserName| {
        let mut builder = AhoCorasickBuilder::new();
        let search = builder.ascii_case_insensitive(true).build(forms(name.as_str()));
        let Ok(search) = search else { return false };
        let says = |raw: Option<&Raw>| {
            let bytes = raw.map_or(&[][..], Raw::bytes);
            let mut found = search.find_iter(bytes);
            found.any(|found| stands_alone(bytes, found.start(), found.end()))
        };
        let observed = history.observations.iter().map(|seen| &seen.what);
        observed.filter(|what| says(what.inbound()) || says(what.headers())).count() >= least
    };
    names.iter().filter(|name| says(name)).cloned().collect()
}

/// What the control of this search plants.
#[derive(Clone, Debug)]
pub(super) struct Plant {
    at: usize,
    text: String,
    in_header: bool,
}

/// The ways in which a text of another user is planted.
pub(super) const PLANTS: [(&str, bool, bool); 4] = [
    ("another's name in a text", false, false),
    ("another's name in a header", false, true),
    ("another's credential in a text", true, false),
    ("another's credential in a header", true, true),
];

impl ShownNames<'_, '_> {
    /// The places where the other user whom `draw` picks would be shown to somebody who is shown
    /// nobody else so far.
    pub(super) fn plants(
        &self,
        credential: bool,
        in_header: bool,
        draw: usize,
    ) -> Vec<(UserName, UserName, Plant)> {
        let kind = if credential { Kind::Credential } else { Kind::Name };
        let terms: Vec<&Term> = self.terms.iter().filter(|term| term.kind == kind).collect();
        let users = &self.case.history.plan.users;
        let observations = self.case.history.observations.iter().enumerate();
        let candidate = |(at, observation): (usize, &Observation)| {
            let takes = match in_header {
                true => observation.what.headers().is_some(),
                false => matches!(observation.what, What::Answer { .. } | What::Received { .. }),
            };
            let observer = observation.by.as_ref().filter(|_| takes)?;
            let own = self.case.place(observer)?;
            if self.shown(observation, own).iter().any(|shown| shown.user != own) {
                return None;
            }
            // Looking a few ahead is enough to find one that counts, and stays linear.
            let from = draw.wrapping_add(at).checked_rem(terms.len())?;
            let mut ahead = terms[from..].iter().chain(&terms).take(8);
            let Term { text, user, .. } = ahead.find(|term| {
                let between = (&users[term.user].name, observer);
                term.user != own
                    && self.counts(observation, own, term.user, kind)
                    && !self.case.is_shared_pointer(at, between, "")
            })?;
            let plant = Plant { at, text: text.clone(), in_header };
            Some((users[*user].name.clone(), observer.clone(), plant))
        };
        observations.filter_map(candidate).collect()
    }
}

/// The history with that planted.
pub(super) fn planted(case: &Case<'_>, plant: Plant) -> Option<Vec<Edit>> {
    let Plant { at, text, in_header } = plant;
    let mut what = case.history.observations[at].what.clone();
    if in_header {
        if let What::Answer { headers, .. }
        | What::Connected { headers }
        | What::Refused { headers, .. } = &mut what
        {
            *headers = Raw::new([headers.bytes(), b"\nx-planted: ", text.as_bytes()].concat());
        }
    } else {
        let member = format!("\"planted\":{}", serde_json::Value::from(format!("hello {text}!")));
        let json = case.in_json(at, |json| super::edits::with_member(json, &member));
        let after = || [bytes(case.history, at), b" hello ", text.as_bytes()].concat();
        what = with_bytes(&what, json.unwrap_or_else(after));
    }
    Some(vec![Edit::Replace { at, what }])
}

#[cfg(test)]
mod tests;

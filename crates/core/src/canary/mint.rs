//! What a canary says, and how it is written and read.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use siphasher::sip128::SipHasher24;

use super::key::{CampaignKey, name_digest};

/// Length of a canary: the magic `pw10` and 32 base32 characters.
pub const CANARY_LEN: usize = 36;

/// A user who does not exist. The path control plants this user's canary in a real
/// user's prompt: if it comes back unseen, the canary oracle is blind there.
pub const PHANTOM_USER: u32 = 0xFF_FFFF;

/// How every canary starts: `pw1` is format version 1, the `0` makes the magic long
/// enough to be rare in text.
const MAGIC: [u8; 4] = *b"pw10";

/// Digits of base32, without the letters that are taken for others (i, l, o, u).
const ALPHABET: [u8; 32] = *b"0123456789abcdefghjkmnpqrstvwxyz";

/// Stands in [`DIGITS`] for a byte that is no digit.
const NO_DIGIT: u8 = 0xFF;

/// The value of each byte as a base32 digit, in either case.
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut value = 0;
    while value < ALPHABET.len() {
        let letter = ALPHABET[value];
        digits[letter as usize] = value as u8;
        digits[letter.to_ascii_uppercase() as usize] = value as u8;
        value += 1;
    }
    digits
};

/// Whether a canary may have that byte at that place. Lets decoders give up early on text
/// which has much that looks like a magic.
pub(super) fn fits(byte: u8, place: usize) -> bool {
    match MAGIC.get(place) {
        Some(magic) => byte.eq_ignore_ascii_case(magic),
        None => DIGITS[usize::from(byte)] != NO_DIGIT,
    }
}

/// Bytes of a token before its tag: campaign, user, run and field.
const CLAIM_LEN: usize = 10;

/// The same where the campaign has a nonce: user, campaign, round, field, run and name digest.
const NAMED_CLAIM_LEN: usize = 15;

/// Tells the claim of a campaign with a nonce from the shorter one: set in the byte of the field.
const NAMED: u8 = 0x80;

/// All bytes of a token.
const TOKEN_LEN: usize = 20;

/// The part of a user's data that a canary was planted in.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The text of a chat message.
    Prompt = 0,
    /// The user's settings, such as the system prompt or the model.
    Settings = 1,
    /// A document that an agent or a tool reads for the user.
    Document = 2,
    /// The user's display name.
    Name = 3,
}

impl Field {
    /// All fields, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Prompt, Self::Settings, Self::Document, Self::Name];

    /// The field with that number in a canary.
    pub fn from_u8(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// The name in scenarios, histories and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::Settings => "settings",
            Self::Document => "document",
            Self::Name => "name",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whose data a canary marks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Owner {
    /// The user's number in the plan, below 2²⁴.
    pub user: u32,
    /// The run's number among the user's runs.
    pub run: u16,
    /// Where the canary was planted.
    pub field: Field,
}

/// What a canary says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    /// Whose data it marks.
    pub(super) owner: Owner,
    /// The round that it was planted in.
    pub(super) round: u32,
    /// The campaign, by [`CampaignKey::campaign_stamp`].
    pub(super) campaign: u32,
    /// The owner, by [`name_digest`]; 0 where it is not said.
    pub(super) person: u32,
}

/// Writes and reads the canaries of one campaign.
#[derive(Clone, Debug)]
pub struct Mint {
    key: CampaignKey,
    tagger: SipHasher24,
    /// For the canaries of campaigns with a nonce, which all campaigns read.
    named_tagger: SipHasher24,
    campaign: u32,
    /// The nonce and seed of the campaign; 0 without a nonce.
    stamp: u32,
    round: u32,
    /// The digests of users' names by their index, where canaries hold them.
    people: Arc<BTreeMap<u32, u32>>,
}

impl Mint {
    /// The mint of the campaign with that key.
    pub fn new(key: CampaignKey) -> Self {
        Self {
            key,
            tagger: SipHasher24::new_with_key(&key.tag),
            named_tagger: SipHasher24::new_with_key(b"partywall canary"),
            campaign: key.campaign_id(),
            stamp: key.campaign_stamp(),
            round: key.round,
            people: Arc::default(),
        }
    }

    /// The same mint, which knows the users' names by their index: their canaries hold them where
    /// the campaign has a nonce.
    pub fn naming<'n>(mut self, users: impl IntoIterator<Item = (u32, &'n str)>) -> Self {
        if self.stamp > 0 {
            let digests = users.into_iter().map(|(index, name)| (index, name_digest(name)));
            self.people = Arc::new(digests.collect());
        }
        self
    }

    /// The key of the campaign and round that it mints for.
    pub fn key(&self) -> CampaignKey {
        self.key
    }

    /// Writes the canary of `owner`: always the same text for the same owner.
    ///
    /// # Panics
    ///
    /// If `owner.user` is 2²⁴ or more: a shortened number would accuse another user.
    pub fn mint(&self, owner: Owner) -> String {
        assert!(owner.user <= PHANTOM_USER, "user {} does not fit into a canary", owner.user);
        if self.stamp > 0 {
            return written(&self.named_token(owner));
        }
        let mut token = [0; TOKEN_LEN];
        token[..4].copy_from_slice(&(self.campaign ^ self.round).to_be_bytes());
        token[4..7].copy_from_slice(&owner.user.to_be_bytes()[1..]);
        token[7..9].copy_from_slice(&owner.run.to_be_bytes());
        token[9] = owner.field as u8;
        let tag = self.tagger.hash(&token[..CLAIM_LEN]).as_bytes();
        token[CLAIM_LEN..].copy_from_slice(&tag[..TOKEN_LEN - CLAIM_LEN]);
        written(&token)
    }

    fn named_token(&self, owner: Owner) -> [u8; TOKEN_LEN] {
        let person = self.people.get(&owner.user).copied().unwrap_or_default();
        let mut token = [0; TOKEN_LEN];
        // Of one that is cut short, twelve characters tell whose it is.
        token[..3].copy_from_slice(&owner.user.to_be_bytes()[1..]);
        token[3..6].copy_from_slice(&self.stamp.to_be_bytes()[1..]);
        token[6..9].copy_from_slice(&self.round.to_be_bytes()[1..]);
        token[9] = owner.field as u8 | NAMED;
        token[10..12].copy_from_slice(&owner.run.to_be_bytes());
        token[12..15].copy_from_slice(&person.to_be_bytes()[1..]);
        let tag = self.named_tagger.hash(&token[..NAMED_CLAIM_LEN]).as_bytes();
        token[NAMED_CLAIM_LEN..].copy_from_slice(&tag[..TOKEN_LEN - NAMED_CLAIM_LEN]);
        token
    }

    /// Whose canary this whole text is, in any case of its letters. `None` if it is
    /// none, of another campaign or round, or its tag is wrong.
    pub fn read(&self, text: &str) -> Option<Owner> {
        let claim = self.read_bytes(text.as_bytes().try_into().ok()?)?;
        (claim.round == self.round && claim.campaign == self.stamp).then_some(claim.owner)
    }

    /// What the canary says, for text that was just decoded.
    pub(super) fn read_bytes(&self, text: &[u8; CANARY_LEN]) -> Option<Claim> {
        let (magic, digits) = text.split_at(MAGIC.len());
        if !magic.eq_ignore_ascii_case(&MAGIC) {
            return None;
        }
        let mut token = [0; TOKEN_LEN];
        for (bytes, digits) in token.chunks_exact_mut(5).zip(digits.chunks_exact(8)) {
            let mut bits = 0_u64;
            for &digit in digits {
                let value = DIGITS[usize::from(digit)];
                if value == NO_DIGIT {
                    return None;
                }
                bits = bits << 5 | u64::from(value);
            }
            bytes.copy_from_slice(&bits.to_be_bytes()[3..]);
        }
        self.verify(&token)
    }

    fn verify(&self, token: &[u8; TOKEN_LEN]) -> Option<Claim> {
        if token[9] & NAMED != 0 {
            return self.verify_named(token);
        }
        let field = Field::from_u8(token[9])?;
        let tag = self.tagger.hash(&token[..CLAIM_LEN]).as_bytes();
        if token[CLAIM_LEN..] != tag[..TOKEN_LEN - CLAIM_LEN] {
            return None;
        }
        let user = u32::from_be_bytes([0, token[4], token[5], token[6]]);
        let owner = Owner { user, run: u16::from_be_bytes([token[7], token[8]]), field };
        let campaign = u32::from_be_bytes([token[0], token[1], token[2], token[3]]);
        Some(Claim { owner, round: campaign ^ self.campaign, campaign: 0, person: 0 })
    }

    fn verify_named(&self, token: &[u8; TOKEN_LEN]) -> Option<Claim> {
        let field = Field::from_u8(token[9] & !NAMED)?;
        let tag = self.named_tagger.hash(&token[..NAMED_CLAIM_LEN]).as_bytes();
        if token[NAMED_CLAIM_LEN..] != tag[..TOKEN_LEN - NAMED_CLAIM_LEN] {
            return None;
        }
        let three = |at: usize| u32::from_be_bytes([0, token[at], token[at + 1], token[at + 2]]);
        let run = u16::from_be_bytes([token[10], token[11]]);
        let owner = Owner { user: three(0), run, field };
        Some(Claim { owner, round: three(6), campaign: three(3), person: three(12) })
    }
}

/// The token in digits, after the magic.
fn written(token: &[u8; TOKEN_LEN]) -> String {
    let mut canary = String::with_capacity(CANARY_LEN);
    canary.extend(MAGIC.map(char::from));
    for group in token.chunks_exact(5) {
        let bits = group.iter().fold(0_u64, |bits, &byte| bits << 8 | u64::from(byte));
        let digits = (0..8).rev().map(|place| ALPHABET[(bits >> (5 * place)) as usize & 31]);
        canary.extend(digits.map(char::from));
    }
    canary
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: Owner = Owner { user: 3, run: 2, field: Field::Settings };

    #[test]
    fn a_canary_with_a_nonce_tells_every_campaign_whose_it_is() {
        let key = CampaignKey::from_seed(7).in_round(4).with_nonce(9);
        let mint = Mint::new(key).naming([(3, "carol")]);
        let canary = mint.mint(OWNER);
        assert_eq!(canary.len(), CANARY_LEN);
        assert_eq!(mint.read(&canary.to_uppercase()), Some(OWNER));
        let text = canary.as_bytes().try_into().expect("a canary's length");
        for other in [CampaignKey::from_seed(7), CampaignKey::from_seed(1).with_nonce(9)] {
            assert_eq!(Mint::new(other).read(&canary), None, "it is of another campaign");
            let claim = Mint::new(other).read_bytes(text).expect("a canary");
            assert_eq!((claim.owner, claim.round), (OWNER, 4));
            assert_eq!(claim.person, name_digest("carol"));
            assert_ne!(claim.campaign, other.campaign_stamp());
        }
        let mut other = canary.into_bytes();
        other[35] = if other[35] == b'0' { b'1' } else { b'0' };
        assert_eq!(mint.read(&String::from_utf8(other).expect("ASCII")), None);
    }
}

//! What a canary says, and how it is written and read.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use siphasher::sip128::SipHasher24;

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

/// All bytes of a token.
const TOKEN_LEN: usize = 20;

/// The key of one campaign: all its canaries are tagged with it, and only those count.
///
/// It is no secret from whoever runs the campaign. It only has to be unknown to the
/// backend under test, and to differ between campaigns that share a backend. Trials that share a
/// backend are told apart by the key's round: what an account said in an earlier one is still its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CampaignKey {
    tag: [u8; 16],
    round: u32,
}

impl CampaignKey {
    /// Derives a key: equal seeds give equal keys.
    pub fn from_seed(seed: u64) -> Self {
        let derivation = SipHasher24::new_with_key(b"partywall canary");
        Self { tag: derivation.hash(&seed.to_le_bytes()).as_bytes(), round: 0 }
    }

    /// The same campaign's key for the trial of that number on one backend.
    pub fn in_round(self, round: u32) -> Self {
        Self { round, ..self }
    }

    /// A tag of something else than a canary, which nobody makes without the key.
    pub fn seal(self, what: &str, number: usize) -> u64 {
        // Longer than a claim and than the text above, so that it never is one of them.
        let text = format!("seal of {what} {number}");
        SipHasher24::new_with_key(&self.tag).hash(text.as_bytes()).h1
    }

    /// The number of the trial on one backend; 0 where each trial has a backend of its own.
    pub fn round(&self) -> u32 {
        self.round
    }

    /// What canaries carry of their campaign. It tells nothing about the key's tags.
    pub fn campaign_id(&self) -> u32 {
        // Claims are 10 bytes long, so this text never is one.
        let digest = SipHasher24::new_with_key(&self.tag).hash(b"campaign id").as_bytes();
        u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
    }
}

impl fmt::Display for CampaignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tag.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        if self.round > 0 { write!(f, "@{}", self.round) } else { Ok(()) }
    }
}

impl From<CampaignKey> for String {
    fn from(key: CampaignKey) -> Self {
        key.to_string()
    }
}

/// A text that is not a [`CampaignKey`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ParseKeyError;

impl fmt::Display for ParseKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a campaign key is 32 hexadecimal digits, and `@` and a number for a later round",
        )
    }
}

impl std::error::Error for ParseKeyError {}

impl FromStr for CampaignKey {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<Self, ParseKeyError> {
        let (tag, round) = text.split_once('@').map_or((text, None), |(tag, n)| (tag, Some(n)));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        // `from_str_radix` and `parse` alone would take a sign too.
        if tag.len() != 32 || !digits(tag) || !round.is_none_or(digits) {
            return Err(ParseKeyError);
        }
        let number = u128::from_str_radix(tag, 16).map_err(|_| ParseKeyError)?;
        let round = round.map_or(Ok(0), str::parse).map_err(|_| ParseKeyError)?;
        Ok(Self { tag: number.to_be_bytes(), round })
    }
}

impl TryFrom<String> for CampaignKey {
    type Error = ParseKeyError;

    fn try_from(text: String) -> Result<Self, ParseKeyError> {
        text.parse()
    }
}

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

/// Writes and reads the canaries of one campaign.
#[derive(Clone, Debug)]
pub struct Mint {
    tagger: SipHasher24,
    campaign: u32,
    round: u32,
}

impl Mint {
    /// The mint of the campaign with that key.
    pub fn new(key: CampaignKey) -> Self {
        Self {
            tagger: SipHasher24::new_with_key(&key.tag),
            campaign: key.campaign_id(),
            round: key.round,
        }
    }

    /// Writes the canary of `owner`: always the same text for the same owner.
    ///
    /// # Panics
    ///
    /// If `owner.user` is 2²⁴ or more: a shortened number would accuse another user.
    pub fn mint(&self, owner: Owner) -> String {
        assert!(owner.user <= PHANTOM_USER, "user {} does not fit into a canary", owner.user);
        let mut token = [0; TOKEN_LEN];
        token[..4].copy_from_slice(&(self.campaign ^ self.round).to_be_bytes());
        token[4..7].copy_from_slice(&owner.user.to_be_bytes()[1..]);
        token[7..9].copy_from_slice(&owner.run.to_be_bytes());
        token[9] = owner.field as u8;
        let tag = self.tagger.hash(&token[..CLAIM_LEN]).as_bytes();
        token[CLAIM_LEN..].copy_from_slice(&tag[..TOKEN_LEN - CLAIM_LEN]);

        let mut canary = String::with_capacity(CANARY_LEN);
        canary.extend(MAGIC.map(char::from));
        for group in token.chunks_exact(5) {
            let bits = group.iter().fold(0_u64, |bits, &byte| bits << 8 | u64::from(byte));
            let digits = (0..8).rev().map(|place| ALPHABET[(bits >> (5 * place)) as usize & 31]);
            canary.extend(digits.map(char::from));
        }
        canary
    }

    /// Whose canary this whole text is, in any case of its letters. `None` if it is
    /// none, of another campaign or round, or its tag is wrong.
    pub fn read(&self, text: &str) -> Option<Owner> {
        let (owner, round) = self.read_bytes(text.as_bytes().try_into().ok()?)?;
        (round == self.round).then_some(owner)
    }

    /// The canary's owner and round, for text that was just decoded.
    pub(super) fn read_bytes(&self, text: &[u8; CANARY_LEN]) -> Option<(Owner, u32)> {
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

    fn verify(&self, token: &[u8; TOKEN_LEN]) -> Option<(Owner, u32)> {
        let field = Field::from_u8(token[9])?;
        let tag = self.tagger.hash(&token[..CLAIM_LEN]).as_bytes();
        if token[CLAIM_LEN..] != tag[..TOKEN_LEN - CLAIM_LEN] {
            return None;
        }
        let user = u32::from_be_bytes([0, token[4], token[5], token[6]]);
        let owner = Owner { user, run: u16::from_be_bytes([token[7], token[8]]), field };
        let campaign = u32::from_be_bytes([token[0], token[1], token[2], token[3]]);
        Some((owner, campaign ^ self.campaign))
    }
}

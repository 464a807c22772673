//! Canaries: every one is found, nothing else is, and their format stays as it is.

use partywall::trial::canary::{
    CANARY_LEN, CampaignKey, Encoding, Field, Mint, Owner, PHANTOM_USER, Scanner, Sighting, Stream,
};
use proptest::collection::vec;
use proptest::prelude::*;

#[path = "canary/found.rs"]
mod found;
#[path = "canary/judge.rs"]
mod judge;
#[path = "canary/not_found.rs"]
mod not_found;

/// What may have happened to the letters of a canary before it was encoded.
const LETTERS: [Encoding; 3] = [Encoding::Plain, Encoding::UpperCase, Encoding::MixedCase];

fn any_owner() -> impl Strategy<Value = Owner> + Clone {
    let field = prop::sample::select(Field::ALL.to_vec());
    let user = prop_oneof![0..=PHANTOM_USER, 0..20_u32, Just(PHANTOM_USER)];
    (user, any::<u16>(), field).prop_map(|(user, run, field)| Owner { user, run, field })
}

/// Sizes of chunks: many small ones, and some longer than any encoded canary.
fn any_sizes() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![0..4_usize, 1..60_usize, 300..700_usize], 0..6).prop_map(|mut sizes| {
        // So that the text comes to an end.
        sizes.push(9);
        sizes
    })
}

fn canary(key: CampaignKey, owner: Owner) -> String {
    Mint::new(key).mint(owner)
}

fn owners(sightings: &[Sighting]) -> Vec<Owner> {
    sightings.iter().map(|sighting| sighting.owner).collect()
}

/// What a stream reports for `text` in chunks of these sizes, over and over. Each
/// canary must come with the chunk that completes it.
fn fed(scanner: &Scanner, text: &[u8], sizes: &[usize]) -> Vec<Sighting> {
    let mut stream = Stream::new(scanner.clone());
    let mut sightings = Vec::new();
    let mut at = 0_usize;
    for size in sizes.iter().cycle() {
        let end = at.saturating_add(*size).min(text.len());
        let new = stream.feed(&text[at..end]);
        let completed = at as u64 + 1..=end as u64;
        assert!(new.iter().all(|sighting| completed.contains(&sighting.end)), "{new:?} at {at}");
        sightings.extend(new);
        at = end;
        if at == text.len() {
            break;
        }
    }
    sightings
}

proptest! {
    #[test]
    fn a_canary_reads_back_in_any_case(seed: u64, owner in any_owner()) {
        let mint = Mint::new(CampaignKey::from_seed(seed));
        let canary = mint.mint(owner);
        prop_assert_eq!(canary.len(), CANARY_LEN);
        prop_assert!(canary.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase()));
        for letters in LETTERS {
            prop_assert_eq!(mint.read(&letters.encode(&canary)), Some(owner));
        }
        prop_assert_eq!(Mint::new(CampaignKey::from_seed(seed ^ 1)).read(&canary), None);
    }
}

/// Canaries are in regression files: what was minted once must be read for ever.
#[test]
fn the_format_is_pinned() {
    let key = CampaignKey::from_seed(7);
    let owner = Owner { user: 0x0A_0B0C, run: 0x0D0E, field: Field::Name };
    assert_eq!(key.to_string(), "b78a80755c083d4daac883d78bc672cc");
    assert_eq!(canary(key, owner), "pw106r6r0n8a1c60t3g3hgkqfbb49tt05ks8");

    // Taken apart by other means than the library's.
    let digits = "0123456789abcdefghjkmnpqrstvwxyz";
    let bits: String = canary(key, owner)[4..]
        .chars()
        .map(|digit| format!("{:05b}", digits.find(digit).unwrap()))
        .collect();
    let number = |range: std::ops::Range<usize>| u64::from_str_radix(&bits[range], 2).unwrap();
    assert_eq!(bits.len(), 160);
    assert_eq!(number(0..32), u64::from(key.campaign_id()));
    assert_eq!(number(32..56), 0x0A_0B0C);
    assert_eq!(number(56..72), 0x0D0E);
    assert_eq!(number(72..80), 3);
}

#[test]
fn keys_are_text_in_files() {
    let key = CampaignKey::from_seed(7);
    let json = serde_json::to_string(&key).unwrap();
    assert_eq!(json, format!("\"{key}\""));
    assert_eq!(json.len(), 34);
    assert_eq!(serde_json::from_str::<CampaignKey>(&json).unwrap(), key);
    for wrong in ["", "00", "+0000000000000000000000000000000", "0000000000000000000000000000000g"]
    {
        assert!(wrong.parse::<CampaignKey>().is_err(), "{wrong}");
    }
    assert_ne!(CampaignKey::from_seed(0), CampaignKey::from_seed(1));
}

/// One key, many rounds: each sees the others' canaries, and takes none of them for its own.
#[test]
fn rounds_are_told_apart_and_seen_by_each_other() {
    let key = CampaignKey::from_seed(7);
    let (one, other) = (key.in_round(1), key.in_round(4_000_000_000));
    let owner = Owner { user: 3, run: 2, field: Field::Prompt };
    let minted = canary(other, owner);
    assert_eq!(Mint::new(other).read(&minted), Some(owner));
    assert_eq!((Mint::new(one).read(&minted), Mint::new(key).read(&minted)), (None, None));
    for scanner in [one, other, key].map(Scanner::new) {
        let [sighting] = scanner.scan(minted.as_bytes())[..] else { panic!("one is there") };
        assert_eq!((sighting.owner, sighting.round), (owner, 4_000_000_000));
    }
    for key in [key, one, other] {
        assert_eq!(key.to_string().parse(), Ok(key));
    }
    for wrong in ["", "+1", "-1", "x", "4294967296", "1@2"] {
        assert!(format!("{key}@{wrong}").parse::<CampaignKey>().is_err(), "{wrong}");
    }
}

#[test]
fn fields_and_encodings_are_names_in_files() {
    for (number, field) in Field::ALL.into_iter().enumerate() {
        assert_eq!(Field::from_u8(number as u8), Some(field));
        assert_eq!(field as usize, number);
        assert_eq!(field.to_string(), field.as_str());
        assert_eq!(serde_json::to_value(field).unwrap(), field.as_str());
    }
    assert_eq!(Field::from_u8(Field::ALL.len() as u8), None);
    for encoding in Encoding::all() {
        let json = serde_json::to_string(&encoding).unwrap();
        assert_eq!(serde_json::from_str::<Encoding>(&json).unwrap(), encoding);
    }
    let shown: Vec<_> = Encoding::all().iter().map(ToString::to_string).collect();
    assert_eq!(shown[..3], ["plain", "upper case", "mixed case"]);
    assert_eq!(shown[3..7], ["%XX (lower)", "%XX (upper)", r"\uXXXX (lower)", r"\uXXXX (upper)"]);
    assert_eq!(shown[7], "base64 (standard, not padded, alignment 0)");
    assert_eq!(shown[18], "base64 (URL, padded, alignment 2)");
}

#[test]
#[should_panic(expected = "does not fit")]
fn a_user_that_does_not_fit_is_not_shortened_to_another() {
    let owner = Owner { user: PHANTOM_USER + 1, run: 0, field: Field::Prompt };
    canary(CampaignKey::from_seed(1), owner);
}

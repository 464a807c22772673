//! Nothing else is taken for a canary.

use std::collections::BTreeSet;

use partywall::trial::canary::{CampaignKey, Encoding, Field, Mint, Owner, Scanner, Stream};
use proptest::collection::vec;
use proptest::prelude::*;

use super::judge::brute_force;
use super::{LETTERS, any_owner, any_sizes, canary, fed, owners};

const KEY_SEED: u64 = 21;
const OWNER: Owner = Owner { user: 77, run: 3, field: Field::Settings };
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

fn assert_nothing(scanner: &Scanner, text: &str, what: &str) {
    for encoding in Encoding::all() {
        for text in [encoding.encode(text), encoding.encode_in_json(text)] {
            assert_eq!(scanner.scan(text.as_bytes()), [], "{what}, {encoding}: {text}");
            assert_eq!(fed(scanner, text.as_bytes(), &[1]), [], "{what}, {encoding}: {text}");
        }
    }
}

#[test]
fn any_other_character_at_any_place() {
    let key = CampaignKey::from_seed(KEY_SEED);
    let (scanner, mint) = (Scanner::new(key), Mint::new(key));
    let canary = canary(key, OWNER);
    for place in 0..canary.len() {
        for other in
            (0..=255_u8).filter(|other| !other.eq_ignore_ascii_case(&canary.as_bytes()[place]))
        {
            let mut wrong = canary.clone().into_bytes();
            wrong[place] = other;
            assert_eq!(scanner.scan(&wrong), [], "byte {other} at {place}");
            let Ok(wrong) = String::from_utf8(wrong) else { continue };
            assert_eq!(mint.read(&wrong), None, "{wrong}");
            if DIGITS.contains(&other) {
                assert_nothing(&scanner, &wrong, "wrong character");
            }
        }
    }
}

#[test]
fn any_change_of_an_encoded_byte_says_the_same_or_nothing() {
    let key = CampaignKey::from_seed(KEY_SEED);
    let scanner = Scanner::new(key);
    for encoding in Encoding::all() {
        let mut text = encoding.encode(&canary(key, OWNER)).into_bytes();
        for place in 0..text.len() {
            let right = text[place];
            for other in 0..=255 {
                text[place] = other;
                let seen: BTreeSet<_> = owners(&scanner.scan(&text)).into_iter().collect();
                assert!(seen.iter().all(|&owner| owner == OWNER), "{encoding}: {other} at {place}");
            }
            text[place] = right;
        }
    }
}

#[test]
fn any_other_length() {
    let key = CampaignKey::from_seed(KEY_SEED);
    let (scanner, mint) = (Scanner::new(key), Mint::new(key));
    let canary = canary(key, OWNER);
    for length in 0..canary.len() {
        for cut in [&canary[..length], &canary[canary.len() - length..]] {
            assert_nothing(&scanner, cut, "cut");
            assert_eq!(mint.read(cut), None);
            // One place missing, two parts with something between.
            assert_nothing(
                &scanner,
                &format!("{}{}", &canary[..length], &canary[length + 1..]),
                "hole",
            );
        }
        if length > 0 {
            assert_nothing(
                &scanner,
                &format!("{}-{}", &canary[..length], &canary[length..]),
                "apart",
            );
        }
    }
    assert_eq!(mint.read(&canary), Some(OWNER));
    assert_eq!(mint.read(&format!("{canary}0")), None);
    assert_eq!(mint.read(&format!(" {canary}")), None);
}

#[test]
fn any_other_campaign_magic_or_field() {
    let key = CampaignKey::from_seed(KEY_SEED);
    let scanner = Scanner::new(key);
    for seed in (0..500).filter(|&seed| seed != KEY_SEED) {
        assert_nothing(&scanner, &canary(CampaignKey::from_seed(seed), OWNER), "other campaign");
    }
    let canary = canary(key, OWNER);
    for magic in ["pw11", "pw20", "qw10", "px10", "PW1O", "pw1o", "0000"] {
        assert_nothing(&scanner, &format!("{magic}{}", &canary[4..]), "other magic");
    }
    // The claim of one owner with the tag of another.
    let other = super::canary(key, Owner { run: 4, ..OWNER });
    assert_nothing(&scanner, &format!("{}{}", &canary[..20], &other[20..]), "other's tag");
}

#[test]
fn right_up_to_the_tag() {
    let key = CampaignKey::from_seed(KEY_SEED);
    let mut rng = fastrand::Rng::with_seed(22);
    let claim = &canary(key, OWNER)[..20];
    let mut text = String::new();
    for _ in 0..20_000 {
        text += claim;
        text.extend((0..16).map(|_| char::from(*rng.choice(DIGITS).unwrap())));
    }
    let scanner = Scanner::new(key);
    assert_eq!(scanner.scan(text.as_bytes()), []);
    for encoding in Encoding::all() {
        assert_eq!(scanner.scan(encoding.encode(&text).as_bytes()), [], "{encoding}");
    }
}

#[test]
fn nothing_in_100_mb_of_random_bytes_and_all_that_was_planted_there() {
    let key = CampaignKey::from_seed(KEY_SEED);
    let mut stream = Stream::new(Scanner::new(key));
    let mut rng = fastrand::Rng::with_seed(23);
    let mut chunk = vec![0; 1_000_000];
    let mut before = 0;
    for number in 0..100_u64 {
        rng.fill(&mut chunk);
        assert_eq!(stream.feed(&chunk), [], "chunk {number}");
        // That the stream can see at all where it is.
        before += chunk.len() as u64;
        let sightings = stream.feed(canary(key, OWNER).as_bytes());
        assert_eq!(owners(&sightings), [OWNER]);
        assert_eq!(sightings[0].start, before);
        before = sightings[0].end;
    }
}

#[test]
fn nothing_in_text_that_looks_like_canaries() {
    let mut stream = Stream::new(Scanner::new(CampaignKey::from_seed(KEY_SEED)));
    let mut rng = fastrand::Rng::with_seed(24);
    for alphabet in [
        &b"pw10PW"[..],
        b"cHUFxMBDTA3Xw",
        br"\u0075%3170",
        b"0357",
        b"&#x1205789;",
        b"pw10\0",
        b"=pw10\r\n",
        DIGITS,
    ] {
        let text: Vec<u8> = (0..500_000).map(|_| *rng.choice(alphabet).unwrap()).collect();
        assert_eq!(stream.feed(&text), []);
    }
    let parts = ["pw10", "PW10pw1", "cHcxM", "B3MTA", r"\u0070", r"\\u0070\\", "%70%77%31%30"];
    let others =
        ["70773130", "OB3TCM", "Y0hjeE1", "&#112;", "p\0w\x001\0", "pw10\n", r"p\nw10", "="];
    for part in parts.into_iter().chain(others) {
        // Quadratic work would take hours for this.
        for size in [1, 4096] {
            let text = part.repeat(60_000 / part.len());
            text.as_bytes().chunks(size).for_each(|chunk| assert_eq!(stream.feed(chunk), []));
        }
    }
}

/// Something that a stream may be made of.
fn any_piece() -> impl Strategy<Value = Vec<u8>> {
    let encoded = (0..2_u64, any_owner(), 0..3_usize, 0..Encoding::all().len(), any::<bool>())
        .prop_map(|(other, owner, letters, encoding, json)| {
            let canary =
                LETTERS[letters].encode(&canary(CampaignKey::from_seed(KEY_SEED + other), owner));
            let encoding = Encoding::all()[encoding];
            if json { encoding.encode_in_json(&canary) } else { encoding.encode(&canary) }
                .into_bytes()
        });
    let cut = (encoded.clone(), any::<prop::sample::Index>())
        .prop_map(|(text, length)| text[..length.index(text.len())].to_vec());
    let changed = (encoded.clone(), any::<prop::sample::Index>(), any::<u8>()).prop_map(
        |(mut text, place, byte)| {
            let place = place.index(text.len());
            text[place] = byte;
            text
        },
    );
    let crumb = prop::sample::select(vec![
        "pw10",
        "PW1",
        "p",
        "%70%77%31%30",
        "%7",
        r"\u0070\",
        r"\\u0070\\u0077",
        r"\",
        "cHcxM",
        "UFcx",
        "B3MT",
        "wdzEw",
        "A",
        "=",
        "/",
        "\n",
        "=\r\n",
        r"\n",
        "70773130",
        "OB3TCM",
        "p\0w",
        "\0",
        "&#112;",
        "&",
    ]);
    prop_oneof![
        4 => encoded,
        2 => cut,
        2 => changed,
        2 => crumb.prop_map(|crumb| crumb.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..40),
    ]
}

proptest! {
    #[test]
    fn scan_stream_and_brute_force_agree(pieces in vec(any_piece(), 0..14), sizes in any_sizes()) {
        let text = pieces.concat();
        let key = CampaignKey::from_seed(KEY_SEED);
        let scanner = Scanner::new(key);
        let sightings = scanner.scan(&text);
        prop_assert_eq!(&sightings, &brute_force(key, &text));
        prop_assert_eq!(&fed(&scanner, &text, &sizes), &sightings);
        prop_assert_eq!(&fed(&scanner, &text, &[1]), &sightings);
    }
}

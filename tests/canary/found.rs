//! Every canary is found, in every encoding and every split.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use partywall::trial::canary::{Alignment, CampaignKey, Encoding, Form, HexCase, Owner, Scanner};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{LETTERS, any_owner, any_sizes, canary, fed, owners};

fn form(encoding: Encoding) -> Form {
    match encoding {
        Encoding::Plain | Encoding::UpperCase | Encoding::MixedCase | Encoding::SoftLines => {
            Form::Plain
        }
        Encoding::Percent { .. } => Form::Percent,
        Encoding::UnicodeEscape { .. } => Form::UnicodeEscape,
        Encoding::Base64 { .. } | Encoding::Base64InLines { .. } => Form::Base64,
        Encoding::Base64Twice { .. } => Form::Base64Twice,
        Encoding::Base32 { .. } => Form::Base32,
        Encoding::Hex { .. } => Form::Hex,
        Encoding::Entity { .. } => Form::Entity,
        Encoding::Utf16 { .. } => Form::Utf16,
    }
}

/// In a JSON string, its zeros are escapes: there it is found once that is read as JSON.
fn is_seen_in_json(encoding: Encoding) -> bool {
    !matches!(encoding, Encoding::Utf16 { .. })
}

/// One canary in `text`, and nothing else: by a scan, and by a stream of such chunks.
fn assert_found(owner: Owner, key: CampaignKey, text: &[u8], sizes: &[usize]) {
    let scanner = Scanner::new(key);
    let shown = String::from_utf8_lossy(text);
    let sightings = scanner.scan(text);
    assert_eq!(owners(&sightings), [owner], "in {shown}");
    assert_eq!(fed(&scanner, text, sizes), sightings, "in {shown} by {sizes:?}");
}

proptest! {
    #[test]
    fn in_every_encoding_and_json(
        seed: u64,
        owner in any_owner(),
        before in vec(any::<u8>(), 0..80),
        after in vec(any::<u8>(), 0..80),
        sizes in any_sizes(),
    ) {
        let key = CampaignKey::from_seed(seed);
        for letters in LETTERS {
            let canary = letters.encode(&canary(key, owner));
            for encoding in Encoding::all() {
                let json = encoding.encode_in_json(&canary);
                let json = is_seen_in_json(encoding).then_some(json);
                for encoded in json.into_iter().chain([encoding.encode(&canary)]) {
                    let text = [&before, encoded.as_bytes(), &after].concat();
                    assert_found(owner, key, &text, &sizes);
                    let sighting = Scanner::new(key).scan(&text)[0];
                    prop_assert_eq!(sighting.form, form(encoding));
                    prop_assert!(sighting.start as usize >= before.len());
                    prop_assert!(sighting.end as usize <= before.len() + encoded.len());
                }
            }
        }
    }

    #[test]
    fn in_base64_between_any_bytes(
        seed: u64,
        owner in any_owner(),
        before in vec(any::<u8>(), 0..50),
        after in vec(any::<u8>(), 0..50),
        sizes in any_sizes(),
    ) {
        let key = CampaignKey::from_seed(seed);
        for letters in LETTERS {
            let canary = letters.encode(&canary(key, owner));
            let data = [&before, canary.as_bytes(), &after].concat();
            for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
                let text = engine.encode(&data);
                assert_found(owner, key, text.as_bytes(), &sizes);
                // As some JSON writers and all forms escape it.
                assert_found(owner, key, text.replace('/', r"\/").as_bytes(), &sizes);
                let form = text.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D");
                assert_found(owner, key, form.as_bytes(), &sizes);
            }
        }
    }

    #[test]
    fn in_a_whole_encoded_json_document(
        seed: u64,
        owner in any_owner(),
        name in "[^\0-\x1f]{0,9}",
        sizes in any_sizes(),
    ) {
        let key = CampaignKey::from_seed(seed);
        let canary = canary(key, owner);
        let document = serde_json::json!({ "a": name, "prompt": [canary, 1], "z": name }).to_string();
        for encoding in Encoding::all() {
            let text = encoding.encode(&document);
            assert_found(owner, key, text.as_bytes(), &sizes);
            if !is_seen_in_json(encoding) {
                continue;
            }
            // And that as a string of a document, which is one of an event.
            let message = serde_json::json!({ "arguments": text }).to_string();
            assert_found(owner, key, message.as_bytes(), &sizes);
            let event = serde_json::json!({ "data": message }).to_string();
            assert_found(owner, key, event.as_bytes(), &sizes);
        }
    }
}

#[test]
fn at_every_split_by_the_chunk_that_completes_it() {
    let key = CampaignKey::from_seed(3);
    let owner = Owner { user: 9, run: 1, field: super::Field::Name };
    let scanner = Scanner::new(key);
    for encoding in Encoding::all() {
        let json = encoding.encode_in_json(&canary(key, owner));
        let json = is_seen_in_json(encoding).then_some(json);
        for text in json.into_iter().chain([encoding.encode(&canary(key, owner))]) {
            // After the start of another one, so that the seam has more than one candidate.
            let text = [&b"pw10 cHcxM \\u0070\\u00 "[..], text.as_bytes(), b"-"].concat();
            let whole = scanner.scan(&text);
            assert_eq!(owners(&whole), [owner]);
            for first in 1..text.len() {
                for second in [1, 2, 35, usize::MAX] {
                    assert_eq!(
                        fed(&scanner, &text, &[first, second]),
                        whole,
                        "{encoding}: {first}"
                    );
                }
                assert_eq!(fed(&scanner, &text, &[first]), whole, "{encoding}: all {first}");
            }
        }
    }
}

/// The last character of base64 has bits of the byte after the canary. If they make it one
/// that the alphabets spell differently, it may be escaped too: rare, so not left to luck.
#[test]
fn in_base64_before_any_byte() {
    let key = CampaignKey::from_seed(9);
    let scanner = Scanner::new(key);
    let mut differently = 0;
    for user in 0..12 {
        let owner = Owner { user, run: 0, field: super::Field::Prompt };
        let canary = canary(key, owner);
        for (before, after) in (0..3).flat_map(|before| (0..=255).map(move |byte| (before, byte))) {
            let data = [&b"xxx"[..before], canary.as_bytes(), &[after]].concat();
            let [standard, url] = [STANDARD_NO_PAD.encode(&data), URL_SAFE_NO_PAD.encode(&data)];
            differently += usize::from(standard != url);
            let json = standard.replace('/', r"\/");
            let form = standard.replace('/', "%2F").replace('+', "%2b");
            for text in [standard, url, json, form] {
                assert_eq!(owners(&scanner.scan(text.as_bytes())), [owner], "{text}");
            }
        }
    }
    assert!(differently > 0);
}

#[test]
fn one_after_the_other_without_a_gap() {
    let key = CampaignKey::from_seed(4);
    let all: Vec<_> =
        (0..200).map(|user| Owner { user, run: 0, field: super::Field::Document }).collect();
    let text: String = all.iter().map(|&owner| canary(key, owner)).collect();
    let scanner = Scanner::new(key);
    for encoding in Encoding::all() {
        let text = encoding.encode(&text);
        let sightings = scanner.scan(text.as_bytes());
        assert_eq!(owners(&sightings), all, "{encoding}");
        for size in [1, 7, 320, 321, 322, 1000, 5000] {
            assert_eq!(fed(&scanner, text.as_bytes(), &[size]), sightings, "{encoding} by {size}");
        }
    }
}

#[test]
fn a_json_reader_gets_the_encoded_canary_back() {
    let canary =
        canary(CampaignKey::from_seed(5), Owner { user: 1, run: 2, field: super::Field::Name });
    for encoding in Encoding::all() {
        let json: serde_json::Value =
            serde_json::from_str(&encoding.encode_in_json(&canary)).unwrap();
        assert_eq!(json["content"], format!("<{}>", encoding.encode(&canary)));
    }
    for hex in [HexCase::Lower, HexCase::Upper] {
        for text in [&canary, "é😀"] {
            let escaped = format!("\"{}\"", Encoding::UnicodeEscape { hex }.encode(text));
            assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
        }
    }
    let control = Encoding::Plain.encode_in_json("\"\\\n\u{1}é");
    let json: serde_json::Value = serde_json::from_str(&control).unwrap();
    assert_eq!(json["content"], "<\"\\\n\u{1}é>");
}

#[test]
fn base64_controls_are_what_they_say() {
    let canary =
        canary(CampaignKey::from_seed(6), Owner { user: 1, run: 2, field: super::Field::Name });
    for alignment in Alignment::ALL {
        for (url, padded, engine) in [
            (false, false, STANDARD_NO_PAD),
            (false, true, STANDARD),
            (true, false, URL_SAFE_NO_PAD),
            (true, true, URL_SAFE),
        ] {
            let text = Encoding::Base64 { url, padded, alignment }.encode(&canary);
            let decoded = String::from_utf8(engine.decode(&text).unwrap()).unwrap();
            assert_eq!(decoded.find(&canary).unwrap() % 3, alignment.bytes_before());
            assert_eq!(text.ends_with('='), padded);
            assert_eq!(text.contains(['-', '_']), url);
            assert_eq!(text.contains(['+', '/']), !url);
        }
    }
}

/// Every alignment of base64 within base64, and of base32 in either case, between any bytes.
#[test]
fn in_every_alignment() {
    let key = CampaignKey::from_seed(10);
    let scanner = Scanner::new(key);
    let owner = Owner { user: 5, run: 1, field: super::Field::Prompt };
    for letters in LETTERS.map(|letters| letters.encode(&canary(key, owner))) {
        for (before, after) in (0..6).flat_map(|before| [0, 1, 255].map(|after| (before, after))) {
            let data = [&b"x{\"\xff\0z"[..before], letters.as_bytes(), &[after, 0]].concat();
            let base32 = base32(&data);
            for text in [base32.clone(), base32.to_ascii_lowercase(), hex(&data)] {
                assert_eq!(owners(&scanner.scan(text.as_bytes())), [owner], "{before}: {text}");
            }
            for (inner, outer) in [(STANDARD, URL_SAFE_NO_PAD), (URL_SAFE_NO_PAD, STANDARD)] {
                for between in 0..3 {
                    let once = format!("{}{}", &"xyz"[..between], inner.encode(&data));
                    let twice = outer.encode(once);
                    assert_eq!(
                        owners(&scanner.scan(twice.as_bytes())),
                        [owner],
                        "{before}: {twice}"
                    );
                }
            }
        }
    }
}

/// Not the library's.
fn base32(bytes: &[u8]) -> String {
    let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    let groups = bits.as_bytes().chunks(5).map(|group| {
        let digits = format!("{:0<5}", String::from_utf8_lossy(group));
        usize::from_str_radix(&digits, 2).unwrap()
    });
    groups.map(|value| char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[value])).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Wherever a line ends in it, in whatever way: the texts that mail programs, `base64`, PEM, YAML
/// and JSON make.
#[test]
fn in_lines_that_end_anywhere() {
    let key = CampaignKey::from_seed(11);
    let scanner = Scanner::new(key);
    let owner = Owner { user: 6, run: 1, field: super::Field::Prompt };
    let canary = canary(key, owner);
    let breaks = ["\n", "\r\n", "=\r\n", "=\n", r"\n", r"\r\n", r"\\r\\n", "\n      ", r"\u000a"];
    for encoding in Encoding::all() {
        let utf16 = matches!(encoding, Encoding::Utf16 { .. });
        // Breaks of a byte each in it; the others are in lines already.
        let has_lines = matches!(encoding, Encoding::Base64InLines { .. } | Encoding::SoftLines);
        if utf16 || has_lines {
            continue;
        }
        let text = encoding.encode(&canary);
        for (line_break, length) in breaks.iter().flat_map(|end| [20, 33, 76].map(|l| (end, l))) {
            for first in 1..=length.min(text.len()) {
                let (head, tail) = text.split_at(first);
                let lines = tail.as_bytes().chunks(length).map(String::from_utf8_lossy);
                let lines: Vec<_> = std::iter::once(head.into()).chain(lines).collect();
                let wrapped = lines.join(line_break);
                // More breaks than are looked for, or a backslash that is of the break or the escape.
                let many = wrapped.len() > text.len() + 8 * line_break.len();
                let escaped = matches!(encoding, Encoding::UnicodeEscape { .. });
                if many || escaped && line_break.starts_with('\\') {
                    continue;
                }
                let seen = scanner.scan(wrapped.as_bytes());
                assert_eq!(owners(&seen), [owner], "{encoding}: {wrapped:?}");
                assert_eq!(
                    fed(&scanner, wrapped.as_bytes(), &[1]),
                    seen,
                    "{encoding}: {wrapped:?}"
                );
                assert_eq!(
                    fed(&scanner, wrapped.as_bytes(), &[7]),
                    seen,
                    "{encoding}: {wrapped:?}"
                );
            }
        }
    }
}

/// Named, so that whoever closes one of these finds the claim to change (see the module's
/// "What is not seen").
#[test]
fn blind_spots() {
    let key = CampaignKey::from_seed(8);
    let canary = canary(key, Owner { user: 1, run: 2, field: super::Field::Prompt });
    let in_lines: Vec<_> = canary.as_bytes().chunks(3).map(String::from_utf8_lossy).collect();
    let hex = Encoding::Hex { hex: HexCase::Lower }.encode(&canary);
    let dump: Vec<_> = hex.as_bytes().chunks(2).map(String::from_utf8_lossy).collect();
    let utf16 = Encoding::Utf16 { little_endian: true };
    let unseen = [
        ("a break after every few characters", in_lines.join("\n")),
        (
            "base64 of lines of base64",
            STANDARD.encode(format!(
                "{}\n{}",
                &STANDARD.encode(&canary)[..30],
                &STANDARD.encode(&canary)[30..]
            )),
        ),
        ("base64 three times", STANDARD.encode(STANDARD.encode(STANDARD.encode(&canary)))),
        ("base64 of hex", STANDARD.encode(&hex)),
        ("base64 of UTF-16", STANDARD.encode(utf16.encode(&canary))),
        ("hex with blanks", dump.join(" ")),
        (
            "percent of percent",
            Encoding::Percent { hex: HexCase::Upper }.encode(&canary).replace('%', "%25"),
        ),
        ("first character escaped", format!("%70{}", &canary[1..])),
        ("UTF-16 in JSON that nobody has read", utf16.encode_in_json(&canary)),
        ("UTF-32", canary.chars().flat_map(|character| [character, '\0', '\0', '\0']).collect()),
        ("without its end", canary[..35].to_owned()),
        ("reversed", canary.chars().rev().collect()),
    ];
    for (name, text) in unseen {
        assert_eq!(Scanner::new(key).scan(text.as_bytes()), [], "{name} is seen now");
    }
}

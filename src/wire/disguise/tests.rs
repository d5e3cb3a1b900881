//! No composition of encodings hides a secret.

use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::RngSeed;
use url::form_urlencoded;

use super::*;
use crate::wire::Vault;

/// One layer of a disguise. The numbers decide which characters are escaped that need not be.
#[derive(Debug, Clone, Copy)]
enum Dress {
    PercentUpper(u64),
    PercentLower(u64),
    PercentMixed(u64),
    Form,
    Json(u64),
    HtmlDecimal(u64),
    HtmlHex(u64),
    HtmlNamed,
    Folded(u64),
    Broken(u64),
    Basic,
    BasicUrlSafe,
    Payload,
}

const DRESSES: [fn(u64) -> Dress; 13] = [
    Dress::PercentUpper,
    Dress::PercentLower,
    Dress::PercentMixed,
    |_| Dress::Form,
    Dress::Json,
    Dress::HtmlDecimal,
    Dress::HtmlHex,
    |_| Dress::HtmlNamed,
    Dress::Folded,
    Dress::Broken,
    |_| Dress::Basic,
    |_| Dress::BasicUrlSafe,
    |_| Dress::Payload,
];

impl Dress {
    fn is_base64(self) -> bool {
        matches!(self, Self::Basic | Self::BasicUrlSafe | Self::Payload)
    }

    fn put_on(self, text: &str) -> String {
        let each = |chosen: u64, needed: &str, escape: &dyn Fn(usize, u8) -> String| -> String {
            let escaped = |(at, byte): (usize, u8)| match (byte > b' ' && chosen >> (at % 64) & 1 == 1)
                || needed.contains(byte as char)
            {
                true => escape(at, byte),
                false => (byte as char).to_string(),
            };
            text.bytes().enumerate().map(escaped).collect()
        };
        let reserved = "%+&=#?/ \"<>\\'\r\n";
        let inserted = |chosen: u64, what: &str| -> String {
            let put = |(at, c): (usize, char)| match at > 0 && chosen >> (at % 64) & 1 == 1 {
                true => format!("{what}{c}"),
                false => c.to_string(),
            };
            text.chars().enumerate().map(put).collect()
        };
        match self {
            Self::PercentUpper(chosen) => each(chosen, reserved, &|_, byte| format!("%{byte:02X}")),
            Self::PercentLower(chosen) => each(chosen, reserved, &|_, byte| format!("%{byte:02x}")),
            Self::PercentMixed(chosen) => each(chosen, reserved, &|at, byte| match at % 2 {
                0 => format!("%{byte:02x}"),
                _ => format!("%{byte:02X}"),
            }),
            Self::Form => form_urlencoded::byte_serialize(text.as_bytes()).collect(),
            Self::Json(chosen) => each(chosen, "\"\\\r\n", &|at, byte| match (byte, at % 3) {
                (b'"' | b'\\' | b'/', 0) => format!("\\{}", byte as char),
                (_, 1) => format!("\\u{byte:04X}"),
                _ => format!("\\u{byte:04x}"),
            }),
            Self::HtmlDecimal(chosen) => each(chosen, "&<>\"'", &|_, byte| format!("&#{byte};")),
            Self::HtmlHex(chosen) => each(chosen, "&<>\"'", &|_, byte| format!("&#x{byte:X};")),
            Self::HtmlNamed => {
                let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                text.replace('"', "&quot;").replace('\'', "&apos;").replace('/', "&sol;").replace('+', "&plus;")
            }
            Self::Folded(chosen) => inserted(chosen & chosen >> 7, "\r\n "),
            Self::Broken(chosen) => inserted(chosen & chosen >> 5, "\n"),
            Self::Basic => STANDARD.encode(format!("client:{text}")),
            Self::BasicUrlSafe => URL_SAFE.encode(format!("c:{text}")),
            Self::Payload => {
                let claims = serde_json::json!({ "iss": "https://as.example", "x": text }).to_string();
                format!("eyJhbGciOiJub25lIn0.{}.", URL_SAFE_NO_PAD.encode(claims))
            }
        }
    }
}

/// Where it stands then: what is before it, and what is behind it.
const PLACES: [(&str, &str); 7] = [
    ("", ""),
    ("https://as.example/cb?state=s&code=", "&iss=x"),
    ("location: /cb#access_token=", "&token_type=Bearer"),
    ("<input type=hidden name=code value=\"", "\"><p>hello"),
    ("{\"error_description\":\"no ", " here\"}"),
    ("Authorization: Basic ", "\r\naccept: */*"),
    ("Bearer error=\"invalid_token\", error_description=\"", "\""),
];

fn secret() -> impl Strategy<Value = String> {
    // As servers make them, as people make them, and with escapes in it that are its own.
    prop_oneof![
        "[A-Za-z0-9_-]{8,60}",
        "[!-~]{8,40}",
        "[ -~]{10,40}",
        "[a-z]{4,8}(%2[0-9A-F]|&amp;|%41|[+])[A-Z0-9]{4,9}",
    ]
    .prop_map(|secret: String| format!("Z{secret}Z"))
}

/// The same thousand each time; `OAUDIT_DISGUISES` draws so many anew.
fn disguises() -> ProptestConfig {
    let anew = std::env::var("OAUDIT_DISGUISES").ok().and_then(|number| number.parse().ok());
    let (cases, rng_seed) = anew.map_or((1000, RngSeed::Fixed(6749)), |number| (number, RngSeed::Random));
    ProptestConfig { cases, rng_seed, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(disguises())]

    #[test]
    fn no_disguise_hides_a_secret(
        secret in secret(),
        worn in proptest::collection::vec((select(&DRESSES[..]), any::<u64>()), 0..4),
        place in any::<Index>(),
    ) {
        let vault = Vault::default();
        // A password may be any words.
        vault.learn("password", &secret);
        let mut worn: Vec<Dress> = worn.into_iter().map(|(dress, chosen)| dress(chosen)).collect();
        let mut coded = 0;
        worn.retain(|dress| !dress.is_base64() || { coded += 1; coded <= DEPTH });
        let disguised = worn.iter().fold(secret, |text, dress| dress.put_on(&text));
        let (before, behind) = place.get(&PLACES);
        let shown = vault.redact(&format!("{before}{disguised}{behind}")).into_owned();
        let labelled = shown.contains("{password 1}");
        prop_assert!(labelled, "{worn:?}: {disguised:?} in {before:?}");
        // The header and the dots of a token may stay, and the padding of base64, in its disguise.
        let rest: String = shown.replace("{password 1}", "").chars().filter(|c| !c.is_whitespace() && *c != '+').collect();
        let most = before.len() + behind.len() + if coded == 0 { 2 } else { disguised.len() / 2 + 60 };
        prop_assert!(rest.len() <= most, "{worn:?}: {disguised:?} gives {shown:?}");
    }

    #[test]
    fn whatever_stands_there_the_rest_stays(text in "\\PC{0,80}", secret in "[A-Za-z0-9]{20,30}") {
        let vault = Vault::default();
        vault.learn("code", &secret);
        prop_assert_eq!(vault.redact(&text), text.as_str());
        let shown = vault.redact(&format!("{text} {secret} {text}")).into_owned();
        let hidden = shown.contains("{code 1}") && !shown.contains(&secret);
        prop_assert!(hidden);
    }

    #[test]
    fn no_bytes_break_it(text in "([\\\\u%&#x;=0-9a-fA-F\r\n+]|\\PC){0,60}") {
        let vault = Vault::default();
        vault.learn("code", "aA0%41&#x;=");
        vault.learn("token", "eeeeeeee");
        vault.redact(&text);
    }
}

#[test]
fn equal_layers_are_undone_together() {
    let vault = Vault::default();
    vault.learn("code", "s3cret/Value");
    for (text, shown) in [
        ("x=s3cret%252FValue&y", "x={code 1}&y"),
        ("x=\\u0073\\u00333cret\\/Value;", "x=\\u0073\\u00333cret\\/Value;"),
        ("x=\\u0073\\u0033cret\\/Value;", "x={code 1};"),
        ("x=&#115;3cret&sol;Value;", "x={code 1};"),
        ("x: s3cret\r\n\t/Value\r\ny: z", "x: {code 1}\r\ny: z"),
        ("x=s3%63ret%2fVal&#x75;e", "x={code 1}"),
    ] {
        assert_eq!(vault.redact(text), shown);
    }
    assert_eq!(vault.redact(&format!("Basic {}", STANDARD.encode("me:s3cret%2FValue"))), "Basic {code 1}");
}

#[test]
fn a_large_text_is_read_to_its_end() {
    let vault = Vault::default();
    for n in 0..300 {
        vault.learn("token", &format!("Token-{n:05}-of-some-length-{}", n * 7919));
    }
    let hostile =
        ["\\\\%5C&#92;u", "\\u005Cu0026%26#", "%25", "&amp;amp;", "\\\\", "\r\n", "QUJD", "eyJhbGci.", "Token-0"]
            .map(|part| part.repeat(16 << 10));
    for text in hostile {
        vault.redact(&text[..text.len().min(64 << 10)]);
    }
}

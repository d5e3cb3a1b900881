//! Forged tokens, byte by byte.

use serde_json::json;

use super::*;

/// `{"alg":"ES256","typ":"at+jwt","kid":"k"}` . `{"iss":"https://as","sub":"u","aud":"r","exp":1000,"scope":"a"}` . 4 bytes
const HEADER: &str = "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImsifQ";
const CLAIMS: &str = "eyJpc3MiOiJodHRwczovL2FzIiwic3ViIjoidSIsImF1ZCI6InIiLCJleHAiOjEwMDAsInNjb3BlIjoiYSJ9";

fn real() -> Parts {
    Parts::of(&format!("{HEADER}.{CLAIMS}.AQIDBA")).unwrap()
}

/// The parts of a token, decoded.
fn parts(token: &str) -> [String; 3] {
    let mut parts = token.split('.').map(|p| {
        let bytes = URL_SAFE_NO_PAD.decode(p).unwrap();
        String::from_utf8(bytes.clone()).unwrap_or_else(|_| format!("{bytes:?}"))
    });
    let all = [parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap()];
    assert!(parts.next().is_none());
    all
}

const REAL_CLAIMS: &str = r#"{"iss":"https://as","sub":"u","aud":"r","exp":1000,"scope":"a"}"#;

#[test]
fn none_in_three_spellings_and_zeros() {
    let tokens = unsigned(&real());
    assert_eq!(tokens[0].token, format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0Iiwia2lkIjoiayJ9.{CLAIMS}."));
    assert_eq!(parts(&tokens[1].token)[0], r#"{"alg":"None","typ":"at+jwt","kid":"k"}"#);
    assert_eq!(parts(&tokens[2].token)[0], r#"{"alg":"nOnE","typ":"at+jwt","kid":"k"}"#);
    // 64 bytes are 86 characters.
    assert_eq!(tokens[3].token, format!("{HEADER}.{CLAIMS}.{}", "A".repeat(86)));
    assert_eq!(tokens.len(), 4);
    let es384 = Parts::of(&format!("eyJhbGciOiJFUzM4NCJ9.{CLAIMS}.AQIDBA")).unwrap();
    assert_eq!(unsigned(&es384)[3].token, format!("eyJhbGciOiJFUzM4NCJ9.{CLAIMS}.{}", "A".repeat(128)));
}

#[test]
fn one_claim_is_changed_under_the_old_signature() {
    let tokens = tampered(&real());
    let claims: Vec<String> = tokens
        .iter()
        .map(|forged| {
            let (head, signature) = forged.token.rsplit_once('.').unwrap();
            assert!(head.starts_with(HEADER));
            assert_eq!(signature == "AQIDBA", !forged.what.contains("signature"), "{}", forged.what);
            parts(&forged.token)[1].clone()
        })
        .collect();
    assert_eq!(
        claims,
        [
            r#"{"iss":"https://as","sub":"u","aud":"r","exp":315361000,"scope":"a"}"#,
            r#"{"iss":"https://as","sub":"u","aud":"r","exp":1000,"scope":"a oaudit:admin"}"#,
            r#"{"iss":"https://as","sub":"oaudit-somebody-else","aud":"r","exp":1000,"scope":"a"}"#,
            r#"{"iss":"https://as","sub":"u","aud":["r","https://other.oaudit.invalid"],"exp":1000,"scope":"a"}"#,
            REAL_CLAIMS,
        ]
    );
}

#[test]
fn the_signature_differs_in_its_bytes() {
    // AQIDBA is 01 02 03 04; the middle character D becomes a: 01 02 1a 84 → the third byte differs.
    assert_eq!(real().with_signature_changed().unwrap(), format!("{HEADER}.{CLAIMS}.AQIaBA"));
    assert_eq!(Parts::of(&format!("{HEADER}.{CLAIMS}.")).unwrap().with_signature_changed(), None);
}

#[test]
fn scopes_may_be_an_array_called_scp() {
    // {"scp":["a"]}
    let real = Parts::of("eyJhbGciOiJSUzI1NiJ9.eyJzY3AiOlsiYSJdfQ.AQIDBA").unwrap();
    assert_eq!(parts(&tampered(&real)[1].token)[1], r#"{"scp":["a","oaudit:admin"]}"#);
}

#[test]
fn opaque_tokens_change_in_three_places() {
    let tokens: Vec<String> = changed_opaque("0123456789AaBbCc").into_iter().map(|f| f.token).collect();
    assert_eq!(tokens, ["0a23456789AaBbCc", "01234567a9AaBbCc", "0123456789AaBaCc"]);
    assert_eq!(changed_opaque("aaaaaa==")[2].token, "aaabaa==");
    assert!(changed_opaque("").is_empty());
}

#[test]
fn a_mac_keyed_with_given_bytes() {
    // HMAC-SHA256("secret", "eyJhbGciOiJIUzI1NiJ9.e30"), computed by another implementation.
    let real = Parts::of("eyJhbGciOiJFUzI1NiJ9.e30.AQIDBA").unwrap();
    assert_eq!(
        real.keyed_with(HmacAlg::Hs256, b"secret"),
        "eyJhbGciOiJIUzI1NiJ9.e30.XmNK3GpH3Ys_7wsYBfq4C3M6goz71I7dTgUkuIa5lyQ"
    );
    let by_kid = real.keyed_by_kid("../../dev/null", b"");
    assert_eq!(parts(&by_kid)[0], r#"{"alg":"HS256","kid":"../../dev/null"}"#);
    for (alg, length) in [(HmacAlg::Hs384, 48), (HmacAlg::Hs512, 64)] {
        let token = real.keyed_with(alg, b"secret");
        assert_eq!(URL_SAFE_NO_PAD.decode(token.rsplit('.').next().unwrap()).unwrap().len(), length);
        assert_eq!(parts(&token)[0], format!(r#"{{"alg":"{}"}}"#, alg.as_str()));
    }
}

#[test]
fn a_token_of_our_own_keeps_the_rest() {
    let key = OwnKey::like("ES256").unwrap();
    let token = real()
        .signed_by(&key, &[("jwk", json!({"kty": "EC"}))], &[("iss", json!("https://issuer.oaudit.invalid"))])
        .unwrap();
    let [header, claims, _] = parts(&token);
    assert_eq!(header, r#"{"alg":"ES256","typ":"at+jwt","kid":"k","jwk":{"kty":"EC"}}"#);
    assert_eq!(claims, r#"{"iss":"https://issuer.oaudit.invalid","sub":"u","aud":"r","exp":1000,"scope":"a"}"#);
}

#[test]
fn nothing_of_a_forged_token_stands_in_debug() {
    let forged = Forged::new("x", "a.b.c".into());
    assert_eq!(format!("{forged:?}"), r#"Forged { what: "x", .. }"#);
}

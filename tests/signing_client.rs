//! A client that authenticates by `private_key_jwt` gets the verdicts that one with a secret gets.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its stage has failed")]

mod support;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oaudit::lab::{Lab, LabOptions};
use oaudit::oauth::assertion::ClientKey;
use oaudit::oauth::client::ClientAuth;
use oaudit::oauth::secret::Secret;
use oaudit::registration::Configured;
use oaudit::report::{Report, VerdictKind};
use oaudit::run::Options;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use support::{as_alice, audit_of, trouble};

/// A private key as PEM, and the key set of its public half.
fn key() -> (String, serde_json::Value) {
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let (x, y) = pair.public_key_raw()[1..].split_at(32);
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    (pair.serialize_pem(), serde_json::json!({ "keys": [{ "kty": "EC", "crv": "P-256", "kid": "k", "x": x, "y": y }] }))
}

fn as_client(id: &str, secret: Option<&str>, auth: ClientAuth) -> Options {
    let client = Configured { id: id.into(), secret: secret.map(Secret::new), auth: Some(auth) };
    let other = Configured { id: "lab-public-b".into(), secret: None, auth: Some(ClientAuth::None) };
    Options { client: Some(client), other_client: Some(other), ..as_alice() }
}

fn verdicts(report: &Report) -> BTreeMap<&'static str, VerdictKind> {
    report.checks.iter().map(|c| (c.id, c.verdict)).collect()
}

#[tokio::test]
async fn the_verdicts_are_those_of_a_client_with_a_secret() {
    // A client whose secret nobody asks for is seen either way.
    for faults in [&[][..], &["refresh-any-client"]] {
        let (pem, set) = key();
        let faults = faults.iter().map(|name| (*name).to_owned()).collect();
        let options = LabOptions { client_jwks: Some(set), faults, ..LabOptions::default() };
        let lab = Lab::start(options).await.unwrap();
        let by_secret = as_client("lab-confidential", Some("lab-confidential-secret-0123456789"), ClientAuth::Basic);
        let by_secret = audit_of(&lab.mcp(), by_secret).await;
        let key = ClientKey::read(pem.as_bytes(), Some("k".into())).unwrap();
        let signing = Options { client_key: Some(key), ..as_client("lab-signer", None, ClientAuth::PrivateKeyJwt) };
        let by_signature = audit_of(&lab.mcp(), signing).await;
        assert_eq!(
            verdicts(&by_signature),
            verdicts(&by_secret),
            "{}\n--\n{}",
            trouble(&by_signature),
            trouble(&by_secret)
        );
        let shown = by_signature.exchanges.iter().filter(|e| format!("{:?}", e.request).contains("client_assertion="));
        assert!(shown.count() > 10);
        let text = serde_json::to_string(&by_signature).unwrap();
        assert!(!text.contains("client_assertion=eyJ") && !text.contains("PRIVATE KEY"));
        lab.stop().await;
    }
}

/// Somebody else's key is not taken, so the audit says that the client could not be used.
#[tokio::test]
async fn another_key_gets_no_token() {
    let lab = Lab::start(LabOptions { client_jwks: Some(key().1), ..LabOptions::default() }).await.unwrap();
    let client_key = ClientKey::read(key().0.as_bytes(), None).unwrap();
    let options = Options { client_key: Some(client_key), ..as_client("lab-signer", None, ClientAuth::PrivateKeyJwt) };
    let report = audit_of(&lab.mcp(), options).await;
    let flow = support::line(&report, "authorization/code-flow-works");
    assert!(flow.verdict == VerdictKind::Fail && flow.message.contains("invalid_client"), "{}", flow.message);
    // Without such a client nobody is told of it.
    let plain = support::lab(&[], &[]).await;
    let report = audit_of(&plain.mcp(), as_alice()).await;
    assert!(!report.discovery.server_metadata.to_string().contains("private_key_jwt"));
}

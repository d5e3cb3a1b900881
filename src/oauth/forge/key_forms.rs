//! A public key in the forms in which a confused verifier may take it for a secret.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

/// One form of a public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyForm {
    /// Its name, for the reader.
    pub what: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A key of a key set in every form that servers keep keys in: PEM with and without the last line end, DER, the JWK as
/// it is published, the line of an OpenSSH key file. Empty for a key of another kind.
pub fn key_forms(jwk: &Value) -> Vec<KeyForm> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?.trim_end_matches('=')).ok();
    let key = match text("kty") {
        Some("RSA") => rsa(bytes("n"), bytes("e")),
        Some("EC") => text("crv").and_then(|crv| ec(crv, &bytes("x")?, &bytes("y")?)),
        Some("OKP") if text("crv") == Some("Ed25519") => bytes("x").map(|x| ed25519(&x)),
        _ => None,
    };
    let Some(key) = key else { return Vec::new() };
    let mut forms = pem_forms("PUBLIC KEY", &key.spki, ["PEM (SPKI)", "PEM (SPKI) without the last line end"]);
    if let Some(pkcs1) = &key.pkcs1 {
        forms.extend(pem_forms("RSA PUBLIC KEY", pkcs1, ["PEM (PKCS #1)", "PEM (PKCS #1) without the last line end"]));
    }
    forms.push(KeyForm { what: "DER (SPKI)", bytes: key.spki });
    forms.push(KeyForm { what: "JWK", bytes: jwk.to_string().into_bytes() });
    forms.push(KeyForm {
        what: "OpenSSH line",
        bytes: format!("{} {}", key.ssh_name, STANDARD.encode(&key.ssh)).into_bytes(),
    });
    forms
}

struct Encoded {
    spki: Vec<u8>,
    pkcs1: Option<Vec<u8>>,
    ssh_name: String,
    ssh: Vec<u8>,
}

fn rsa(n: Option<Vec<u8>>, e: Option<Vec<u8>>) -> Option<Encoded> {
    let (n, e) = (positive(&n?), positive(&e?));
    let pkcs1 = der(0x30, &[der(0x02, &n), der(0x02, &e)].concat());
    // rsaEncryption with NULL parameters (RFC 3279 section 2.3.1).
    const ALGORITHM: &[u8] =
        &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let ssh = ssh_strings(&[b"ssh-rsa", &e, &n]);
    Some(Encoded { spki: spki(ALGORITHM, &pkcs1), pkcs1: Some(pkcs1), ssh_name: "ssh-rsa".into(), ssh })
}

fn ec(crv: &str, x: &[u8], y: &[u8]) -> Option<Encoded> {
    // id-ecPublicKey with the curve's name (RFC 5480 section 2.1.1).
    let (curve, size, name): (&[u8], usize, &str) = match crv {
        "P-256" => (&[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], 32, "nistp256"),
        "P-384" => (&[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22], 48, "nistp384"),
        "P-521" => (&[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23], 66, "nistp521"),
        _ => return None,
    };
    if x.len() != size || y.len() != size {
        return None;
    }
    const EC_PUBLIC_KEY: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
    let point = [&[0x04], x, y].concat();
    let ssh_name = format!("ecdsa-sha2-{name}");
    let ssh = ssh_strings(&[ssh_name.as_bytes(), name.as_bytes(), &point]);
    let algorithm = der(0x30, &[EC_PUBLIC_KEY, curve].concat());
    Some(Encoded { spki: spki(&algorithm, &point), pkcs1: None, ssh_name, ssh })
}

fn ed25519(x: &[u8]) -> Encoded {
    const ALGORITHM: &[u8] = &[0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70];
    let ssh = ssh_strings(&[b"ssh-ed25519", x]);
    Encoded { spki: spki(ALGORITHM, x), pkcs1: None, ssh_name: "ssh-ed25519".into(), ssh }
}

/// SubjectPublicKeyInfo (RFC 5280 section 4.1): the algorithm, and the key as a bit string without unused bits.
fn spki(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    der(0x30, &[algorithm, &der(0x03, &[&[0x00], key].concat())].concat())
}

/// A value with its tag and length (X.690, definite form).
fn der(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = value.len().to_be_bytes();
    let significant = &length[length.iter().take_while(|b| **b == 0).count()..];
    let mut out = vec![tag];
    match value.len() {
        short @ 0..128 => out.push(short as u8),
        _ => {
            out.push(0x80 | significant.len() as u8);
            out.extend_from_slice(significant);
        }
    }
    out.extend_from_slice(value);
    out
}

/// The shortest form of a number that is not negative: a leading zero where the first bit is set.
fn positive(number: &[u8]) -> Vec<u8> {
    let number = &number[number.iter().take_while(|b| **b == 0).count()..];
    let signed = number.first().is_none_or(|first| first & 0x80 != 0);
    [if signed { &[0x00][..] } else { &[] }, number].concat()
}

/// The strings of an OpenSSH key, each after its length (RFC 4253 section 6.6).
fn ssh_strings(strings: &[&[u8]]) -> Vec<u8> {
    strings.iter().flat_map(|s| (s.len() as u32).to_be_bytes().into_iter().chain(s.iter().copied())).collect()
}

fn pem_forms(label: &str, der: &[u8], names: [&'static str; 2]) -> Vec<KeyForm> {
    let text = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    // 64 characters a line (RFC 7468 section 2).
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = more;
    }
    pem.push_str(&format!("-----END {label}-----"));
    let bare = pem.clone().into_bytes();
    pem.push('\n');
    vec![KeyForm { what: names[0], bytes: pem.into_bytes() }, KeyForm { what: names[1], bytes: bare }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn form(jwk: &Value, what: &str) -> String {
        let form = key_forms(jwk).into_iter().find(|f| f.what == what).unwrap();
        String::from_utf8(form.bytes.clone()).unwrap_or_else(|_| STANDARD.encode(form.bytes))
    }

    // The keys below were made and encoded by OpenSSL.

    #[test]
    fn an_rsa_key_in_all_its_forms() {
        let jwk = json!({"kty": "RSA", "e": "AQAB", "n": "onmhF-KSPoti4-MsPdGELV9nY_uKLcQ0OLjbHualQIJbaB3wsj3fTKWkvvHu_2aEgKyQ2TyEs__b840ZU6XnAEjo9PyWpLJqW2-LOz-QYsMZ60ImZF6VYMsI8YPMW0lPgGb0rW3jeIcyBbtxF9zMRE1fLfcuR5qSQTtYNeu8oiE"});
        assert_eq!(
            form(&jwk, "PEM (SPKI)"),
            "-----BEGIN PUBLIC KEY-----\n\
             MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCieaEX4pI+i2Lj4yw90YQtX2dj\n\
             +4otxDQ4uNse5qVAgltoHfCyPd9MpaS+8e7/ZoSArJDZPISz/9vzjRlTpecASOj0\n\
             /Jaksmpbb4s7P5BiwxnrQiZkXpVgywjxg8xbSU+AZvStbeN4hzIFu3EX3MxETV8t\n\
             9y5HmpJBO1g167yiIQIDAQAB\n\
             -----END PUBLIC KEY-----\n"
        );
        assert_eq!(
            form(&jwk, "PEM (PKCS #1) without the last line end"),
            "-----BEGIN RSA PUBLIC KEY-----\n\
             MIGJAoGBAKJ5oRfikj6LYuPjLD3RhC1fZ2P7ii3ENDi42x7mpUCCW2gd8LI930yl\n\
             pL7x7v9mhICskNk8hLP/2/ONGVOl5wBI6PT8lqSyaltvizs/kGLDGetCJmRelWDL\n\
             CPGDzFtJT4Bm9K1t43iHMgW7cRfczERNXy33LkeakkE7WDXrvKIhAgMBAAE=\n\
             -----END RSA PUBLIC KEY-----"
        );
        assert_eq!(
            form(&jwk, "OpenSSH line"),
            "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQCieaEX4pI+i2Lj4yw90YQtX2dj+4otxDQ4uNse5qVAgltoHfCyPd9MpaS+8e7/ZoSArJDZPISz/9vzjRlTpecASOj0/Jaksmpbb4s7P5BiwxnrQiZkXpVgywjxg8xbSU+AZvStbeN4hzIFu3EX3MxETV8t9y5HmpJBO1g167yiIQ=="
        );
        assert_eq!(key_forms(&jwk).len(), 7);
    }

    #[test]
    fn elliptic_curves() {
        let p256 = json!({"kty": "EC", "crv": "P-256", "x": "qCrHEWM7o11frb8Eb5rePmoXjHUuMuIr8I6uZT0UA7U", "y": "3rg9Qzce3DIExsFkmuV-kMnutM7d3HdmuEH-ZUhBJOs"});
        assert_eq!(
            form(&p256, "DER (SPKI)"),
            "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqCrHEWM7o11frb8Eb5rePmoXjHUuMuIr8I6uZT0UA7XeuD1DNx7cMgTGwWSa5X6Qye60zt3cd2a4Qf5lSEEk6w=="
        );
        assert_eq!(
            form(&p256, "OpenSSH line"),
            "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBKgqxxFjO6NdX62/BG+a3j5qF4x1LjLiK/COrmU9FAO13rg9Qzce3DIExsFkmuV+kMnutM7d3HdmuEH+ZUhBJOs="
        );
        assert_eq!(form(&p256, "JWK"), p256.to_string());
        let p384 = json!({"kty": "EC", "crv": "P-384", "x": "RlhDoUx8cGdS3VF-J7Cr8HtZHwPBLB-jRA1Jqrt8oOlPD2yjzkbh0mCx4ra7KpTi", "y": "dtpLprurTSb920jLtpXLr_w0yVzxGYFHTQEl4JjjEs3JelotM1NgZ_pMJ7ko0Aky"});
        assert_eq!(
            form(&p384, "DER (SPKI)"),
            "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAERlhDoUx8cGdS3VF+J7Cr8HtZHwPBLB+jRA1Jqrt8oOlPD2yjzkbh0mCx4ra7KpTidtpLprurTSb920jLtpXLr/w0yVzxGYFHTQEl4JjjEs3JelotM1NgZ/pMJ7ko0Aky"
        );
        assert!(key_forms(&json!({"kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ"})).is_empty());
    }

    #[test]
    fn an_edwards_curve() {
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "T4q2dUIYkpkybMGdGZ8LWLR1-DKb9-lnvnRC13tv4lU"});
        assert_eq!(
            form(&jwk, "PEM (SPKI) without the last line end"),
            "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAT4q2dUIYkpkybMGdGZ8LWLR1+DKb9+lnvnRC13tv4lU=\n-----END PUBLIC KEY-----"
        );
        assert_eq!(
            form(&jwk, "OpenSSH line"),
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE+KtnVCGJKZMmzBnRmfC1i0dfgym/fpZ750Qtd7b+JV"
        );
    }

    #[test]
    fn long_values_have_long_lengths() {
        assert_eq!(der(0x04, &[7; 127])[..2], [0x04, 0x7f]);
        assert_eq!(der(0x04, &[7; 128])[..3], [0x04, 0x81, 0x80]);
        assert_eq!(der(0x04, &[7; 300])[..4], [0x04, 0x82, 0x01, 0x2c]);
        assert_eq!(positive(&[0, 0, 0x80]), [0, 0x80]);
        assert_eq!(positive(&[0]), [0]);
    }

    #[test]
    fn keys_of_other_kinds_have_no_forms() {
        for jwk in [json!({"kty": "oct", "k": "AQ"}), json!({"kty": "OKP", "crv": "X25519", "x": "AQ"}), json!({})] {
            assert!(key_forms(&jwk).is_empty());
        }
    }
}

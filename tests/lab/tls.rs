//! The lab over TLS: its authority signs for it, and what is not TLS of today is turned away, unless a fault is on.

use oaudit::lab::{Lab, LabOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::visitor::visit_with;

async fn lab(faults: &[&str]) -> Lab {
    let faults = faults.iter().map(|f| (*f).to_owned()).collect();
    Lab::start(LabOptions { tls: true, faults, ..LabOptions::default() }).await.unwrap()
}

/// What a port answers to these bytes, until it says no more.
async fn says(lab: &Lab, bytes: &[u8]) -> Vec<u8> {
    let port: u16 = lab.issuer().rsplit(':').next().unwrap().parse().unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut heard = Vec::new();
    let _ = stream.read_to_end(&mut heard).await;
    heard
}

const PLAIN: &[u8] = b"GET /jwks HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

/// A ClientHello of TLS 1.1 with one cipher suite and no extension.
fn old_hello() -> Vec<u8> {
    let mut hello = vec![22, 3, 1, 0, 45, 1, 0, 0, 41, 3, 2];
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0xc0, 0x13, 1, 0]);
    hello
}

#[tokio::test]
#[expect(clippy::disallowed_types, reason = "the lab is tested without the auditor's own wire")]
async fn its_authority_and_no_other_vouches_for_it() {
    let lab = lab(&[]).await;
    let get = |client: reqwest::Client| client.get(format!("{}/jwks", lab.issuer())).send();
    let authority = reqwest::Certificate::from_pem(lab.authority().unwrap().as_bytes()).unwrap();
    let trusting = reqwest::Client::builder().no_proxy().tls_certs_only([authority]).build().unwrap();
    let answer = get(trusting).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().contains_key("strict-transport-security"));
    let other = Lab::start(LabOptions { tls: true, ..LabOptions::default() }).await.unwrap();
    let foreign = reqwest::Certificate::from_pem(other.authority().unwrap().as_bytes()).unwrap();
    assert!(get(reqwest::Client::builder().no_proxy().tls_certs_only([foreign]).build().unwrap()).await.is_err());
    let plain = Lab::start(LabOptions::default()).await.unwrap();
    assert!(plain.authority().is_none() && plain.issuer().starts_with("http://127.0.0.1:"));
}

#[tokio::test]
async fn what_is_no_tls_of_today_is_turned_away() {
    let sound = lab(&[]).await;
    let to_plain = says(&sound, PLAIN).await;
    assert!(!to_plain.starts_with(b"HTTP/"), "{to_plain:?}");
    assert_eq!(says(&sound, &old_hello()).await.first(), Some(&21), "an alert");
    assert!(says(&lab(&["plain-http-answered"]).await, PLAIN).await.starts_with(b"HTTP/1.1 200"));
    let hello = says(&lab(&["old-tls-accepted"]).await, &old_hello()).await;
    assert_eq!((&hello[..3], &hello[5..6], &hello[9..11]), (&[22, 3, 2][..], &[2][..], &[3, 2][..]));
    assert_eq!(usize::from(hello[4]), hello.len() - 5);
    assert_eq!(usize::from(hello[8]), hello.len() - 9);
}

#[tokio::test]
async fn cookies_are_kept_to_tls_and_the_flow_goes_as_ever() {
    let mut visitor = visit_with(LabOptions { tls: true, ..LabOptions::default() }).await;
    let page = visitor.ask(&[]).await;
    assert!(page.header("set-cookie").ends_with("; Secure"), "{}", page.header("set-cookie"));
    let code = visitor.code(&[]).await;
    assert_eq!(visitor.redeem(&code).await.status, 200);
}

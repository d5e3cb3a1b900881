//! Starting and stopping, and what is said when that cannot be.

use std::time::{Duration, Instant};

use oaudit::lab::{FAULTS, Lab, LabError, LabOptions, QUIRKS};

use crate::visitor::{visit, visit_with};

#[tokio::test]
async fn unknown_names_are_refused_with_the_nearest_known() {
    let start = |faults: &[&str], quirks: &[&str]| {
        Lab::start(LabOptions {
            faults: faults.iter().map(|&f| f.to_owned()).collect(),
            quirks: quirks.iter().map(|&q| q.to_owned()).collect(),
            ..LabOptions::default()
        })
    };
    let error = start(&["pkce-optionl"], &[]).await.err().unwrap();
    assert!(matches!(&error, LabError::UnknownFault(name) if name == "pkce-optionl"));
    assert!(error.hint().contains("\"pkce-optional\""), "{}", error.hint());
    let error = start(&[], &["two-steps-login"]).await.err().unwrap();
    assert!(matches!(error, LabError::UnknownQuirk(_)));
    assert!(error.hint().contains("\"two-step-login\""));
}

#[tokio::test]
async fn a_port_is_held_until_the_lab_stops() {
    let first = Lab::start(LabOptions::default()).await.unwrap();
    let port: u16 = first.issuer().rsplit(':').next().unwrap().parse().unwrap();
    let again = || Lab::start(LabOptions { port, ..LabOptions::default() });
    let error = again().await.err().unwrap();
    assert!(matches!(error, LabError::PortTaken(p) if p == port));
    first.stop().await;
    again().await.unwrap().stop().await;
}

#[tokio::test]
async fn a_dropped_lab_does_not_answer_any_more() {
    let lab = Lab::start(LabOptions::default()).await.unwrap();
    let address = lab.issuer().replace("http://", "");
    drop(lab);
    tokio::task::yield_now().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn every_fault_and_quirk_starts_and_serves_its_metadata() {
    for name in FAULTS.iter().map(|f| f.name) {
        let mut visitor = visit(&[name], &[]).await;
        let url = visitor.url("/.well-known/oauth-authorization-server");
        assert_eq!(visitor.get(&url).await.status, 200, "{name}");
    }
    for name in QUIRKS.iter().map(|q| q.name) {
        let mut visitor = visit(&[], &[name]).await;
        let url = visitor.url("/.well-known/oauth-authorization-server");
        assert_eq!(visitor.get(&url).await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn latency_holds_every_answer_back() {
    let mut visitor = visit_with(LabOptions { latency: Duration::from_millis(60), ..LabOptions::default() }).await;
    let before = Instant::now();
    let url = visitor.url("/jwks");
    visitor.get(&url).await;
    assert!(before.elapsed() >= Duration::from_millis(60));
    assert_eq!(visitor.lab.requests(), 1);
}

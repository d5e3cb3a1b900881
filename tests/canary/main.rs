//! No secret of a run leaves the program: every one that the lab issued or that a user gave is looked for in everything
//! that is ever written, in every form.

#![cfg_attr(unix, expect(clippy::unwrap_used, reason = "a test that cannot set up its stage has failed"))]

#[cfg(unix)]
mod audits;
#[cfg(unix)]
mod commands;
#[cfg(unix)]
mod files;
#[cfg(unix)]
mod looking;
#[cfg(unix)]
mod mistakes;
#[cfg(unix)]
mod signing_in;
#[cfg(unix)]
mod stage;

#[cfg(unix)]
#[path = "../support/between.rs"]
mod between;
#[cfg(unix)]
#[path = "../support/ran.rs"]
mod ran;
#[path = "../support/mod.rs"]
mod support;

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use oaudit::lab::{FAULTS, Lab, LabOptions};
use oaudit::report::terminal::{self, Look};
use oaudit::report::{Report, json};
use oaudit::wire::Trace;
use support::{as_alice, audit_of};

fn forms(secret: &str) -> Vec<String> {
    let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    vec![secret.to_owned(), encoded, STANDARD.encode(secret), URL_SAFE_NO_PAD.encode(secret)]
}

fn outputs(report: &Report) -> Vec<(&'static str, String)> {
    let look = Look { width: 120, color: true, evidence: true, quiet: false, links: true };
    vec![
        ("json", json::render(report)),
        ("terminal", terminal::render(report, &look)),
        ("debug", format!("{report:?}")),
    ]
}

fn assert_clean(lab: &Lab, report: &Report, what: &str) {
    let secrets = lab.issued_secrets();
    assert!(secrets.len() > 20, "the lab issued {} secrets only: the canary is asleep", secrets.len());
    for (name, output) in outputs(report) {
        for secret in secrets.iter().filter(|s| s.len() >= 6) {
            for form in forms(secret) {
                assert!(
                    !output.contains(&form),
                    "{what}: the {name} output holds a secret ({} characters)",
                    secret.len()
                );
            }
        }
    }
}

#[tokio::test]
async fn no_output_holds_a_secret() {
    for (opaque, quirk) in [(false, None), (true, None), (false, Some("meta-refresh")), (true, Some("self-submitting"))]
    {
        let quirks = quirk.into_iter().map(str::to_owned).collect();
        let lab = Lab::start(LabOptions { opaque, quirks, ..LabOptions::default() }).await.unwrap();
        let (mut options, told) = (as_alice(), Arc::new(Mutex::new(String::new())));
        let hears = Arc::clone(&told);
        options.wire.trace = Trace::to(Arc::new(move |line| hears.lock().unwrap().push_str(&format!("{line}\n"))));
        let report = audit_of(&lab.mcp(), options).await;
        assert_clean(&lab, &report, &format!("opaque {opaque}, quirk {quirk:?}"));
        let told = told.lock().unwrap();
        assert_eq!(told.lines().count(), report.exchanges.len(), "a line for every exchange");
        for secret in lab.issued_secrets().iter().filter(|s| s.len() >= 6) {
            assert!(forms(secret).iter().all(|form| !told.contains(form)), "the trace holds a secret");
        }
        assert!(json::render(&report).contains("{code 1}"), "labels stand where the secrets were");
    }
}

#[tokio::test]
async fn no_fault_makes_a_secret_leak() {
    for name in [
        "token-beside-code",
        "implicit-alive",
        "code-reusable",
        "redirect-query-ignored",
        "verifier-optional",
        "token-error-echoes",
        "token-in-client-uri",
    ] {
        assert!(FAULTS.iter().any(|f| f.name == name), "{name}");
        let lab = support::lab(&[name], &[]).await;
        let report = audit_of(&lab.mcp(), as_alice()).await;
        assert_clean(&lab, &report, name);
    }
}

#[tokio::test]
async fn a_wrong_password_is_not_told() {
    let lab = support::lab(&[], &[]).await;
    let mut options = as_alice();
    let password = "n0t-the-passw0rd";
    if let Some(credentials) = &mut options.sign_in.credentials {
        credentials.password = oaudit::oauth::secret::Secret::new(password);
    }
    let report = audit_of(&lab.mcp(), options).await;
    assert_eq!(report.summary.exit_code, 4);
    for (name, output) in outputs(&report) {
        assert!(!output.contains(password), "{name}");
    }
}

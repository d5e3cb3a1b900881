//! Trouble on the way decides nothing: connections that are cut, gateways that answer, servers that are slow or want
//! patience turn a verdict into *inconclusive*, never from pass to fail or from fail to pass.

mod support;

#[path = "support/between.rs"]
mod between;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use oaudit::lab::LabOptions;
use oaudit::report::{Report, VerdictKind};
use oaudit::run::Options;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use between::{Act, Asked, Between};
use support::{as_alice, audit_of};

/// Runs of each lab, unless `OAUDIT_SEEDS` says otherwise.
const SEEDS: u64 = 10;

/// Of a hundred requests so many meet with trouble.
const PERCENT: u64 = 4;

/// What is broken in the second lab; each shows by itself.
const BROKEN: [&str; 22] = [
    "alg-none-accepted",
    "authorize-500",
    "bad-token-500",
    "code-any-redirect-uri",
    "code-reusable",
    "html-on-garbage",
    "implicit-alive",
    "iss-missing",
    "long-lived-token",
    "made-up-code-accepted",
    "no-rotation",
    "password-grant-alive",
    "pkce-optional",
    "plain-accepted",
    "query-token-accepted",
    "redirect-any-host",
    "refresh-any-client",
    "revocation-spares-access-tokens",
    "secret-optional",
    "state-truncated",
    "token-500-on-garbage",
    "token-error-echoes",
];

type Verdicts = BTreeMap<&'static str, (VerdictKind, String)>;

fn verdicts(report: &Report) -> Verdicts {
    report.checks.iter().map(|c| (c.id, (c.verdict, c.message.clone()))).collect()
}

/// Every bit of the result hangs on every bit of the number (splitmix64).
fn scattered(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// What happens to a request, by chance that can be repeated.
fn trouble(seed: u64, asked: &Asked) -> Act {
    let chance = scattered(seed << 32 | asked.of_all as u64);
    if chance % 100 >= PERCENT {
        return Act::Pass;
    }
    let plain = |head: &str, body: &str| {
        let length = body.len();
        Act::Say(format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}").into_bytes())
    };
    let page = "<html><h1>Bad gateway</h1></html>";
    match scattered(chance) % 10 {
        0 => Act::Cut(0),
        1 => Act::Cut(60),
        2 => Act::Cut(300),
        3 => Act::Do(between::reset),
        4 => Act::Late(Duration::from_millis(300)),
        5 => Act::Late(Duration::from_secs(4)),
        6 => plain("502 Bad Gateway\r\ncontent-type: text/html", page),
        7 => plain("503 Service Unavailable\r\ncontent-type: text/html", page),
        8 => plain("429 Too Many Requests\r\nretry-after: 0", ""),
        _ => plain("429 Too Many Requests\r\nretry-after: 900", ""),
    }
}

fn patient(seconds: u64) -> Options {
    let mut options = as_alice();
    options.wire.limits.time = Duration::from_secs(seconds);
    options
}

fn broken_in(faults: &[&str]) -> LabOptions {
    LabOptions { faults: faults.iter().map(|f| (*f).to_owned()).collect(), ..LabOptions::default() }
}

async fn disturbed(faults: &'static [&'static str], seed: u64) -> Verdicts {
    let between = Between::start(broken_in(faults), move |asked| trouble(seed, asked)).await;
    verdicts(&audit_of(&between.mcp(), patient(3)).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_on_the_way_turns_no_verdict_around() {
    let seeds = std::env::var("OAUDIT_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(SEEDS);
    let (mut wrong, mut runs, mut compared, mut undecided) = (String::new(), 0, 0, 0);
    for faults in [&[][..], &BROKEN] {
        let calm = Between::start(broken_in(faults), |_| Act::Pass).await;
        let calm = Arc::new(verdicts(&audit_of(&calm.mcp(), patient(20)).await));
        let slots = Arc::new(Semaphore::new(4));
        let mut under_way = JoinSet::new();
        for seed in 0..seeds {
            let slots = Arc::clone(&slots);
            under_way.spawn(async move {
                let _slot = slots.acquire_owned().await;
                (seed, disturbed(faults, seed).await)
            });
        }
        while let Some(ended) = under_way.join_next().await {
            let (seed, seen) = ended.expect("no panic");
            runs += 1;
            for (id, (verdict, message)) in &seen {
                let (should, _) = &calm[id];
                compared += 1;
                undecided += usize::from(*verdict == VerdictKind::Inconclusive);
                let decided = |v: &VerdictKind| matches!(v, VerdictKind::Pass | VerdictKind::Fail);
                if verdict != should && decided(verdict) {
                    wrong.push_str(&format!(
                        "seed {seed}, {} faults: {id}: {should:?} became {verdict:?}: {message}\n",
                        faults.len()
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(undecided > 0 && undecided < compared, "trouble was seen, and did not drown everything");
    println!("{runs} runs, {compared} verdicts, {undecided} of them inconclusive");
}

/// The server made the client, and nobody knows its name.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_whose_registration_was_not_heard_is_told_of() {
    let lost = |asked: &Asked| if asked.path == "/register" && asked.before == 1 { Act::Cut(0) } else { Act::Pass };
    let between = Between::start(LabOptions::default(), lost).await;
    let report = audit_of(&between.mcp(), patient(20)).await;
    assert_eq!(between.lab.registered_clients().len(), 1);
    let [left] = report.left_behind.as_slice() else { panic!("one thing is left, but {:?}", report.left_behind) };
    assert!(left.starts_with("1 registration got no answer") && left.contains("by hand"), "{left}");
}

/// The server issued tokens, and nobody has them. Of the ordinary flow they were heard.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_were_not_heard_are_told_of() {
    let lost = |asked: &Asked| if asked.path == "/token" && asked.before > 0 { Act::Cut(0) } else { Act::Pass };
    let between = Between::start(LabOptions::default(), lost).await;
    let report = audit_of(&between.mcp(), patient(20)).await;
    let [left] = report.left_behind.as_slice() else { panic!("one thing is left, but {:?}", report.left_behind) };
    assert!(left.contains(" token requests got no answer") && left.contains("withdraw the consent"), "{left}");
}

/// The clients are deleted, which may have ended their grants; that those were not revoked is told all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_that_failed_is_told_of_though_the_client_is_gone() {
    let busy = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let failing = |asked: &Asked| if asked.path == "/revoke" { Act::Say(busy.to_vec()) } else { Act::Pass };
    let between = Between::start(LabOptions::default(), failing).await;
    let report = audit_of(&between.mcp(), patient(20)).await;
    assert_eq!((between.lab.registered_clients().len(), between.lab.live_grants()), (0, 0));
    assert!(!report.left_behind.is_empty() && report.journal.is_none());
    for left in &report.left_behind {
        let told = ["could not be revoked: the revocation request was answered 503", "the client is deleted"];
        assert!(told.iter().all(|words| left.contains(words)), "{left}");
    }
}

//! Servers that lead the browser to addresses that are closed to them: it is kept from there, as the form agent is.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use oaudit::front::webdriver::installed;
use oaudit::lab::LabOptions;
use serde_json::Value;

use crate::between::{Act, Asked, Between};
use crate::browser;

/// What stands between does.
type Acts = fn(&Asked) -> Act;

/// What an audit of a lab with this in front of it ends with: the status, why it stopped, and the remarks.
async fn stopped(agent: &str, act: Acts) -> (Option<i32>, Value, String) {
    let between = Between::start(LabOptions::default(), act).await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_oaudit"));
    command.args(["audit", &between.mcp(), "--agent", agent, "--username", "alice", "--format", "json"]);
    command.args(["--select", "authorization/code-flow-works"]).env("OAUDIT_PASSWORD", "wonderland");
    command.stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.code(), report["stopped"].clone(), report["remarks"].to_string())
}

fn elsewhere(asked: &Asked) -> Act {
    let alter = |json: &mut Value| {
        if json["authorization_endpoint"].is_string() {
            json["authorization_endpoint"] = "http://192.0.2.2:39700/authorize".into();
        }
    };
    if asked.path.starts_with("/.well-known/") { Act::Alter(alter) } else { Act::Pass }
}

fn redirects(asked: &Asked) -> Act {
    let answer = "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest/meta-data\r\nContent-Length: 0\r\n\
                  Connection: close\r\n\r\n";
    if asked.path == "/consent" { Act::Say(answer.into()) } else { Act::Pass }
}

/// The same over TLS, where a browser asks for a tunnel.
fn redirects_over_tls(asked: &Asked) -> Act {
    let answer =
        "HTTP/1.1 302 Found\r\nLocation: https://192.0.2.2/latest\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    if asked.path == "/consent" { Act::Say(answer.into()) } else { Act::Pass }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_form_agent_is_not_led_the_browser_is_not_led_either() {
    if !browser("where_the_form_agent_is_not_led_the_browser_is_not_led_either") {
        return;
    }
    // Of Firefox, only where it is sent first is judged.
    let chromium = installed().is_some_and(|program| program.file_stem().is_some_and(|name| name == "chromedriver"));
    let ways: [(&str, Acts); 3] =
        [("192.0.2.2", elsewhere), ("169.254.169.254", redirects), ("192.0.2.2", redirects_over_tls)];
    for (host, act) in ways.into_iter().take(if chromium { 3 } else { 1 }) {
        let (code, form, _) = stopped("form", act).await;
        let began = Instant::now();
        let (same, told, _) = stopped("webdriver", act).await;
        let says = format!("{host} is not a public address: the target may not lead there; add --allow-host {host}");
        assert!(told["error"].as_str().is_some_and(|error| error.contains(&says)), "{told}\nform: {form}");
        assert_eq!((same, &told), (code, &form));
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    }
}

static STUN: AtomicU16 = AtomicU16::new(0);

#[tokio::test(flavor = "multi_thread")]
async fn a_page_without_a_form_is_told_as_what_a_browser_shows() {
    if !browser("a_page_without_a_form_is_told_as_what_a_browser_shows") {
        return;
    }
    // Packets go past a proxy, if they are let.
    let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.set_nonblocking(true).unwrap();
    STUN.store(udp.local_addr().unwrap().port(), Ordering::Relaxed);
    let act = |asked: &Asked| {
        let page = format!(
            "<title>Wait</title><h1>Wait</h1><img src='http://192.0.2.7/x.png'><script>
            const p = new RTCPeerConnection({{ iceServers: [{{ urls: 'stun:127.0.0.1:{}' }}] }});
            p.createDataChannel('x');
            p.createOffer().then((offer) => p.setLocalDescription(offer));</script>",
            STUN.load(Ordering::Relaxed)
        );
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length";
        let answer = format!("{head}: {}\r\n\r\n{page}", page.len());
        if asked.path == "/authorize" { Act::Say(answer.into()) } else { Act::Pass }
    };
    let (code, told, remarks) = stopped("webdriver", act).await;
    let told = told.to_string();
    assert!(told.contains("could not be filled in") && told.contains("the browser shows no form there"), "{told}");
    assert!(!told.contains("runs none") && !told.contains("--agent webdriver"), "{told}");
    assert!(told.contains("[[login.page]]") && code == Some(4), "{code:?} {told}");
    if installed().is_some_and(|program| program.file_stem().is_some_and(|name| name == "chromedriver")) {
        assert!(remarks.contains("was kept from: 192.0.2.7 is not a public address"), "{remarks}");
        assert!(udp.recv(&mut [0; 64]).is_err(), "a packet went past the guard");
    }
}

//! A text of a target, with a secret put into it in some disguise: the record never breaks, and the secret never stays.
//! The first byte says where it is put, the second what it wears.
#![no_main]

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use libfuzzer_sys::fuzz_target;
use oaudit::wire::Vault;

const SECRET: &str = "Zq7/k+V=Wx9 Lm";

static VAULT: LazyLock<Vault> = LazyLock::new(|| {
    let vault = Vault::default();
    vault.learn("code", SECRET);
    vault
});

fuzz_target!(|bytes: &[u8]| {
    let [at, wears, rest @ ..] = bytes else { return };
    let text = String::from_utf8_lossy(rest);
    let at = text.char_indices().map(|(at, _)| at).nth(usize::from(*at)).unwrap_or(text.len());
    let percent: String = SECRET.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let json: String = SECRET.bytes().map(|byte| format!("\\u{byte:04X}")).collect();
    let html: String = SECRET.bytes().map(|byte| format!("&#x{byte:x};")).collect();
    let worn = match wears % 8 {
        0 => SECRET.to_owned(),
        1 => percent,
        2 => json,
        3 => html,
        4 => percent.replace('%', "%25"),
        5 => json.replace('\\', "\\\\"),
        6 => STANDARD.encode(format!("client:{percent}")),
        _ => URL_SAFE_NO_PAD.encode(format!("{{\"x\":\"{json}\"}}")),
    };
    // Neighbours that would make another escape or another stretch of base64 of it are not its disguise.
    let shown = VAULT.redact(&format!("{} <{worn}> {}", &text[..at], &text[at..])).into_owned();
    assert!(shown.contains("{code 1}"), "{worn} in {shown}");
    assert!(!shown.contains(&worn), "{shown}");
});

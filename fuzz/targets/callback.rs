//! What arrives at the redirect URI, and other addresses that a server names.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oaudit::oauth::answer::{Returned, origin};

fuzz_target!(|text: &str| {
    let returned = Returned::read(text, None);
    let _ = (returned.get("code"), returned.place(), returned.has_token(), origin(text));
    for path in ["http://127.0.0.1:1/callback?", "http://127.0.0.1:1/callback#"] {
        let _ = Returned::read(&format!("{path}{text}"), None).has_token();
    }
});

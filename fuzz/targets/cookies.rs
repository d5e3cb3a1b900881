//! `Set-Cookie`, one a line, into the jar; what goes back must fit into a header.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oaudit::front::fuzzing::cookies;

fuzz_target!(|bytes: &[u8]| {
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    for sent in cookies("https://login.as.example/a/b", &lines).into_iter().chain(cookies("http://127.0.0.1:9/", &lines)) {
        assert!(!sent.contains(['\r', '\n', '\0']), "{sent:?}");
    }
});

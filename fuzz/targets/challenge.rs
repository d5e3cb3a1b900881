//! `WWW-Authenticate`, one value a line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oaudit::oauth::challenge::parse;

fuzz_target!(|text: &str| {
    let values: Vec<&str> = text.lines().collect();
    for challenge in parse(&values) {
        assert!(!challenge.scheme.is_empty());
        assert!(challenge.parameters.iter().all(|(name, _)| !name.chars().any(|c| c.is_ascii_uppercase())));
        let said = challenge.parameters.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        assert!(said <= text.len(), "nothing is made up");
    }
});

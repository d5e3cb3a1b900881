//! A rule file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oaudit::rule::Rule;

fuzz_target!(|text: &str| {
    if let Err(problem) = Rule::load("house/x", "x.toml", text, None) {
        assert!(!problem.to_string().is_empty() && !problem.hint().is_empty());
    }
});

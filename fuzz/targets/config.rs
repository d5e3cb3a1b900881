//! An `oaudit.toml`.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use oaudit::config::Config;

fuzz_target!(|text: &str| match Config::parse(Path::new("oaudit.toml"), text) {
    Ok(config) => {
        let _ = (config.thresholds(), config.pages("login.page"), config.call(), config.routes());
        let _ = config.waivers(|_| None);
    }
    Err(problem) => assert!(!problem.to_string().is_empty() && !problem.hint().is_empty()),
});

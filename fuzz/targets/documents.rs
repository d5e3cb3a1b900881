//! The documents of discovery and the keys: JSON as it comes, through every check that reads documents, into a report.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oaudit::discovery::Target;
use oaudit::report::json;
use oaudit::run::Options;
use oaudit::run::offline::audit_saved;
use oaudit::saved::{Document, Saved};
use serde_json::Value;

fuzz_target!(|text: &str| {
    let mut documents = text.split('\u{1e}').map(|part| serde_json::from_str::<Value>(part).ok());
    let mut next = |file: &str| {
        let json = documents.next().flatten().filter(Value::is_object)?;
        Some(Document { file: file.into(), json })
    };
    let saved = Saved {
        resource: next("resource"),
        server: next("server"),
        jwks: next("jwks"),
        openid: next("openid"),
        ..Saved::default()
    };
    if saved.documents().next().is_none() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let target = Target::default();
    let audit = audit_saved(&saved, &target, Options::default());
    let report = runtime.block_on(audit).expect("nothing was selected");
    for line in &report.checks {
        assert!(!line.message.contains("bug of oaudit"), "{}: {}", line.id, line.message);
    }
    json::read(&json::render(&report)).expect("what was written is read back");
});

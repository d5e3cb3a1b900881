//! Doors for the fuzz targets, to what reads a target's words and is nobody else's business. Built for them alone.

use http::{HeaderMap, HeaderValue};

use super::fill::{consent, denial, login, second_factor, sent};
use super::html::Sheet;
use super::jar::Jar;
use crate::wire::{ExchangeId, Reply};

/// What is sent back to these addresses of the host, and to the host beside it, once these cookies were set.
pub fn cookies(from: &str, lines: &[&[u8]]) -> Vec<String> {
    let mut headers = HeaderMap::new();
    for line in lines {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append("set-cookie", value);
        }
    }
    let mut jar = Jar::default();
    jar.keep(&Reply {
        id: ExchangeId(1),
        url: from.into(),
        status: 200,
        headers,
        body: Default::default(),
        truncated: false,
    });
    assert_eq!(jar.header("https://other.test/"), None, "a cookie went to a stranger");
    let again = Jar::from(&super::cookies::SavedSession::from(&jar));
    [jar, again].iter().filter_map(|jar| jar.header(from)).collect()
}

/// Reads a page and does with it what the form agent may do.
pub fn page(text: &str) {
    const PASSWORD: &str = "correct horse battery";
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("text/html"));
    let url = String::from("https://login.as.example/a/b?c=d");
    let body = text.as_bytes().to_vec().into();
    let sheet = Sheet::of(&Reply { id: ExchangeId(1), url, status: 200, headers, body, truncated: false });
    let hide = |text: &str| text.to_owned();
    let _ = (sheet.says(sheet.kind(200), hide), sheet.says(sheet.kind(500), hide), sheet.complaint(hide));
    for plan in
        [login(&sheet, "alice", PASSWORD, Some("123456")), second_factor(&sheet, "123456")].into_iter().flatten()
    {
        let holds = plan.values.iter().flatten().any(|value| value == PASSWORD);
        assert!(plan.holds_password || !holds || text.contains(PASSWORD), "the password where nobody knows of it");
        let _ = sent(&sheet, super::fill::Way::Form(plan)).map(|filled| filled.outline());
    }
    for way in [consent(&sheet), denial(&sheet)].into_iter().flatten() {
        let _ = sent(&sheet, way).map(|filled| filled.outline());
    }
}

//! HAR 1.2: what went over the wire, for any viewer of HTTP archives. Redacted like every other record.

use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::Report;
use super::plain::{escaped, plain};
use crate::wire::Exchange;

/// The exchanges of a report as an HTTP archive.
pub fn render(report: &Report) -> String {
    let started = OffsetDateTime::parse(&report.started_at, &Rfc3339).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    // A handshake is no HTTP.
    let http = report.exchanges.iter().filter(|e| e.request.method != "TLS");
    let entries: Vec<Value> = http.map(|exchange| entry(exchange, started)).collect();
    let mut comment = String::from("secrets are replaced by labels such as {code 1}");
    report.remarks.iter().for_each(|remark| comment.push_str(&format!("\nremark: {}", plain(remark))));
    let archive = json!({ "log": {
        "version": "1.2",
        "creator": { "name": report.tool.name, "version": report.tool.version },
        "entries": entries,
        "comment": comment,
    }});
    escaped(format!("{archive:#}\n"))
}

fn entry(exchange: &Exchange, started: OffsetDateTime) -> Value {
    let at = started + Duration::milliseconds(i64::try_from(exchange.at_ms).unwrap_or(i64::MAX));
    let request = &exchange.request;
    let query: Vec<Value> = url::Url::parse(&request.url)
        .map(|u| u.query_pairs().map(|(n, v)| json!({ "name": n, "value": v })).collect())
        .unwrap_or_default();
    let mut sent = json!({
        "method": request.method, "url": uri(&request.url), "httpVersion": "HTTP/1.1", "cookies": [],
        "headers": headers(&request.headers), "queryString": query, "headersSize": -1,
        "bodySize": request.body.as_ref().map_or(0, String::len),
    });
    if let Some(body) = &request.body {
        sent["postData"] = json!({ "mimeType": header(&request.headers, "content-type"), "text": body });
    }
    let came = match &exchange.response {
        Some(response) => json!({
            "status": response.status, "statusText": "", "httpVersion": "HTTP/1.1", "cookies": [],
            "headers": headers(&response.headers), "redirectURL": header(&response.headers, "location"),
            "headersSize": -1, "bodySize": response.body.len(),
            "content": {
                "size": response.body.len(), "mimeType": header(&response.headers, "content-type"),
                "text": response.body,
            },
        }),
        None => json!({
            "status": 0, "statusText": "", "httpVersion": "HTTP/1.1", "cookies": [], "headers": [], "redirectURL": "",
            "headersSize": -1, "bodySize": -1, "content": { "size": 0, "mimeType": "" },
            "comment": exchange.trouble,
        }),
    };
    json!({
        "startedDateTime": at.format(&Rfc3339).unwrap_or_default(),
        "time": exchange.elapsed_ms, "request": sent, "response": came, "cache": {},
        "timings": { "send": 0, "wait": exchange.elapsed_ms, "receive": 0 },
        "comment": format!("{}, exchange {}", exchange.check, exchange.id.0),
    })
}

/// The address as a URI: the labels of secrets, and what was sent as no URI may be, percent-encoded.
fn uri(address: &str) -> String {
    let authority = address.find("://").map_or(0, |at| at + 3);
    let path = address[authority..].find(['/', '?', '#']).map_or(address.len(), |at| authority + at);
    let mut uri = address[..path].to_owned();
    let bytes = address.as_bytes();
    for (at, byte) in bytes.iter().enumerate().skip(path) {
        let hex = |n: usize| bytes.get(at + n).is_some_and(u8::is_ascii_hexdigit);
        let stays = match byte {
            b'%' => hex(1) && hex(2),
            b'#' => !uri.contains('#'),
            byte => byte.is_ascii_alphanumeric() || b"-._~:/?@!$&'()*+,;=".contains(byte),
        };
        match stays {
            true => uri.push(char::from(*byte)),
            false => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

fn headers(pairs: &[(String, String)]) -> Vec<Value> {
    pairs.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

fn header<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    pairs.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::mixed;

    #[test]
    fn an_address_is_a_uri_whatever_was_sent() {
        for (sent, is) in [
            ("http://[::1]:80/a?b=%20", "http://[::1]:80/a?b=%20"),
            ("https://a.example/?t={code 1}", "https://a.example/?t=%7Bcode%201%7D"),
            ("https://a.example/?bad=%zz&x=[é]#a#b", "https://a.example/?bad=%25zz&x=%5B%C3%A9%5D#a%23b"),
            ("https://a.example", "https://a.example"),
            ("", ""),
        ] {
            assert_eq!(uri(sent), is);
        }
    }

    #[test]
    fn every_exchange_is_an_entry_with_its_time() {
        let archive: Value = serde_json::from_str(&render(&mixed())).unwrap();
        let entries = archive["log"]["entries"].as_array().unwrap();
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0]["startedDateTime"], "2026-11-24T10:00:00.25Z");
        assert_eq!(entries[0]["request"]["postData"]["mimeType"], "application/x-www-form-urlencoded");
        assert_eq!(entries[0]["response"]["status"], 400);
    }
}

//! What an error answer gives away: a secret that was sent, or how the program behind it is built.

use serde_json::Value;

use crate::wire::Exchange;
use crate::wire::labels::labels;

/// What stands in an error answer and should not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leak {
    /// A secret, by its label.
    Secret(String),
    /// A stack trace, a path, a query: what it is.
    Internals(&'static str),
}

/// The kinds that are told apart: of a `token` that nobody issued nothing is known.
const SECRETS: [&str; 12] = [
    "code",
    "access_token",
    "refresh_token",
    "id_token",
    "token",
    "client_secret",
    "client_assertion",
    "assertion",
    "code_verifier",
    "registration_access_token",
    "password",
    "basic credentials",
];

/// Whether an answer reports an error: by its status, or as JSON with a member `error`, which some send with 200.
pub fn is_error(exchange: &Exchange) -> bool {
    let Some(response) = &exchange.response else { return false };
    response.status >= 400
        || serde_json::from_str::<Value>(&response.body)
            .is_ok_and(|json| json.get("error").is_some_and(|e| !e.is_null()))
}

/// What an error answer gives away. Only secrets that were sent with the request count as echoed: a page may hold others
/// for a reason of its own.
pub fn leak(exchange: &Exchange) -> Option<Leak> {
    let response = exchange.response.as_ref()?;
    let request = &exchange.request;
    let sent = |label: &str| {
        let headers = request.headers.iter().map(|(_, value)| value.as_str());
        headers.chain([request.url.as_str()]).chain(request.body.as_deref()).any(|text| text.contains(label))
    };
    let said = response.headers.iter().filter(|(name, _)| name == "www-authenticate").map(|(_, value)| value.as_str());
    let echoed = said
        .chain([response.body.as_str()])
        .flat_map(labels)
        .find(|label| SECRETS.contains(&label.kind) && sent(label.text));
    match echoed {
        Some(label) => Some(Leak::Secret(label.text.to_owned())),
        None => internals(&response.body).map(Leak::Internals),
    }
}

/// Words that only a stack trace, an exception or a failed query has.
const WORDS: [(&str, &str); 24] = [
    ("Traceback (most recent call last)", "a Python stack trace"),
    ("Werkzeug Debugger", "the Werkzeug debugger"),
    ("You're seeing this error because you have <code>DEBUG = True</code>", "Django's debug page"),
    ("Exception in thread \"", "a Java stack trace"),
    ("Caused by: java.", "a Java stack trace"),
    ("java.lang.", "a Java exception"),
    ("org.springframework.", "a Java exception"),
    ("System.NullReferenceException", "a .NET exception"),
    ("System.InvalidOperationException", "a .NET exception"),
    ("goroutine 1 [", "a Go stack trace"),
    ("panic: runtime error", "a Go stack trace"),
    ("' panicked at ", "a Rust panic"),
    ("stack backtrace:", "a Rust stack trace"),
    ("Stack trace:\n#0 ", "a PHP stack trace"),
    ("ActionController::", "a Ruby exception"),
    ("SQLSTATE[", "an error of the database"),
    ("You have an error in your SQL syntax", "an error of the database"),
    ("syntax error at or near \"", "an error of the database"),
    ("psycopg2.", "an error of the database"),
    ("sqlite3.OperationalError", "an error of the database"),
    ("SequelizeDatabaseError", "an error of the database"),
    ("PrismaClientKnownRequestError", "an error of the database"),
    ("org.hibernate.", "an error of the database"),
    ("ORA-009", "an error of the database"),
];

/// How a frame of a stack trace ends: `verify.js:70:17`, `views.py", line 12`, `Foo.java:12)`.
const SOURCES: [&str; 12] = [
    ".js:",
    ".mjs:",
    ".cjs:",
    ".ts:",
    ".py\", line ",
    ".rb:",
    ".java:",
    ".kt:",
    ".go:",
    ".rs:",
    ".php on line ",
    ".cs:line ",
];

/// How the program behind an answer is built, as far as the answer tells.
pub fn internals(text: &str) -> Option<&'static str> {
    if let Some((_, what)) = WORDS.iter().find(|(word, _)| text.contains(word)) {
        return Some(what);
    }
    let mut frames = SOURCES.iter().flat_map(|source| {
        text.match_indices(source).filter(|(at, _)| text[at + source.len()..].starts_with(|c: char| c.is_ascii_digit()))
    });
    frames.any(|(at, _)| names_a_place(&text[..at])).then_some("a stack trace with the paths of source files")
}

/// Whether what comes before the ending is a path or a frame, and not the host of an address (`https://x.rs:8443`).
fn names_a_place(before: &str) -> bool {
    let start = before.rfind(|c: char| c.is_whitespace() || "\"'(<>;,".contains(c)).map_or(0, |i| i + 1);
    let path = &before[start..];
    let frame = ["at ", "at (", "File \""].iter().any(|f| before[..start].ends_with(f))
        || (before[..start].ends_with('(') && before[..start].contains("at "));
    !path.contains("://") && (frame || path.starts_with('/') || path.get(1..3) == Some(":\\"))
        || path.starts_with("file:///")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::labels::tests::exchange;

    #[test]
    fn a_trace_is_known_in_many_languages() {
        for text in [
            "<pre>TypeError: x<br> &nbsp; &nbsp;at verify (/srv/app/node_modules/jsonwebtoken/verify.js:70:17)</pre>",
            "{\"stack\":\"Error: bad\\n    at file:///app/dist/token.mjs:12:9\"}",
            "Traceback (most recent call last):\n  File \"/app/views.py\", line 12, in post",
            "  File \"/app/views.py\", line 12",
            "\tat com.example.Token.parse(Token.java:42)",
            "/app/models/token.rb:12:in `parse'",
            "   at Token.Parse() in C:\\src\\Token.cs:line 42",
            "/go/src/app/token.go:31 +0x1d",
            "<b>Fatal error</b>: x in /var/www/token.php on line 7",
            "ERROR: syntax error at or near \"OR\"",
        ] {
            assert!(internals(text).is_some(), "{text}");
        }
    }

    #[test]
    fn plain_words_and_addresses_are_no_trace() {
        for text in [
            r#"{"error":"invalid_grant","error_description":"the code has expired, see https://docs.example.rs:8443/e.js"}"#,
            r#"{"error":"invalid_scope","error_description":"unknown scope notes.rs:7"}"#,
            "<script src=\"/static/app.js?v=1:2\"></script> at 10:20",
            "<link href=/a/b.py> read the file",
        ] {
            assert_eq!(internals(text), None, "{text}");
        }
    }

    #[test]
    fn what_was_sent_and_comes_back_is_an_echo() {
        let request = ("POST", "https://as/token", Some("code={code 1}&client_id=c"));
        let echo = exchange(request, (400, &[], r#"{"error":"invalid_grant","error_description":"no {code 1}"}"#));
        assert_eq!(leak(&echo), Some(Leak::Secret("{code 1}".into())));
        let other = exchange(request, (400, &[], r#"<input name=code value="{code 2}">"#));
        assert_eq!(leak(&other), None);
        let named = exchange(request, (400, &[], r#"{"error":"invalid_request","error_description":"code is bad"}"#));
        assert!(is_error(&named) && leak(&named).is_none());
        let with_200 = exchange(request, (200, &[], r#"{"error":"invalid_grant"}"#));
        assert!(is_error(&with_200) && !is_error(&exchange(request, (200, &[], r#"{"error":null}"#))));
        let header = exchange(request, (401, &[("www-authenticate", "Bearer error_description=\"{code 1}\"")], ""));
        assert!(matches!(leak(&header), Some(Leak::Secret(_))));
    }
}

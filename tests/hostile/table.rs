//! What is done where, and what is said of it.

use std::io::Write as _;

use super::between::{self, Act};
use super::deeds;

/// One behaviour at one address of an otherwise sound server.
pub(crate) struct Row {
    /// What is done.
    pub(crate) name: &'static str,
    /// To requests of this path, or of every one (`*`); where " with a token" follows, to those that bring one.
    pub(crate) at: &'static str,
    /// How.
    pub(crate) act: fn() -> Act,
    /// The exit code.
    pub(crate) code: i32,
    /// Words of what is said; either of two where both may come first.
    pub(crate) says: &'static str,
    /// The checks that fail, rightly.
    pub(crate) red: &'static [&'static str],
}

const LOGIN_BY_SCRIPT: &str = "<form method=post action=\"javascript:alert(1)\"><input name=username><input type=password \
                               name=password><button>Sign in</button></form>";

const LOGIN_ELSEWHERE: &str = "<form method=post action=\"http://169.254.169.254/\"><input name=username><input \
                               type=password name=password><button>Sign in</button></form>";

const fn row(
    name: &'static str,
    at: &'static str,
    act: fn() -> Act,
    code: i32,
    says: &'static str,
    red: &'static [&'static str],
) -> Row {
    Row { name, at, act, code, says, red }
}

fn answer(status: u16, kind: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn json(body: &str) -> Vec<u8> {
    answer(200, "application/json", body)
}

fn page(body: &str) -> Vec<u8> {
    answer(200, "text/html", body)
}

fn typed(kind: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn coded(coding: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// 64 MiB of nothing, in as many members.
fn bomb() -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&vec![b' '; 1 << 20]).expect("it is kept in memory");
    gzip.finish().expect("it is kept in memory").repeat(64)
}

const WEBSOCKET: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
    sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x02{}";

fn redirect(to: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").into_bytes()
}

fn challenge(parameters: &str) -> Vec<u8> {
    format!("HTTP/1.1 401 X\r\nwww-authenticate: Bearer {parameters}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        .into_bytes()
}

const SERVER: &str = "/.well-known/oauth-authorization-server";
const RESOURCE: &str = "/.well-known/oauth-protected-resource/mcp";

/// All of them.
#[rustfmt::skip]
pub(crate) const ROWS: &[Row] = &[
    row("silence", SERVER, || Act::Do(deeds::silent), 4, "gave no answer within 2 s", &[]),
    row("cut at once", SERVER, || Act::Do(deeds::cut_at_once), 4, "cut the connection", &[]),
    row("reset", SERVER, || Act::Do(between::reset), 4, "cut the connection", &[]),
    row("endless body", SERVER, || Act::Do(deeds::endless_chunks), 4, "sent more than 256 KiB", &[]),
    row("trickled body", SERVER, || Act::Do(deeds::trickled_body), 4, "gave no answer within 2 s", &[]),
    row("trickled head", SERVER, || Act::Do(deeds::trickled_head), 4, "gave no answer within 2 s", &[]),
    row("endless head", SERVER, || Act::Do(deeds::endless_head), 4, "gave no answer within 2 s", &[]),
    row("100-continue for ever", SERVER, || Act::Do(deeds::endless_continue), 4, "gave no answer within 2 s", &[]),
    row("early hints for ever", SERVER, || Act::Do(deeds::endless_hints), 4, "gave no answer within 2 s", &[]),
    row("endless trailers", SERVER, || Act::Do(deeds::endless_trailers), 4, "did not answer in HTTP", &[]),
    row("endless chunk extension", SERVER, || Act::Do(deeds::endless_chunk_extension), 4, "did not answer in HTTP", &[]),
    row("silence", RESOURCE, || Act::Do(deeds::silent), 3, "gave no answer within 2 s", &[]),
    row("silence", "/token", || Act::Do(deeds::silent), 3, "gave no answer within 2 s", &[]),
    row("silence", "/mcp", || Act::Do(deeds::silent), 4, "gave no answer within 2 s", &[]),
    row("silence", "/register", || Act::Do(deeds::silent), 4, "gave no answer within 2 s", &[]),
    row("silence", "/authorize", || Act::Do(deeds::silent), 4, "gave no answer within 2 s", &[]),
    row("silence", "/jwks", || Act::Do(deeds::silent), 3, "gave no answer within 2 s", &[]),
    row("reset", "/token", || Act::Do(between::reset), 3, "cut the connection", &[]),
    row("reset", "/mcp", || Act::Do(between::reset), 4, "cut the connection", &[]),
    row("reset", "/authorize", || Act::Do(between::reset), 4, "cut the connection", &[]),
    row("cut in the head", SERVER, || Act::Cut(40), 4, "cut the connection", &[]),
    row("cut in the body", SERVER, || Act::Cut(700), 4, "cut the connection", &[]),
    row("cut in the body", "/token", || Act::Cut(500), 3, "cut the connection", &[]),
    row("cut in the body", "/jwks", || Act::Cut(300), 3, "cut the connection", &[]),
    row("10,000 headers", SERVER, || Act::Say([b"HTTP/1.1 200 OK\r\n".as_slice(), &b"a: b\r\n".repeat(10_000), b"\r\n{}"].concat()), 4, "did not answer in HTTP", &[]),
    row("a header of 1 MiB", SERVER, || Act::Say([b"HTTP/1.1 200 OK\r\na: ".as_slice(), &[b'a'; 1 << 20], b"\r\n\r\n{}"].concat()), 4, "did not answer in HTTP", &[]),
    row("no status line", SERVER, || Act::Say(b"<html>hello</html>".to_vec()), 4, "did not answer in HTTP", &[]),
    row("a status line of nonsense", SERVER, || Act::Say(b"HTTP/9.9 two hundred\r\n\r\n".to_vec()), 4, "did not answer in HTTP", &[]),
    row("status 999", SERVER, || Act::Say(b"HTTP/1.1 999 What\r\ncontent-length: 2\r\n\r\n{}".to_vec()), 4, "(999)", &["server_metadata/published"]),
    row("status 000", SERVER, || Act::Say(b"HTTP/1.1 000 Nothing\r\ncontent-length: 2\r\n\r\n{}".to_vec()), 4, "did not answer in HTTP", &[]),
    row("a negative length", SERVER, || Act::Say(b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n{}".to_vec()), 4, "did not answer in HTTP", &[]),
    row("a length of 2^64", SERVER, || Act::Say(b"HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551616\r\n\r\n{}".to_vec()), 4, "did not answer in HTTP", &[]),
    row("two lengths", SERVER, || Act::Say(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}".to_vec()), 4, "did not answer in HTTP", &[]),
    row("a length and chunks", SERVER, || Act::Say(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n".to_vec()), 4, "no member of server metadata", &["server_metadata/published"]),
    row("chunks of nonsense", SERVER, || Act::Say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n".to_vec()), 4, "did not answer in HTTP|cut the connection", &[]),
    row("a chunk of 2^68", SERVER, || Act::Say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}".to_vec()), 4, "did not answer in HTTP", &[]),
    row("switching protocols", SERVER, || Act::Say(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n".to_vec()), 4, "(101)", &["server_metadata/published"]),
    row("HTTP/2 unasked", SERVER, || Act::Say(b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64".to_vec()), 4, "did not answer in HTTP", &[]),
    row("a TLS alert", SERVER, || Act::Say(b"\x15\x03\x01\0\x02\x02\x46".to_vec()), 4, "did not answer in HTTP", &[]),
    row("304 unasked", SERVER, || Act::Say(b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec()), 4, "(304)", &["server_metadata/published"]),
    row("204 with a body", SERVER, || Act::Say(b"HTTP/1.1 204 No Content\r\n\r\n{}".to_vec()), 4, "(204)", &["server_metadata/published"]),
    row("a NUL in a header", SERVER, || Act::Say(b"HTTP/1.1 200 OK\r\na: b\0c\r\n\r\n{}".to_vec()), 4, "did not answer in HTTP", &[]),
    row("a folded header", SERVER, || Act::Say(b"HTTP/1.1 200 OK\r\na: b\r\n c\r\ncontent-length: 2\r\n\r\n{}".to_vec()), 4, "did not answer in HTTP", &[]),
    row("a bare LF in a header", SERVER, || Act::Say(b"HTTP/1.1 200 OK\na: b\n\n{}".to_vec()), 4, "no member of server metadata", &["server_metadata/published"]),
    row("gzip unasked", SERVER, || Act::Say(coded("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xab\xae\x05\0\x43\xbf\xa6\xa3\x02\0\0\0")), 4, "no member of server metadata", &["server_metadata/published"]),
    row("a gzip bomb", SERVER, || Act::Say(coded("gzip", &bomb())), 4, "sent more than 256 KiB", &[]),
    row("a gzip bomb", "/token", || Act::Say(coded("gzip", &bomb())), 1, "with more than 128 KiB, which was not read to its end", &["authorization/code-flow-works", "token/error-codes"]),
    row("a gzip bomb", "/authorize", || Act::Say(coded("gzip", &bomb())), 4, "could not be filled in", &[]),
    row("gzip that is none", SERVER, || Act::Say(coded("gzip", b"{}")), 4, "is not what its Content-Encoding, gzip, says", &[]),
    row("gzip in gzip", SERVER, || Act::Say(coded("gzip, gzip", b"{}")), 4, "Content-Encoding: gzip, gzip, which nobody asked for", &[]),
    row("brotli unasked", SERVER, || Act::Say(coded("br", b"\x0b\x00\x80{}\x03")), 4, "Content-Encoding: br, which nobody asked for", &[]),
    row("brotli unasked", "/token", || Act::Say(coded("br", b"\x0b\x00\x80{}\x03")), 3, "Content-Encoding: br, which nobody asked for", &[]),
    row("brotli unasked", "/mcp", || Act::Say(coded("br", b"\x0b\x00\x80{}\x03")), 4, "Content-Encoding: br, which nobody asked for", &[]),
    row("a WebSocket", SERVER, || Act::Say(WEBSOCKET.to_vec()), 4, "(101)", &["server_metadata/published"]),
    row("a WebSocket", "/mcp", || Act::Say(WEBSOCKET.to_vec()), 1, "GET without a token is answered 101", &["resource_metadata/challenge-401"]),
    row("a WebSocket", "/mcp with a token", || Act::Say(WEBSOCKET.to_vec()), 3, "was answered 101", &[]),
    row("silence", "/mcp with a token", || Act::Do(deeds::silent), 3, "gave no answer within 2 s", &[]),
    row("trickled body", "/mcp with a token", || Act::Do(deeds::trickled_body), 3, "gave no answer within 2 s", &[]),
    row("events without end", "/mcp with a token", || Act::Do(deeds::endless_events), 3, "gave no answer within 2 s", &[]),
    row("a document of 50 MiB", SERVER, || Act::Say(json(&format!("{{\"issuer\":\"{}\"}}", "x".repeat(50 << 20)))), 4, "sent more than 256 KiB|gave no answer within 2 s", &[]),
    row("JSON 100,000 deep", SERVER, || Act::Say(json(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)))), 4, "200, but not JSON", &["server_metadata/published"]),
    row("objects 100,000 deep", SERVER, || Act::Say(json(&format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000)))), 4, "sent more than 256 KiB", &[]),
    row("UTF-16", SERVER, || Act::Say(typed("application/json", &"{}".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>())), 4, "200, but not JSON", &["server_metadata/published"]),
    row("bytes that are no UTF-8", SERVER, || Act::Say(typed("application/json", b"{\"issuer\":\"\xff\xfe\"}")), 4, "200, but not JSON", &["server_metadata/published"]),
    row("a byte order mark", SERVER, || Act::Say(json("\u{feff}{}")), 4, "200, but not JSON", &["server_metadata/published"]),
    row("the document null", SERVER, || Act::Say(json("null")), 4, "JSON that is null", &["server_metadata/published"]),
    row("the document []", SERVER, || Act::Say(json("[]")), 4, "JSON that is an array", &["server_metadata/published"]),
    row("the document \"text\"", SERVER, || Act::Say(json("\"text\"")), 4, "JSON that is a string", &["server_metadata/published"]),
    row("the document 1e999", SERVER, || Act::Say(json("1e999")), 4, "200, but not JSON", &["server_metadata/published"]),
    row("the document {}", SERVER, || Act::Say(json("{}")), 4, "no member of server metadata", &["server_metadata/published"]),
    row("5,000 members", SERVER, || Act::Alter(|it| { for n in 0..5_000 { it[format!("member_{n}")] = n.into(); } }), 0, "", &[]),
    row("100,000 scopes", SERVER, || Act::Alter(|it| { it["scopes_supported"] = (0..100_000).map(|n| format!("s{n}")).collect::<Vec<_>>().into(); }), 4, "sent more than 256 KiB|gave no answer within 2 s", &[]),
    row("endpoints that are numbers", SERVER, || Act::Alter(|it| { it["authorization_endpoint"] = 1.into(); it["token_endpoint"] = 2.into(); }), 4, "names no authorization_endpoint and token_endpoint", &["server_metadata/required-members"]),
    row("a token endpoint that is a list", SERVER, || Act::Alter(|it| { it["token_endpoint"] = vec![it["token_endpoint"].clone()].into(); }), 4, "names no authorization_endpoint and token_endpoint", &["server_metadata/required-members"]),
    row("a token endpoint at javascript:", SERVER, || Act::Alter(|it| { it["token_endpoint"] = "javascript:alert(1)".into(); }), 1, "is not an http or https URL", &["server_metadata/https-everywhere"]),
    row("a token endpoint at file:", SERVER, || Act::Alter(|it| { it["token_endpoint"] = "file:///etc/passwd".into(); }), 1, "is not an http or https URL", &["server_metadata/https-everywhere"]),
    row("a token endpoint at data:", SERVER, || Act::Alter(|it| { it["token_endpoint"] = "data:text/html,hello".into(); }), 1, "is not an http or https URL", &["server_metadata/https-everywhere"]),
    row("a token endpoint at a metadata service", SERVER, || Act::Alter(|it| { it["token_endpoint"] = "http://169.254.169.254/latest/meta-data".into(); }), 1, "is not a public address", &["server_metadata/https-everywhere", "transport/https-only"]),
    row("a token endpoint at a private address", SERVER, || Act::Alter(|it| { it["token_endpoint"] = "http://10.0.0.1/token".into(); }), 1, "is not a public address", &["server_metadata/https-everywhere", "transport/https-only"]),
    row("a token endpoint at a decimal address", SERVER, || Act::Alter(|it| { it["token_endpoint"] = "http://2852039166/token".into(); }), 1, "is not a public address", &["server_metadata/https-everywhere", "transport/https-only"]),
    row("a token endpoint at an octal address", SERVER, || Act::Alter(|it| { it["token_endpoint"] = "http://0251.0376.0251.0376/token".into(); }), 1, "is not a public address", &["server_metadata/https-everywhere", "transport/https-only"]),
    row("a token endpoint at a mapped address", SERVER, || Act::Alter(|it| { it["token_endpoint"] = "http://[::ffff:169.254.169.254]/token".into(); }), 1, "is ::ffff:169.254.169.254, not a public address", &["server_metadata/https-everywhere", "transport/https-only"]),
    row("a token endpoint at NAT64", SERVER, || Act::Alter(|it| { it["token_endpoint"] = "http://[64:ff9b::a9fe:a9fe]/token".into(); }), 1, "is not a public address", &["server_metadata/https-everywhere", "transport/https-only"]),
    row("a token endpoint at a unique local address", SERVER, || Act::Alter(|it| { it["token_endpoint"] = "http://[fd00:ec2::254]/token".into(); }), 1, "is not a public address", &["server_metadata/https-everywhere", "transport/https-only"]),
    row("an authorization endpoint at javascript:", SERVER, || Act::Alter(|it| { it["authorization_endpoint"] = "javascript:alert(1)".into(); }), 4, "is not an http or https URL", &["server_metadata/https-everywhere"]),
    row("an authorization endpoint at a metadata service", SERVER, || Act::Alter(|it| { it["authorization_endpoint"] = "http://169.254.169.254/authorize".into(); }), 4, "is not a public address", &["server_metadata/https-everywhere", "transport/https-only"]),
    row("a jwks_uri at a metadata service", SERVER, || Act::Alter(|it| { it["jwks_uri"] = "http://169.254.169.254/jwks".into(); }), 1, "is not a public address", &["server_metadata/https-everywhere", "transport/https-only"]),
    row("a revocation endpoint at a metadata service", SERVER, || Act::Alter(|it| { it["revocation_endpoint"] = "http://169.254.169.254/revoke".into(); }), 1, "is not a public address", &["server_metadata/https-everywhere", "transport/https-only"]),
    row("a registration endpoint at a metadata service", SERVER, || Act::Alter(|it| { it["registration_endpoint"] = "http://169.254.169.254/register".into(); }), 4, "is not a public address", &["server_metadata/https-everywhere"]),
    row("10,000 authorization servers", RESOURCE, || Act::Alter(|it| { it["authorization_servers"] = (0..10_000).map(|n| format!("http://127.0.0.1:1/{n}")).collect::<Vec<_>>().into(); }), 4, "nothing answers at", &[]),
    row("an authorization server at a metadata service", RESOURCE, || Act::Alter(|it| { it["authorization_servers"] = vec!["http://169.254.169.254"].into(); }), 4, "is not a public address", &["resource_metadata/authorization-servers-listed"]),
    row("a redirect loop", SERVER, || Act::Say(redirect("/.well-known/oauth-authorization-server")), 4, "(302)", &["server_metadata/published"]),
    row("a redirect to a metadata service", RESOURCE, || Act::Say(redirect("http://169.254.169.254/")), 1, "(302)", &["resource_metadata/published", "resource_metadata/challenge-points-to-metadata"]),
    row("a redirect loop", "/authorize", || Act::Say(redirect("/authorize?again")), 3, "(302)", &[]),
    row("a redirect to file:", "/authorize", || Act::Say(redirect("file:///etc/passwd")), 1, "(302)", &["authorization/code-flow-works"]),
    row("a redirect to javascript:", "/authorize", || Act::Say(redirect("javascript:alert(1)")), 1, "(302)", &["authorization/code-flow-works"]),
    row("a redirect to a metadata service", "/authorize", || Act::Say(redirect("http://169.254.169.254/latest/meta-data")), 4, "is not a public address", &[]),
    row("a Location of 100 KiB", "/authorize", || Act::Say(redirect(&format!("/{}", "a".repeat(100 << 10)))), 4, "did not answer in HTTP", &[]),
    row("Retry-After: 1000000000", "/token", || Act::Say(b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 1000000000\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec()), 3, "rate limited", &[]),
    row("Retry-After: -1", "/token", || Act::Say(b"HTTP/1.1 429 Too Many Requests\r\nretry-after: -1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec()), 3, "rate limited", &[]),
    row("Retry-After: Fri, 31 Dec 9999 23:59:59 GMT", "/token", || Act::Say(b"HTTP/1.1 429 Too Many Requests\r\nretry-after: Fri, 31 Dec 9999 23:59:59 GMT\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec()), 3, "rate limited", &[]),
    row("Retry-After: soon", "/token", || Act::Say(b"HTTP/1.1 429 Too Many Requests\r\nretry-after: soon\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec()), 3, "rate limited", &[]),
    row("a clock 60 years ahead", "/token", || Act::Add("date: Sat, 26 Nov 2086 10:00:00 GMT\r\n".into()), 0, "", &[]),
    row("90 cookies of 300 bytes", "/authorize", || Act::Add((0..90).map(|n| format!("set-cookie: c{n}={}; Path=/\r\n", "v".repeat(300))).collect()), 3, "than a record can hide or hold", &[]),
    row("a cookie of 300 KiB", "/authorize", || Act::Add(format!("set-cookie: big={}; Path=/\r\n", "v".repeat(300 << 10))), 3, "than a record can hide or hold", &[]),
    row("an endless page", "/authorize", || Act::Do(deeds::endless_page), 4, "could not be filled in|gave no answer within 2 s", &[]),
    row("a page of 50 MiB", "/authorize", || Act::Say(page(&"<p>hello".repeat(6 << 20))), 4, "could not be filled in|gave no answer within 2 s", &[]),
    row("a form of 100,000 inputs", "/authorize", || Act::Say(page(&format!("<form method=post>{}</form>", "<input name=a>".repeat(100_000)))), 4, "could not be filled in|gave no answer within 2 s", &[]),
    row("elements 100,000 deep", "/authorize", || Act::Say(page(&"<div>".repeat(100_000))), 4, "could not be filled in", &[]),
    row("100,000 forms", "/authorize", || Act::Say(page(&"<form><input></form>".repeat(100_000))), 4, "could not be filled in", &[]),
    row("a form that leads to javascript:", "/authorize", || Act::Say(page(LOGIN_BY_SCRIPT)), 1, "javascript:", &["transport/frame-protection"]),
    row("a form that leads to a metadata service", "/authorize", || Act::Say(page(LOGIN_ELSEWHERE)), 4, "is not a public address", &[]),
    row("a refresh loop", "/authorize", || Act::Say(page("<meta http-equiv=refresh content=\"0; url=/authorize\">")), 3, "still led on", &[]),
    row("a challenge of 10,000 parameters", "/mcp", || Act::Say(challenge(&(0..10_000).map(|n| format!("p{n}=\"v\"")).collect::<Vec<_>>().join(", "))), 1, "challenge-points-to-metadata", &["resource_metadata/challenge-points-to-metadata", "resource/accepts-valid-token"]),
    row("a challenge that never closes its quotes", "/mcp", || Act::Say(challenge("resource_metadata=\"http://")), 1, "challenge-points-to-metadata", &["resource_metadata/challenge-points-to-metadata", "resource/accepts-valid-token"]),
    row("a challenge that leads to a metadata service", "/mcp", || Act::Say(challenge("resource_metadata=\"http://169.254.169.254/\"")), 1, "which is not https", &["resource_metadata/challenge-points-to-metadata", "resource/accepts-valid-token"]),
    row("a challenge that leads to file:", "/mcp", || Act::Say(challenge("resource_metadata=\"file:///etc/passwd\"")), 1, "challenge-points-to-metadata", &["resource_metadata/challenge-points-to-metadata", "resource/accepts-valid-token"]),
    row("events without end", "/mcp", || Act::Do(deeds::endless_events), 4, "gave no answer within 2 s", &[]),
    row("an event without end", "/mcp", || Act::Do(deeds::endless_event), 1, "GET without a token is answered 200", &["resource_metadata/challenge-401", "code/replay-revokes-tokens", "refresh/access-token-after-refresh", "revocation/access-token", "revocation/cascades", "resource/bad-token-401-not-500", "resource/tampered-token-refused", "resource/alg-none-refused", "resource/key-confusion-refused", "resource/embedded-key-refused", "resource/foreign-issuer-refused", "resource/wrong-kind-refused", "resource/query-token-ignored"]),
    row("expires_in 1e308", "/token", || Act::Alter(|it| { if it.get("access_token").is_some() { it["expires_in"] = 1e308.into(); } }), 1, "lives for", &["access_token/short-lived"]),
    row("expires_in -1", "/token", || Act::Alter(|it| { if it.get("access_token").is_some() { it["expires_in"] = (-1).into(); } }), 1, "expires_in is -1", &["token/response-format", "access_token/jwt-verifies"]),
    row("expires_in in words", "/token", || Act::Alter(|it| { if it.get("access_token").is_some() { it["expires_in"] = "ten minutes".into(); } }), 1, "expires_in is a string", &["token/response-format"]),
    row("an access token that is an object", "/token", || Act::Alter(|it| { if it.get("access_token").is_some() { it["access_token"] = serde_json::json!({ "a": 1 }); } }), 1, "neither access_token nor error", &["authorization/code-flow-works"]),
    row("an access token with a line break", "/token", || Act::Alter(|it| { if it.get("access_token").is_some() { it["access_token"] = "abc\r\nx-evil: 1".into(); } }), 1, "holds the character", &["authorization/code-flow-works"]),
    row("an access token of 1 MiB", "/token", || Act::Alter(|it| { if it.get("access_token").is_some() { it["access_token"] = "a".repeat(900 << 10).into(); } }), 1, "more than 128 KiB, which was not read to its end", &["authorization/code-flow-works"]),
    row("an empty access token", "/token", || Act::Alter(|it| { if it.get("access_token").is_some() { it["access_token"] = "".into(); } }), 1, "neither access_token nor error", &["authorization/code-flow-works"]),
    row("a scope that is a list", "/token", || Act::Alter(|it| { if it.get("access_token").is_some() { it["scope"] = vec!["notes:read"].into(); } }), 1, "scope is an array", &["token/response-format"]),
    row("a refresh token that is a number", "/token", || Act::Alter(|it| { if it.get("access_token").is_some() { it["refresh_token"] = 7.into(); } }), 1, "no refresh token came", &["refresh/issued"]),
    row("control characters in an error", "/token", || Act::Say(answer(400, "application/json", "{\"error\":\"invalid_grant\",\"error_description\":\"\\u001b]8;;http://evil\\u0007 \\u202e ::set-output name=x::y\"}")), 1, "invalid_grant", &["authorization/code-flow-works", "token/error-codes"]),
    row("2,000 keys", "/jwks", || Act::Alter(|it| { let key = it["keys"][0].clone(); it["keys"] = vec![key; 2_000].into(); }), 3, "sent more than 256 KiB", &[]),
    row("a key of 400 KiB", "/jwks", || Act::Alter(|it| { it["keys"][0]["n"] = "A".repeat(400 << 10).into(); }), 3, "sent more than 256 KiB", &[]),
    row("a client id of 100 KiB", "/register", || Act::Alter(|it| { it["client_id"] = "c".repeat(100 << 10).into(); }), 4, "did not answer in HTTP", &["token/error-codes"]),
    row("a client id with control characters", "/register", || Act::Alter(|it| { it["client_id"] = "\u{1b}[31mred\r\n".into(); }), 1, "invalid_client", &["authorization/code-flow-works", "token/error-codes"]),
    row("an empty client id", "/register", || Act::Alter(|it| { it["client_id"] = "".into(); }), 1, "client_id", &["authorization/code-flow-works", "token/error-codes", "registration/dynamic-works"]),
    row("a client that is managed at a metadata service", "/register", || Act::Alter(|it| { it["registration_client_uri"] = "http://169.254.169.254/".into(); }), 0, "is not a public address", &[]),
    row("80 headers of 4,000 bytes", "*", || Act::Add(deeds::pads(4_000)), 3, "than a record can hide or hold", &[]),
    row("80 headers of 200 bytes", "*", || Act::Add(deeds::pads(200)), 3, "than a record can hide or hold", &[]),
    row("80 cookies, other ones in each answer", "*", || Act::Add(deeds::fresh_cookies()), 3, "than a record can hide or hold", &[]),
    row("errors of 9,000 bytes", "/token", || Act::Alter(|it| { if it.get("error").is_some() { it["error_description"] = "no ".repeat(3_000).into(); } }), 3, "nothing was found in its first 8 KiB", &[]),
];

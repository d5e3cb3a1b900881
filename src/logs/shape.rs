//! The shapes of tokens: by a mark that stands before them or at their beginning, and by what comes after it.
//!
//! A mark alone is never enough. `code=` stands before status codes, `Bearer` before the parameters of a challenge,
//! `sk-` inside of words: the value has to look as if it had been drawn at random.

use std::ops::Range;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// A mark and how what follows is judged.
pub(super) struct Mark {
    pub(super) text: &'static str,
    pub(super) kind: &'static str,
    /// The lower, the surer.
    pub(super) rank: u8,
    judged: Judged,
}

#[derive(Clone, Copy)]
enum Judged {
    Jwt,
    Bearer,
    Basic,
    /// A parameter or member whose name says it all.
    Named,
    /// One whose name is also used for other things.
    Common,
    /// The beginning of the token itself, exactly so, and how many characters follow at least.
    Prefix(usize),
}

const fn mark(text: &'static str, kind: &'static str, judged: Judged) -> Mark {
    let rank = match judged {
        Judged::Jwt | Judged::Prefix(_) => 1,
        Judged::Bearer | Judged::Basic => 2,
        Judged::Named => 3,
        Judged::Common => 4,
    };
    Mark { text, kind, rank, judged }
}

/// Names in any case; `-`, `_` and nothing between the words.
pub(super) static MARKS: &[Mark] = &[
    mark("eyJ", "jwt", Judged::Jwt),
    mark("bearer", "bearer token", Judged::Bearer),
    mark("basic", "basic credentials", Judged::Basic),
    mark("access_token", "access_token parameter", Judged::Named),
    mark("access-token", "access_token parameter", Judged::Named),
    mark("accesstoken", "access_token parameter", Judged::Named),
    mark("refresh_token", "refresh_token parameter", Judged::Named),
    mark("refresh-token", "refresh_token parameter", Judged::Named),
    mark("refreshtoken", "refresh_token parameter", Judged::Named),
    mark("id_token", "id_token parameter", Judged::Named),
    mark("idtoken", "id_token parameter", Judged::Named),
    mark("id_token_hint", "id_token parameter", Judged::Named),
    mark("subject_token", "subject_token parameter", Judged::Named),
    mark("actor_token", "actor_token parameter", Judged::Named),
    mark("client_secret", "client_secret parameter", Judged::Named),
    mark("client-secret", "client_secret parameter", Judged::Named),
    mark("clientsecret", "client_secret parameter", Judged::Named),
    mark("code_verifier", "code_verifier parameter", Judged::Named),
    mark("codeverifier", "code_verifier parameter", Judged::Named),
    mark("client_assertion", "client_assertion parameter", Judged::Named),
    mark("registration_access_token", "registration_access_token parameter", Judged::Named),
    mark("device_code", "device_code parameter", Judged::Named),
    mark("assertion", "assertion parameter", Judged::Common),
    mark("code", "code parameter", Judged::Common),
    mark("token", "token parameter", Judged::Common),
    mark("gho_", "GitHub token", Judged::Prefix(30)),
    mark("ghp_", "GitHub token", Judged::Prefix(30)),
    mark("ghu_", "GitHub token", Judged::Prefix(30)),
    mark("ghs_", "GitHub token", Judged::Prefix(30)),
    mark("ghr_", "GitHub token", Judged::Prefix(30)),
    mark("github_pat_", "GitHub token", Judged::Prefix(40)),
    mark("glpat-", "GitLab token", Judged::Prefix(16)),
    mark("gloas-", "GitLab client secret", Judged::Prefix(40)),
    mark("sk-", "secret API key", Judged::Prefix(24)),
    mark("sk_live_", "secret API key", Judged::Prefix(16)),
    mark("rk_live_", "secret API key", Judged::Prefix(16)),
    mark("xoxa-", "Slack token", Judged::Prefix(16)),
    mark("xoxb-", "Slack token", Judged::Prefix(16)),
    mark("xoxe-", "Slack token", Judged::Prefix(16)),
    mark("xoxe.", "Slack token", Judged::Prefix(16)),
    mark("xoxp-", "Slack token", Judged::Prefix(16)),
    mark("xoxr-", "Slack token", Judged::Prefix(16)),
    mark("xapp-", "Slack token", Judged::Prefix(16)),
    mark("ya29.", "Google access token", Judged::Prefix(30)),
    mark("1//0", "Google refresh token", Judged::Prefix(30)),
    mark("GOCSPX-", "Google client secret", Judged::Prefix(20)),
    mark("npm_", "npm token", Judged::Prefix(30)),
];

/// Either alphabet's text, padded or not; bits that are left over do not matter for a look.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);

/// The shortest value that is taken for a token.
const SHORTEST: usize = 16;

/// Where the value is, if what follows the mark in `text[start..end]` is one.
pub(super) fn judge(mark: &Mark, text: &[u8], start: usize, end: usize) -> Option<Range<usize>> {
    match mark.judged {
        Judged::Jwt => (text[start..end] == *b"eyJ").then(|| jwt(text, start)).flatten(),
        Judged::Prefix(more) => {
            let exact = text[start..end] == *mark.text.as_bytes();
            let value = start..end + run(&text[end..], is_token);
            let long = value.end - end >= more && looks_random(&text[end..value.end], more);
            (exact && long && begins_a_word(text, start)).then_some(value)
        }
        Judged::Bearer => {
            let at = after_scheme(text, start, end)?;
            let value = at..at + run(&text[at..], is_token);
            // `Bearer realm="x"` and `Bearer error=invalid_token` are challenges.
            let bare = text[value.clone()].trim_ascii_end();
            let bare = &bare[..bare.len() - bare.iter().rev().take_while(|b| **b == b'=').count()];
            (!bare.contains(&b'=') && looks_random(bare, SHORTEST)).then_some(value)
        }
        Judged::Basic => {
            let at = after_scheme(text, start, end)?;
            let value = at..at + run(&text[at..], is_token);
            let plain = STANDARD.decode(&text[value.clone()]).ok()?;
            let printable = plain.iter().all(|b| !b.is_ascii_control()) && std::str::from_utf8(&plain).is_ok();
            (plain.len() >= 6 && plain.contains(&b':') && printable).then_some(value)
        }
        Judged::Named => {
            let value = named_value(text, start, end, true)?;
            (begins_a_name(text, start, true) && looks_random(&text[value.clone()], SHORTEST)).then_some(value)
        }
        Judged::Common => {
            let value = named_value(text, start, end, false)?;
            (begins_a_name(text, start, false) && looks_random(&text[value.clone()], 20)).then_some(value)
        }
    }
}

/// Where credentials begin after the name of their scheme.
fn after_scheme(text: &[u8], start: usize, end: usize) -> Option<usize> {
    let spaces = run(&text[end..], |b| b == b' ');
    let encoded = if text[end..].starts_with(b"%20") { 3 } else { 0 };
    (begins_a_word(text, start) && spaces + encoded > 0).then_some(end + spaces + encoded)
}

fn jwt(text: &[u8], start: usize) -> Option<Range<usize>> {
    let is_base64url = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let header = start..start + run(&text[start..], is_base64url);
    if text.get(header.end) != Some(&b'.') {
        return None;
    }
    let json: serde_json::Value = serde_json::from_slice(&URL_SAFE.decode(&text[header.clone()]).ok()?).ok()?;
    if !json.get("alg").is_some_and(serde_json::Value::is_string) {
        return None;
    }
    let claims = header.end + 1 + run(&text[header.end + 1..], is_base64url);
    // A signature that was taken away leaves nothing that a resource would accept.
    let signed = text.get(claims) == Some(&b'.') && run(&text[claims + 1..], is_base64url) >= SHORTEST;
    let beyond_sight = claims == text.len();
    let end = claims + run(&text[claims..], |b| is_base64url(b) || b == b'.');
    (signed || beyond_sight).then_some(start..end)
}

/// The value behind a name: `name=value`, `name: value`, `"name":"value"`, `name => 'value'`, and these encoded for an
/// address or quoted inside of a string. `loosely`: a colon and a bare value will do.
fn named_value(text: &[u8], start: usize, end: usize, loosely: bool) -> Option<Range<usize>> {
    let mut at = end;
    let quoted_name = skip_quotes(text, &mut at);
    let spaced = skip(text, &mut at, &[b" "]);
    let equals = skip(text, &mut at, &[b"=>", b"=", b"%3D", b"%3d", b"\\u003d"]);
    if !equals && !skip(text, &mut at, &[b":", b"%3A", b"%3a"]) {
        return None;
    }
    let spaced = skip(text, &mut at, &[b" "]) || spaced;
    let quoted_value = skip(text, &mut at, &[b"["]) | skip_quotes(text, &mut at);
    let strict = if equals { quoted_value || !spaced } else { quoted_name && quoted_value };
    debug_assert!(start <= at);
    (loosely || strict).then(|| at..at + run_encoded(&text[at..]))
}

fn skip(text: &[u8], at: &mut usize, any: &[&[u8]]) -> bool {
    let found = any.iter().find(|s| text[*at..].starts_with(s));
    *at += found.map_or(0, |s| s.len());
    found.is_some()
}

fn skip_quotes(text: &[u8], at: &mut usize) -> bool {
    let backslashes = run(&text[*at..], |b| b == b'\\');
    if matches!(text.get(*at + backslashes), Some(b'"' | b'\'')) {
        *at += backslashes + 1;
        return true;
    }
    skip(text, at, &[b"%22", b"%27", b"&quot;"])
}

/// Whether no word runs into `at`: an escape (`%26`, `\u0026`, `\n`) is the end of a word, although it is made of letters.
fn begins_a_word(text: &[u8], at: usize) -> bool {
    let before = &text[at.saturating_sub(6)..at];
    let Some(last) = before.last() else { return true };
    let escaped =
        |length: usize, mark: &[u8]| before.len() >= length && before[before.len() - length..].starts_with(mark);
    !(last.is_ascii_alphanumeric() || *last == b'_')
        || (escaped(3, b"%") && before[before.len() - 2..].iter().all(u8::is_ascii_hexdigit))
        || escaped(6, b"\\u00")
        || (escaped(2, b"\\") && matches!(last, b'n' | b't' | b'r'))
}

/// The same for a name, where a hyphen may join words: `x-access-token` is a name, `zip-code` another.
fn begins_a_name(text: &[u8], at: usize, hyphens: bool) -> bool {
    begins_a_word(text, at) && (hyphens || at == 0 || text[at - 1] != b'-')
}

/// Whether a word is called a password where it stands.
pub(super) fn is_called_a_password(text: &[u8], at: usize) -> bool {
    let before = text[at.saturating_sub(24)..at].to_ascii_lowercase();
    ["pass", "pwd", "pw="].iter().any(|name| memchr::memmem::find(&before, name.as_bytes()).is_some())
}

fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b)
}

fn run(text: &[u8], mut holds: impl FnMut(u8) -> bool) -> usize {
    text.iter().position(|b| !holds(*b)).unwrap_or(text.len())
}

/// The length of a value whose characters may be percent-encoded.
fn run_encoded(text: &[u8]) -> usize {
    let mut at = 0;
    loop {
        at += run(&text[at..], is_token);
        match text.get(at..at + 3) {
            // What is encoded in a token is `+`, `/` or `=`; anything else is the end of it.
            Some([b'%', a, b]) if matches!([*a, b.to_ascii_uppercase()], [b'2', b'B' | b'F'] | [b'3', b'D']) => at += 3,
            _ => return at,
        }
    }
}

/// Whether a value looks as if it had been drawn: not a word or several, not a number, not one letter again and again.
pub(super) fn looks_random(value: &[u8], shortest: usize) -> bool {
    if value.len() < shortest {
        return false;
    }
    let mut seen = [false; 256];
    value.iter().for_each(|b| seen[usize::from(*b)] = true);
    let variety = seen.iter().filter(|s| **s).count();
    variety >= 8 && value.split(|b| !b.is_ascii_alphanumeric()).any(|part| !is_word_or_number(part))
}

fn is_word_or_number(part: &[u8]) -> bool {
    let digits = part.iter().filter(|b| b.is_ascii_digit()).count();
    let one_case = !part.iter().any(u8::is_ascii_uppercase) || !part.iter().any(u8::is_ascii_lowercase);
    match digits {
        0 => one_case || part.len() < 24,
        _ if digits == part.len() => true,
        // `v2`, `sha256`: digits at the end of a word.
        _ => digits <= 3 && part.len() < 16 && part[part.len() - digits..].iter().all(u8::is_ascii_digit),
    }
}

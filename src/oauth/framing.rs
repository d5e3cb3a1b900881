//! Who may show a page in a frame, by its headers (CSP level 3 section 6.4.2; X-Frame-Options in the HTML standard).

use crate::wire::Reply;

/// What the headers of an answer say about frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Framing {
    /// Named places alone, or nobody: the header that says so.
    Restricted(String),
    /// Everybody: why.
    Open(String),
}

/// Reads the headers.
pub fn framing(reply: &Reply) -> Framing {
    let policies = reply.header_all("content-security-policy");
    // One header may hold several policies, and several headers may come: every one of them applies.
    let ancestors: Vec<&str> =
        policies.iter().flat_map(|value| value.split(',')).filter_map(|p| directive(p, "frame-ancestors")).collect();
    if let Some(sources) = ancestors.iter().find(|sources| !is_open(sources)) {
        return Framing::Restricted(format!("frame-ancestors {sources}"));
    }
    if let Some(sources) = ancestors.first() {
        // Where there is a frame-ancestors, browsers pay no heed to X-Frame-Options.
        return Framing::Open(format!("frame-ancestors {sources} lets everybody frame it"));
    }
    let options = reply.header_all("x-frame-options");
    let values: Vec<String> =
        options.iter().flat_map(|value| value.split(',')).map(|v| v.trim().to_ascii_lowercase()).collect();
    if let Some(value) = values.iter().find(|v| ["deny", "sameorigin"].contains(&v.as_str())) {
        return Framing::Restricted(format!("X-Frame-Options {}", value.to_ascii_uppercase()));
    }
    Framing::Open(match (options.first(), policies.is_empty()) {
        (Some(value), _) => format!("X-Frame-Options \"{value}\" is heeded by no browser"),
        (None, false) => "its Content-Security-Policy has no frame-ancestors, and there is no X-Frame-Options".into(),
        (None, true) if reply.headers.contains_key("content-security-policy-report-only") => {
            "its policy is only reported, not enforced, and there is no X-Frame-Options".into()
        }
        (None, true) => "it has neither a frame-ancestors policy nor X-Frame-Options".into(),
    })
}

/// The value of a directive; of two of one name, the first counts.
fn directive<'a>(policy: &'a str, name: &str) -> Option<&'a str> {
    policy.split(';').find_map(|directive| {
        let directive = directive.trim();
        let (found, value) = directive.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((directive, ""));
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// Whether a list of sources holds one that every attacker can have. An empty list means nobody.
fn is_open(sources: &str) -> bool {
    sources.split_ascii_whitespace().any(|source| {
        let source = source.to_ascii_lowercase();
        let host = source.split_once("://").map_or(source.as_str(), |(_, host)| host);
        // `https:` alone is every host of that scheme; `*:443` and `https://*` as well.
        source.ends_with(':') || host == "*" || host.starts_with("*:") || host.starts_with("*/")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message::tests::reply;

    const CSP: &str = "content-security-policy";
    const XFO: &str = "x-frame-options";

    fn is_restricted(headers: &[(&'static str, &str)]) -> bool {
        let mut answer = reply(200, &[], "");
        for (name, value) in headers {
            answer.headers.append(*name, value.parse().unwrap());
        }
        matches!(framing(&answer), Framing::Restricted(_))
    }

    #[test]
    fn policies_that_restrict() {
        for value in [
            "frame-ancestors 'none'",
            "default-src 'self'; Frame-Ancestors 'self' https://portal.example",
            "frame-ancestors",
            "frame-ancestors https://*.example.com",
            "default-src *, frame-ancestors 'none'",
        ] {
            assert!(is_restricted(&[(CSP, value)]), "{value}");
        }
        // All that come apply: the strictest decides.
        assert!(is_restricted(&[(CSP, "frame-ancestors *"), (CSP, "frame-ancestors 'self'")]));
        assert!(is_restricted(&[(CSP, "default-src 'none'"), (XFO, "sameorigin")]));
        assert!(is_restricted(&[(XFO, "DENY")]));
    }

    #[test]
    fn what_only_looks_like_one() {
        for value in [
            "default-src 'none'",
            "frame-ancestors *",
            "frame-ancestors https:",
            "frame-ancestors 'self' https://*",
            "frame-src 'none'",
            "frame-ancestors *; frame-ancestors 'none'",
        ] {
            assert!(!is_restricted(&[(CSP, value)]), "{value}");
        }
        assert!(!is_restricted(&[]));
        assert!(!is_restricted(&[("content-security-policy-report-only", "frame-ancestors 'none'")]));
        assert!(!is_restricted(&[(XFO, "ALLOW-FROM https://portal.example")]));
        assert!(!is_restricted(&[(XFO, "ALLOWALL")]));
        // Browsers pay no heed to the one beside the other.
        assert!(!is_restricted(&[(CSP, "frame-ancestors *"), (XFO, "DENY")]));
    }
}

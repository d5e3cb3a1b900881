//! An exchange as a `curl` line that a person can paste, with the vault's labels where secrets were.

use super::ledger::RecordedRequest;

/// Headers that curl sets by itself.
const IMPLIED: [&str; 2] = ["host", "content-length"];

/// The line.
pub(super) fn line(request: &RecordedRequest) -> String {
    if request.method == "TLS" {
        return handshake(request);
    }
    let mut words = vec!["curl".to_owned(), "-i".to_owned()];
    if request.method != "GET" || request.body.is_some() {
        words.extend(["-X".to_owned(), request.method.clone()]);
    }
    for (name, value) in request.headers.iter().filter(|(n, _)| !IMPLIED.contains(&n.as_str())) {
        words.extend(["-H".to_owned(), format!("{name}: {value}")]);
    }
    if let Some(body) = &request.body {
        words.extend(["--data-binary".to_owned(), body.clone()]);
    }
    words.push(request.url.clone());
    words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ")
}

/// A handshake, with the version that was offered at most.
fn handshake(request: &RecordedRequest) -> String {
    let most = request.headers.iter().find(|(name, _)| name == "tls-max");
    let most = most.and_then(|(_, version)| version.strip_prefix("TLS "));
    let most = most.map_or_else(String::new, |v| format!("--tlsv{v} --tls-max {v} "));
    format!("curl -v -o /dev/null {most}{}", quote(&request.url))
}

fn quote(word: &str) -> String {
    // NUL cannot stand in an argument at all.
    let word = word.replace('\0', "\u{fffd}");
    shlex::try_quote(&word).map_or_else(|_| String::from("''"), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handshake_is_repeated_in_its_version() {
        let mut request =
            RecordedRequest { method: "TLS".into(), url: "https://a.example/".into(), headers: vec![], body: None };
        assert_eq!(line(&request), "curl -v -o /dev/null https://a.example/");
        request.headers.push(("tls-max".into(), "TLS 1.0".into()));
        assert_eq!(line(&request), "curl -v -o /dev/null --tlsv1.0 --tls-max 1.0 https://a.example/");
    }

    #[test]
    fn what_a_shell_would_read_is_quoted() {
        let request = RecordedRequest {
            method: "POST".into(),
            url: "https://as.example/token?a=b&c".into(),
            headers: vec![("accept".into(), "application/json".into())],
            body: Some("code={code 1}&x='$HOME'".into()),
        };
        let line = line(&request);
        assert_eq!(
            shlex::split(&line).unwrap(),
            [
                "curl",
                "-i",
                "-X",
                "POST",
                "-H",
                "accept: application/json",
                "--data-binary",
                "code={code 1}&x='$HOME'",
                "https://as.example/token?a=b&c"
            ]
        );
    }
}

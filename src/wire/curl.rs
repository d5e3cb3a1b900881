//! An exchange as a `curl` line that a person can paste, with the vault's labels where secrets were.

use super::ledger::RecordedRequest;

/// Headers that curl sets by itself.
const IMPLIED: [&str; 2] = ["host", "content-length"];

/// The line.
pub(super) fn line(request: &RecordedRequest) -> String {
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

fn quote(word: &str) -> String {
    // NUL cannot stand in an argument at all.
    let word = word.replace('\0', "\u{fffd}");
    shlex::try_quote(&word).map_or_else(|_| String::from("''"), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

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

//! `WWW-Authenticate` by the grammar of RFC 9110 section 11: several challenges, in one header or in many.

/// One challenge: a scheme and its parameters, or a token68.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The scheme, as sent.
    pub scheme: String,
    /// The parameters, names in lower case, in order.
    pub parameters: Vec<(String, String)>,
    /// The token68 form (`Negotiate YII…`).
    pub token68: Option<String>,
}

impl Challenge {
    /// The first parameter of a name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Whether the scheme is `name`, in any case.
    pub fn is(&self, name: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(name)
    }
}

/// The challenges of all header values. Lenient: what cannot be read is skipped up to the next comma.
pub fn parse<S: AsRef<str>>(values: &[S]) -> Vec<Challenge> {
    values.iter().flat_map(|value| Parser { rest: value.as_ref() }.challenges()).collect()
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn challenges(&mut self) -> Vec<Challenge> {
        let mut found: Vec<Challenge> = Vec::new();
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', ',']);
            if self.rest.is_empty() {
                return found;
            }
            let word = self.token();
            if word.is_empty() {
                self.skip();
                continue;
            }
            let after = self.rest.trim_start_matches([' ', '\t']);
            let is_parameter = after.starts_with('=') && !after.trim_start_matches('=').trim_start().is_empty();
            match found.last_mut() {
                Some(challenge) if is_parameter => {
                    self.rest = after[1..].trim_start_matches([' ', '\t']);
                    let value = self.value();
                    challenge.parameters.push((word.to_ascii_lowercase(), value));
                }
                _ if after.starts_with('=') => self.skip(),
                _ => {
                    found.push(Challenge { scheme: word.to_owned(), parameters: Vec::new(), token68: None });
                    if self.rest.starts_with(' ') {
                        self.rest = after;
                        if let Some(token) = self.token68()
                            && let Some(challenge) = found.last_mut()
                        {
                            challenge.token68 = Some(token);
                        }
                    }
                }
            }
        }
    }

    fn token(&mut self) -> &'a str {
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)))
            .unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at(end);
        self.rest = rest;
        token
    }

    /// `token68`: one word up to the comma or the end, which is no `name=value`.
    fn token68(&mut self) -> Option<String> {
        let end =
            self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-._~+/".contains(c))).unwrap_or(self.rest.len());
        let padding = self.rest[end..].len() - self.rest[end..].trim_start_matches('=').len();
        let (word, rest) = self.rest.split_at(end + padding);
        let ends = rest.trim_start_matches([' ', '\t']);
        if word.is_empty() || !(ends.is_empty() || ends.starts_with(',')) {
            return None;
        }
        self.rest = rest;
        Some(word.to_owned())
    }

    fn value(&mut self) -> String {
        let Some(quoted) = self.rest.strip_prefix('"') else {
            let end = self.rest.find([',', ' ', '\t']).unwrap_or(self.rest.len());
            let (value, rest) = self.rest.split_at(end);
            self.rest = rest;
            return value.to_owned();
        };
        let mut value = String::new();
        let mut characters = quoted.char_indices();
        while let Some((at, c)) = characters.next() {
            match c {
                '\\' => value.extend(characters.next().map(|(_, c)| c)),
                '"' => {
                    self.rest = &quoted[at + 1..];
                    return value;
                }
                c => value.push(c),
            }
        }
        self.rest = "";
        value
    }

    fn skip(&mut self) {
        let end = self.rest.find(',').map_or(self.rest.len(), |i| i + 1);
        self.rest = &self.rest[end..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn several_challenges_in_one_header() {
        let found = parse(&[
            r#"Basic realm="a, b", bearer error="invalid_token",error_description="say \"no\"" , resource_metadata=https://x/y"#,
            "Negotiate abc==",
        ]);
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].parameter("realm"), Some("a, b"));
        assert!(found[1].is("Bearer"));
        assert_eq!(found[1].parameter("error_description"), Some("say \"no\""));
        assert_eq!(found[1].parameter("resource_metadata"), Some("https://x/y"));
        assert_eq!(found[2].token68.as_deref(), Some("abc=="));
    }

    #[test]
    fn a_bare_scheme_has_no_parameters() {
        let found = parse(&["Bearer"]);
        assert_eq!(found, [Challenge { scheme: "Bearer".into(), parameters: vec![], token68: None }]);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic_or_hang(text in "\\PC{0,80}") {
            let _ = parse(&[text]);
        }

        #[test]
        fn a_quoted_value_is_read_back(value in "[ -~]{0,40}") {
            let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
            let found = parse(&[format!("Bearer realm=\"{quoted}\", scope=\"a b\"")]);
            prop_assert_eq!(found[0].parameter("realm"), Some(value.as_str()));
            prop_assert_eq!(found[0].parameter("scope"), Some("a b"));
        }
    }
}

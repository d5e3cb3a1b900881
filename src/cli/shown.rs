//! What is quoted of what was typed. Where the name of a variable or of a file is due, people type the secret itself, and
//! an error that repeats it carries it into the log of a CI server.

use std::borrow::Cow;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use url::Url;

use super::Complaint;

/// The arguments whose values may be or hold a secret.
const DELICATE: [&str; 5] = ["--header", "--proxy", "--webdriver-url", "--login-command", "JWT"];

/// Whether this looks like the name of a variable. One that is set is a name; of the others, capitals with an underscore
/// are, and a few capitals.
pub(super) fn is_name(name: &str) -> bool {
    let usual = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    ((name.contains('_') || name.len() < 6) && name.chars().all(usual)) || std::env::var_os(name).is_some()
}

/// Whether this looks like the path of a file: it is there, its folder is, or it ends as files do.
pub(super) fn is_path(path: &Path) -> bool {
    let end = path.extension().and_then(|end| end.to_str());
    // The root is the folder of everything that begins with a slash.
    let folder = path.parent().filter(|folder| folder.file_name().is_some() || folder.starts_with("."));
    folder.is_some_and(Path::is_dir)
        || end.is_some_and(|end| (2..=5).contains(&end.len()) && end.chars().all(|c| c.is_ascii_lowercase()))
        || path.exists()
}

/// The name of a variable in a sentence.
pub(super) fn variable(name: &str) -> Cow<'_, str> {
    match is_name(name) {
        true => Cow::Owned(format!("the environment variable {name}")),
        false => Cow::Borrowed(
            "the environment variable that is named (not shown: it does not look like a name, and may be the secret itself)",
        ),
    }
}

/// What to do about a variable that is not set; `place` is where its name stands.
pub(super) fn unset(name: &str, place: &str) -> String {
    match is_name(name) {
        true => format!("set it, or name another with {place}"),
        false => format!(
            "{place} takes the name of a variable, such as OAUDIT_PASSWORD, and not what is in it; if it is a name, set it"
        ),
    }
}

/// The path of a file that holds a secret, in a sentence.
pub(super) fn file(path: &Path) -> Cow<'_, str> {
    match is_path(path) {
        true => Cow::Owned(path.display().to_string()),
        false => Cow::Borrowed("the file that is named (its name is not shown: it may be the secret itself)"),
    }
}

/// What clap complains of, without the values of arguments that may be secrets.
pub(super) fn complaint(mut error: clap::Error) -> clap::Error {
    let text = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    let argument = text(ContextKind::InvalidArg);
    match error.kind() {
        ErrorKind::ValueValidation if DELICATE.iter().any(|name| argument.contains(name)) => {
            error.insert(ContextKind::InvalidValue, ContextValue::String("…".into()));
        }
        // A word too many: a token or a password with a space in it, or one that was typed behind a flag without a value.
        ErrorKind::UnknownArgument if !argument.starts_with('-') => {
            let at = std::env::args().position(|word| word == argument);
            let which = at.map_or_else(|| "…".into(), |at| format!("… (word {at}; not shown, it may be a secret)"));
            error.insert(ContextKind::InvalidArg, ContextValue::String(which));
        }
        _ => {}
    }
    error
}

/// An address to be looked at. A password in it would be sent to the authorization server as a part of the resource's
/// identifier, and stand in every report.
pub(super) fn address(url: &str) -> Result<(), Complaint> {
    const HINT: &str = "give a whole URL, such as https://api.example.com/mcp";
    let with_user = match Url::parse(url) {
        Ok(url) if url.has_host() => !url.username().is_empty() || url.password().is_some(),
        _ => url.split(['?', '#']).next().is_some_and(|place| place.contains('@')),
    };
    if with_user {
        let hint = "leave it out; a server that asks for one as well takes it by OAUDIT_HEADERS=\"Authorization: Basic …\" in the \
                    environment";
        return Err(Complaint::usage("an address to audit has no user and no password in it", hint));
    }
    crate::wire::message::address(url).map(drop).map_err(|trouble| Complaint::usage(trouble.to_string(), HINT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_the_secret_itself_is_not_quoted() {
        assert_eq!(variable("STAGING_PASSWORD_2"), "the environment variable STAGING_PASSWORD_2");
        assert!(variable("PATH").ends_with("PATH"), "it is set");
        assert!(variable("PW").ends_with("PW"));
        for secret in ["hunter2", "JBSWY3DPEHPK3PXP", "my_password", "s3cr3t!"] {
            assert!(!variable(secret).contains(secret), "{secret}");
        }
        assert_eq!(file(Path::new("/no/such/key.pem")), "/no/such/key.pem");
        assert_eq!(file(Path::new("/dev/null")), "/dev/null");
        for mistyped in ["/proc/self/no-such-file", "./no-such-file", "src/no-such-file"] {
            assert_eq!(file(Path::new(mistyped)), mistyped, "its folder is there");
        }
        assert!(unset("STAGING_PASSWORD", "--password-env").starts_with("set it"));
        let hint = unset("hunter2", "--password-env");
        assert!(hint.starts_with("--password-env takes the name of a variable") && !hint.contains("hunter2"));
        for secret in ["hunter2", "/hunter2", "/etc/oaudit/hunter2", "MIGHAgEAMBMGByqGSM49/AgEG", "pass.w0rd"] {
            assert!(!file(Path::new(secret)).contains(secret), "{secret}");
        }
    }

    #[test]
    fn an_address_has_no_password() {
        for url in [
            "https://u:hunter2@a.example/",
            "https://hunter2@a.example/",
            "u:hunter2@a.example",
            "https://u:hunter2@a:x/",
        ] {
            let complaint = address(url).unwrap_err();
            assert!(!format!("{complaint:?}").contains("hunter2"), "{complaint:?}");
        }
        assert!(address("https://a.example/mcp?user=a@b").is_ok());
        assert!(address("nowhere").unwrap_err().error.contains("nowhere"));
    }
}

//! `[login_b]`: as whom a second user signs in, for what must be bound to the first.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::Complaint;
use super::layers::{Given, missing, variable};
use super::sign_in::{can_be_done, first_line, saved_session, script, totp};
use crate::front::choose::{AgentName, SignIn};
use crate::front::command::Program;
use crate::front::form::Credentials;
use crate::front::webdriver;

/// The variable that holds the second user's password unless another is named.
const PASSWORD: &str = "OAUDIT_PASSWORD_B";

/// How the second user signs in, if the file says so. `first` is how the first one does: the pages of the login are the
/// same where the file says nothing else.
pub(super) fn second_user(given: &Given, first: &SignIn) -> Result<Option<SignIn>, Complaint> {
    let Some(file) = given.file.as_ref().filter(|file| file.has("login_b")) else { return Ok(None) };
    let text = |name: &str| file.text(&format!("login_b.{name}"));
    let named = text("agent").and_then(|name| AgentName::ALL.into_iter().find(|agent| agent.as_str() == name));
    let agent = named.unwrap_or_default();
    let session = text("session").map(|path| saved_session(Path::new(path))).transpose()?;
    let limit = file.count("login_b.timeout").map_or(Program::LIMIT, Duration::from_secs);
    let command = text("command").and_then(Program::parse).map(|program| Program { limit, ..program });
    let credentials = credentials(&text)?;
    let can = match agent {
        AgentName::Session => session.is_some(),
        AgentName::Command => command.is_some(),
        AgentName::Form | AgentName::Webdriver => credentials.is_some(),
        _ => session.is_some() || command.is_some() || credentials.is_some(),
    };
    if !can {
        return Err(Complaint::usage(
            "[login_b] does not say how the second user signs in",
            format!("it needs a username, its password in {PASSWORD}; or a session, or a command, where agent says so"),
        ));
    }
    let same = |a: &Credentials, b: &Credentials| a.username == b.username;
    if first.credentials.as_ref().zip(credentials.as_ref()).is_some_and(|(a, b)| same(a, b)) {
        let hint = "name another user in [login_b]: what one user may do with its own things proves nothing";
        return Err(Complaint::usage("[login] and [login_b] are the same user", hint));
    }
    let own = script(given, "login_b.page")?;
    let script = if own.pages.is_empty() { Arc::clone(&first.script) } else { Arc::new(own) };
    can_be_done(agent, &script, "login_b")?;
    let url = text("webdriver_url").map(str::to_owned).or_else(|| first.webdriver.url.clone());
    Ok(Some(SignIn {
        agent,
        credentials,
        session,
        command,
        totp: totp(text("totp_env"), "OAUDIT_TOTP_SECRET_B", "login_b")?,
        script,
        webdriver: webdriver::Settings { url, ..first.webdriver.clone() },
        ..SignIn::default()
    }))
}

fn credentials<'f>(text: &impl Fn(&str) -> Option<&'f str>) -> Result<Option<Credentials>, Complaint> {
    let Some(username) = text("username").map(str::to_owned) else { return Ok(None) };
    let name = text("password_env").unwrap_or(PASSWORD);
    let password = match (variable(name), text("password_file")) {
        (Some(password), _) => password,
        (None, Some(path)) => first_line(Path::new(path))?,
        // A saved session or a program may need none.
        (None, None) if text("session").is_some() || text("command").is_some() => return Ok(None),
        (None, None) => return Err(missing(name, "password_env in [login_b]")),
    };
    Ok(Some(Credentials { username, password }))
}

//! The flags that say as whom the audit signs in.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use secrecy::zeroize::Zeroizing;

use super::layers::{Given, missing, variable};
use super::{Complaint, shown};
use crate::front::choose::{AgentName, SignIn};
use crate::front::command::Program;
use crate::front::cookies::SavedSession;
use crate::front::form::Credentials;
use crate::front::steps::{Script, Totp};
use crate::front::supplied::SuppliedTokens;
use crate::front::surroundings::Surroundings;
use crate::front::webdriver;
use crate::oauth::secret::Secret;

/// As whom.
#[derive(Debug, Clone, Args)]
pub(super) struct SignInArgs {
    /// How to sign in: auto, browser, paste, form, webdriver, command, session or token.
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = agent)]
    agent: AgentName,
    /// The user name for the form and webdriver agents.
    #[arg(long, value_name = "U", env = "OAUDIT_USERNAME")]
    username: Option<String>,
    /// The variable that holds the password.
    #[arg(long, value_name = "VAR", default_value = "OAUDIT_PASSWORD")]
    password_env: String,
    /// A file that holds the password, or - for standard input; its first line counts.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Print the address instead of opening a browser.
    #[arg(long)]
    no_open: bool,
    /// A WebDriver that runs already; by default chromedriver or geckodriver is looked for on PATH and started.
    #[arg(long, value_name = "URL", env = "OAUDIT_WEBDRIVER_URL", value_parser = webdriver_url)]
    webdriver_url: Option<String>,
    /// Show the browser that the webdriver agent drives.
    #[arg(long)]
    headed: bool,
    /// If the sign-in fails, write what the form or webdriver agent saw and guessed into this file, and a picture of the
    /// browser beside it.
    #[arg(long, value_name = "FILE")]
    diagnosis: Option<PathBuf>,
    /// The session that `oaudit login --save FILE` kept, or a Playwright storageState.
    #[arg(long, value_name = "FILE")]
    session: Option<PathBuf>,
    /// A program that signs in, with its arguments: JSON on stdin, callback_url or cookies on stdout. No shell reads it.
    #[arg(long, value_name = "PROGRAM", value_parser = program)]
    login_command: Option<Program>,
    /// Seconds that it may take.
    #[arg(long, value_name = "SECS", default_value = "120", value_parser = clap::value_parser!(u64).range(1..=3600))]
    login_timeout: u64,
    /// The variable that holds an access token, for the agent token; OAUDIT_ACCESS_TOKEN unless named.
    #[arg(long, value_name = "VAR")]
    access_token_env: Option<String>,
    /// The variable that holds a refresh token, for the agent token; OAUDIT_REFRESH_TOKEN unless named.
    #[arg(long, value_name = "VAR")]
    refresh_token_env: Option<String>,
    /// The port of 127.0.0.1 that codes come back to; a free one without. For forwarded ports.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    callback_port: Option<u16>,
    /// How often a person may be asked for something; what does not fit is left inconclusive, what matters least first.
    #[arg(long, value_name = "N")]
    pub(super) max_prompts: Option<usize>,
}

/// The variable that holds the secret of one-time codes.
const TOTP_SECRET: &str = "OAUDIT_TOTP_SECRET";

fn webdriver_url(text: &str) -> Result<String, String> {
    match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(text.to_owned()),
        _ => Err("it is an http URL, such as http://127.0.0.1:9515".into()),
    }
}

fn program(text: &str) -> Result<Program, String> {
    Program::parse(text).ok_or_else(|| "it is a program and its arguments, quoted as for a shell".into())
}

fn agent(text: &str) -> Result<AgentName, String> {
    let all = AgentName::ALL;
    all.into_iter().find(|a| a.as_str() == text).ok_or_else(|| super::one_of(&all.map(AgentName::as_str)))
}

impl SignInArgs {
    pub(super) fn sign_in(&self, given: &Given) -> Result<SignIn, Complaint> {
        let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        let agent = self.agent(given);
        let tokens = self.tokens(agent)?;
        let session = self.session(agent, given)?;
        let limit = Duration::from_secs(self.login_timeout);
        // It knows where to find the password.
        let username = self.username.clone();
        let command = self.login_command.clone().map(|program| Program { limit, username, ..program });
        let by_password = session.is_none() && command.is_none();
        let script = script(given, "login.page")?;
        can_be_done(agent, &script, "login")?;
        Ok(SignIn {
            agent: if tokens.is_some() { AgentName::Token } else { agent },
            credentials: self.credentials(agent, by_password, given.text("login.password_file").map(Path::new))?,
            terminal,
            display: display(),
            no_open: self.no_open,
            session,
            command,
            tokens,
            callback_port: self.callback_port,
            surroundings: Surroundings::detect(),
            totp: match agent {
                AgentName::Auto | AgentName::Form | AgentName::Webdriver => {
                    totp(given.text("login.totp_env"), TOTP_SECRET, "login")?
                }
                // Nothing is entered by these.
                AgentName::Browser | AgentName::Paste | AgentName::Command | AgentName::Session | AgentName::Token => {
                    None
                }
            },
            script: Arc::new(script),
            webdriver: webdriver::Settings {
                url: self.webdriver_url.clone(),
                headed: self.headed,
                ..webdriver::Settings::default()
            },
            diagnosis: self.diagnosis.clone(),
            ..SignIn::default()
        })
    }

    /// The same for whoever wants a new session: the one that the file names is what is to be made.
    pub(super) fn anew(&self, given: &Given) -> Result<SignIn, Complaint> {
        if given.is_typed("session") || self.session.is_none() {
            return self.sign_in(given);
        }
        let agent = match self.agent(given) {
            AgentName::Session => AgentName::Auto,
            other => other,
        };
        Self { session: None, agent, ..self.clone() }.sign_in(given)
    }

    /// The agent that was named. One that the file names gives way to a session or a program that was typed.
    fn agent(&self, given: &Given) -> AgentName {
        match given.is_typed("agent") {
            false if given.is_typed("session") => AgentName::Session,
            false if given.is_typed("login_command") => AgentName::Command,
            _ => self.agent,
        }
    }

    fn session(&self, agent: AgentName, given: &Given) -> Result<Option<SavedSession>, Complaint> {
        match &self.session {
            None if agent == AgentName::Session => {
                Err(Complaint::usage("--agent session needs the file of a session", "add --session FILE"))
            }
            // What the file names for its own agent is not looked at for another.
            Some(_) if !given.is_typed("session") && !matches!(agent, AgentName::Auto | AgentName::Session) => Ok(None),
            file => file.as_deref().map(saved_session).transpose(),
        }
    }

    /// The tokens that were supplied, if they are to be used: the agent is named, or a variable is.
    fn tokens(&self, agent: AgentName) -> Result<Option<SuppliedTokens>, Complaint> {
        let named = self.access_token_env.is_some() || self.refresh_token_env.is_some();
        match agent {
            AgentName::Token => {}
            AgentName::Auto if named => {}
            _ if named => {
                return Err(Complaint::usage(
                    format!("--agent {} uses no supplied tokens", agent.as_str()),
                    "leave --access-token-env and --refresh-token-env out, or use --agent token",
                ));
            }
            _ => return Ok(None),
        }
        let read = |flag: &str, name: Option<&String>, usual: &str| match name {
            Some(name) => variable(name).map(Some).ok_or_else(|| missing(name, flag)),
            None => Ok(variable(usual)),
        };
        let access = read("--access-token-env", self.access_token_env.as_ref(), "OAUDIT_ACCESS_TOKEN")?;
        let refresh = read("--refresh-token-env", self.refresh_token_env.as_ref(), "OAUDIT_REFRESH_TOKEN")?;
        match (&access, &refresh) {
            (None, None) => Err(Complaint::usage(
                "--agent token needs a token, and neither OAUDIT_ACCESS_TOKEN nor OAUDIT_REFRESH_TOKEN is set",
                "set one of them, or name another with --access-token-env or --refresh-token-env",
            )),
            _ => Ok(Some(SuppliedTokens { access, refresh })),
        }
    }

    /// The password by flag, by variable, or by what `login.password_file` names.
    fn credentials(
        &self,
        agent: AgentName,
        by_password: bool,
        configured: Option<&Path>,
    ) -> Result<Option<Credentials>, Complaint> {
        let by_flag = self.password_file.as_deref().map(first_line).transpose()?;
        let password = match by_flag.or_else(|| variable(&self.password_env)) {
            Some(password) => Some(password),
            None => configured.map(first_line).transpose()?,
        };
        match (&self.username, password) {
            (Some(username), Some(password)) => Ok(Some(Credentials { username: username.clone(), password })),
            (Some(_), None)
                if matches!(agent, AgentName::Form | AgentName::Webdriver)
                    || (agent == AgentName::Auto && by_password) =>
            {
                Err(Complaint::usage(
                    format!(
                        "a user name is given, but no password: {} is not set",
                        shown::variable(&self.password_env)
                    ),
                    format!("{}, or use --password-file FILE", shown::unset(&self.password_env, "--password-env")),
                ))
            }
            _ if matches!(agent, AgentName::Form | AgentName::Webdriver)
                && self.username.is_none()
                && self.password_file.is_some() =>
            {
                Err(Complaint::usage("a password is given, but no user name", "add --username"))
            }
            _ => Ok(None),
        }
    }
}

/// The password in a file, or on standard input.
pub(super) fn first_line(path: &Path) -> Result<Secret, Complaint> {
    let read =
        if path == Path::new("-") { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(path) };
    let text = read.map_err(|e| {
        Complaint::usage(
            format!("{} cannot be read: {e}", shown::file(path)),
            "check the path of --password-file, or password_file in [login]",
        )
    })?;
    let text = Zeroizing::new(text);
    Ok(Secret::new(text.lines().next().unwrap_or_default()))
}

/// The session in a file.
pub(super) fn saved_session(path: &Path) -> Result<SavedSession, Complaint> {
    SavedSession::load(path).map_err(|error| {
        Complaint::usage(error.to_string(), "`oaudit login TARGET --save FILE` makes one; see --session")
    })
}

/// The generator of one-time codes, if a secret for it is in the environment: in the variable that the file names for
/// this `table`, which has to be there then, or in the usual one.
pub(super) fn totp(named: Option<&str>, usual: &str, table: &str) -> Result<Option<Arc<Totp>>, Complaint> {
    let name = named.unwrap_or(usual);
    let Some(secret) = variable(name) else {
        return match named {
            Some(_) => Err(missing(name, &format!("totp_env in [{table}]"))),
            None => Ok(None),
        };
    };
    let read = Totp::read(secret.expose()).map_err(|e| {
        Complaint::usage(
            format!("{}: {e}", shown::variable(name)),
            "give what the authenticator app was given: the letters beside the QR code, or the otpauth:// address in it",
        )
    })?;
    Ok(Some(Arc::new(read)))
}

/// What the file says of pages of the login.
pub(super) fn script(given: &Given, key: &str) -> Result<Script, Complaint> {
    let pages = given.file.as_ref().map(|file| file.pages(key)).unwrap_or_default();
    Script::read(&pages).map_err(|problem| Complaint::usage(problem.to_string(), "docs/login-pages.md has every step"))
}

/// An agent without a browser cannot do every step, and says so before anything is sent.
pub(super) fn can_be_done(agent: AgentName, script: &Script, table: &str) -> Result<(), Complaint> {
    match (agent, script.without_browser()) {
        (AgentName::Form, Err(problem)) => {
            Err(Complaint::usage(problem.to_string(), format!("agent = \"webdriver\" in [{table}] can do it")))
        }
        _ => Ok(()),
    }
}

/// Whether a browser can be opened here: not over SSH, and not on a Unix without a display; but always where BROWSER
/// says how, as remote editors do that open it on the person's own machine.
fn display() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    if set("BROWSER") {
        return true;
    }
    if cfg!(any(target_os = "macos", target_os = "windows")) || set("WSL_DISTRO_NAME") {
        return !set("SSH_CONNECTION");
    }
    (set("DISPLAY") || set("WAYLAND_DISPLAY")) && !set("SSH_CONNECTION")
}

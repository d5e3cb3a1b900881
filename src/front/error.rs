//! What stops a sign-in, in words, and what to type next.

use super::diagnosis::Diagnosis;
use crate::wire::Trouble;

/// What stops the sign-in, and with it the audit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// The login page came back after the password was sent.
    #[error("the login page came back after user name and password were sent{}", said(.says))]
    WrongPassword {
        /// What the page says, if it says something.
        says: String,
    },
    /// The page for the one-time code came back after one was sent.
    #[error("the page for the one-time code came back after one was entered{}", said(.says))]
    WrongCode {
        /// What the page says, if it says something.
        says: String,
    },
    /// The server answered that access was denied.
    #[error("the sign-in was refused: the server answered access_denied{}", said(.says))]
    Denied {
        /// What it says about it.
        says: String,
    },
    /// A one-time code is asked for.
    #[error("the login asks for a one-time code, and no TOTP secret is configured")]
    CodeWanted,
    /// A page that the agent cannot fill in.
    #[error("the sign-in stopped at a page that could not be filled in: {what}")]
    NotUnderstood {
        /// What was seen there.
        what: String,
    },
    /// The same of a page in a browser, whose scripts have run.
    #[error("the sign-in stopped at a page that could not be filled in: {what}")]
    NotUnderstoodInBrowser {
        /// What was seen there.
        what: String,
    },
    /// There is nobody to ask.
    #[error(
        "signing in needs a person or credentials, and there is neither: no terminal, and no user name and password"
    )]
    NobodyThere,
    /// Credentials are incomplete or an agent cannot be used as configured; and what to type next.
    #[error("{0}")]
    Unusable(String, &'static str),
    /// No browser could be had to drive.
    #[error("{0}")]
    NoBrowser(String),
    /// The login page came although there was a saved session.
    #[error(
        "{}: the server shows its login page",
        if *.worked { "the saved session has ended meanwhile" } else { "the saved session is not signed in any more" }
    )]
    SessionEnded {
        /// Whether it was seen to work before.
        worked: bool,
    },
    /// The user's program did not sign in.
    #[error("the program that signs in, {program}, {why}")]
    Command {
        /// Its name.
        program: String,
        /// What it did in place of signing in.
        why: String,
    },
    /// No more may be asked of a person.
    #[error("it would ask the person more often than --max-prompts {0} allows")]
    BudgetSpent(usize),
    /// The network.
    #[error("{0}")]
    Trouble(Trouble),
    /// The person did not come back in time.
    #[error("nobody completed the sign-in within {0} minutes")]
    Abandoned(u64),
}

fn said(says: &str) -> String {
    if says.is_empty() { String::new() } else { format!(" (it says \"{says}\")") }
}

impl SignInError {
    /// What to type next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::WrongPassword { .. } => {
                "check --username and OAUDIT_PASSWORD (or --password-env VAR, --password-file FILE)"
            }
            Self::WrongCode { .. } => "check OAUDIT_TOTP_SECRET, and the clock of this machine",
            Self::Denied { .. } => {
                "run again and allow access on the server's page; if nobody said no there, see whether this user may use \
                 such a client (--username, --client-id)"
            }
            Self::CodeWanted => {
                "set OAUDIT_TOTP_SECRET to the secret that the authenticator app was given (base32 or otpauth://…)"
            }
            Self::NotUnderstood { .. } => {
                "use --agent webdriver if the page is built by scripts, write its steps down under [[login.page]], or use \
                 --agent browser and sign in by hand; --diagnosis FILE writes down what was seen"
            }
            Self::NotUnderstoodInBrowser { .. } => {
                "write its steps down under [[login.page]], or use --agent browser and sign in by hand; --diagnosis FILE writes \
                 down what was seen, with a picture of it"
            }
            Self::NobodyThere => {
                "set --username and OAUDIT_PASSWORD, or give --session FILE or --login-command PROGRAM, or run in a terminal"
            }
            Self::Unusable(_, hint) => hint,
            Self::NoBrowser(_) => {
                "chromedriver and Chromium (or geckodriver and Firefox) must be of one version; --webdriver-url URL names a \
                 driver that runs, --agent browser does without"
            }
            Self::SessionEnded { .. } => "sign in anew with `oaudit login TARGET --save FILE`",
            Self::Command { .. } => {
                "run the program by hand: it reads {\"authorize_url\", \"redirect_uri\", …} from standard input and writes \
                 {\"callback_url\": …} or {\"cookies\": […]} to standard output (--login-command, --login-timeout)"
            }
            Self::BudgetSpent(_) => "allow more with --max-prompts N",
            Self::Trouble(_) => "see whether the authorization endpoint answers: `oaudit discover TARGET`",
            Self::Abandoned(_) => "run again and sign in at the address that is printed",
        }
    }
}

impl SignInError {
    /// The same, with where it was written down what led to it.
    pub(super) fn explained(self, diagnosis: &Diagnosis) -> Self {
        let place = diagnosis.failed(&self.to_string());
        match (self, place) {
            (Self::NotUnderstood { what }, Some(place)) => Self::NotUnderstood { what: format!("{what}; {place}") },
            (Self::NotUnderstoodInBrowser { what }, Some(place)) => {
                Self::NotUnderstoodInBrowser { what: format!("{what}; {place}") }
            }
            (error, Some(place)) => {
                diagnosis.remark(&format!("what was seen on the way to \"{error}\": {place}"));
                error
            }
            (error, None) => error,
        }
    }
}

impl From<Trouble> for SignInError {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

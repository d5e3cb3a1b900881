//! How a control of a page is named.

use scraper::Selector;

/// Names a control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Locator {
    /// By `id`.
    Id(String),
    /// By `name`.
    Name(String),
    /// By a CSS selector.
    Css(String),
    /// By an XPath, in a browser alone.
    XPath(String),
    /// A button or link by what stands on it.
    Text(String),
    /// A control by its label.
    Label(String),
    /// What would be found automatically.
    Auto(Hint),
}

/// What is looked for automatically.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// The field for the user name.
    Username,
    /// The field for the password.
    Password,
    /// The field for the one-time code.
    Totp,
    /// The button that leads on.
    Submit,
}

/// The kinds, as they are written.
const KINDS: [&str; 7] = ["id", "name", "css", "xpath", "text", "label", "auto"];

impl Locator {
    /// Reads `kind:what`.
    ///
    /// # Errors
    /// If the kind is none, or nothing or nonsense follows.
    pub fn read(text: &str) -> Result<Self, String> {
        let kinds = KINDS.map(|k| format!("{k}:")).join(" ");
        let (kind, what) =
            text.split_once(':').ok_or_else(|| format!("{text:?} names no control: it begins with one of {kinds}"))?;
        let what = what.trim().to_owned();
        if what.is_empty() {
            return Err(format!("{text:?} names no control: nothing follows {kind}:"));
        }
        Ok(match kind.trim() {
            "id" => Self::Id(what),
            "name" => Self::Name(what),
            "css" => match Selector::parse(&what) {
                Ok(_) => Self::Css(what),
                Err(error) => return Err(format!("{what:?} is no CSS selector: {error}")),
            },
            "xpath" => Self::XPath(what),
            "text" => Self::Text(what),
            "label" => Self::Label(what),
            "auto" => Self::Auto(match what.as_str() {
                "username" => Hint::Username,
                "password" => Hint::Password,
                "totp" => Hint::Totp,
                "submit" => Hint::Submit,
                _ => return Err(format!("auto:{what} is not known: there are auto: username, password, totp, submit")),
            }),
            kind => {
                let near = KINDS.iter().find(|k| strsim::osa_distance(k, kind) <= 2);
                let near = near.map(|k| format!("; did you mean {k}:?")).unwrap_or_default();
                return Err(format!("{kind}: is no way to name a control: there are {kinds}{near}"));
            }
        })
    }
}

impl std::fmt::Display for Locator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(what) => write!(f, "id:{what}"),
            Self::Name(what) => write!(f, "name:{what}"),
            Self::Css(what) => write!(f, "css:{what}"),
            Self::XPath(what) => write!(f, "xpath:{what}"),
            Self::Text(what) => write!(f, "text:{what}"),
            Self::Label(what) => write!(f, "label:{what}"),
            Self::Auto(hint) => write!(f, "auto:{}", format!("{hint:?}").to_lowercase()),
        }
    }
}

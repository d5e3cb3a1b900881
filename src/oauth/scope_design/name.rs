//! The name of a scope taken apart: how it is written, what it is about, what it allows.

/// How names are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// `files:read`, `read:files`.
    Colon,
    /// `files.read`.
    Dot,
    /// `files/read`.
    Slash,
    /// `read_files`.
    Underscore,
    /// `https://host/auth/files.readonly`.
    Url,
    /// `urn:example:files:read`.
    Urn,
    /// `Files.Read.All`, alone or behind `api://id/` or a URL.
    Microsoft,
}

impl Family {
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::Colon => "with colons (resource:action)",
            Self::Dot => "with points (resource.action)",
            Self::Slash => "with slashes (resource/action)",
            Self::Underscore => "with underscores (action_resource)",
            Self::Url => "as URLs",
            Self::Urn => "as URNs",
            Self::Microsoft => "in Microsoft's style (Resource.Action)",
        }
    }
}

/// Which comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    ActionFirst,
    ResourceFirst,
}

impl Order {
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::ActionFirst => "action comes first",
            Self::ResourceFirst => "resource comes first",
        }
    }
}

const READS: [&str; 9] = ["read", "readonly", "list", "view", "get", "history", "readbasic", "search", "query"];
/// `send`, `post`, `run` and their like leave nothing that could be read.
const WRITES: [&str; 14] = [
    "write",
    "readwrite",
    "read_write",
    "read-write",
    "create",
    "update",
    "edit",
    "modify",
    "manage",
    "delete",
    "remove",
    "upload",
    "insert",
    "patch",
];
const ACTS: [&str; 6] = ["send", "post", "publish", "run", "execute", "invite"];
const ADMINISTERS: [&str; 5] = ["admin", "administrator", "superuser", "root", "sudo"];

fn is_among(list: &[&str], word: &str) -> bool {
    list.iter().any(|w| w.eq_ignore_ascii_case(word))
}

fn is_action(word: &str) -> bool {
    is_among(&READS, word) || is_among(&WRITES, word) || is_among(&ACTS, word)
}

/// A scope taken apart.
#[derive(Debug, Clone)]
pub(super) struct Name<'a> {
    pub(super) scope: &'a str,
    /// A single word has none, and goes with any.
    pub(super) family: Option<Family>,
    /// What is the same for all scopes of a server: a URL, `urn:example`.
    prefix: &'a str,
    /// The parts of the rest.
    pub(super) segments: Vec<&'a str>,
    /// Which of the segments is the action.
    action: Option<usize>,
}

impl<'a> Name<'a> {
    pub(super) fn read(scope: &'a str) -> Self {
        let (prefix, rest) = match scope.split_once("://") {
            // `https://mail.example/` is all host; `api://id/Files.Read` has its name behind the last slash.
            Some(_) => scope.rfind('/').map_or((scope, ""), |at| scope.split_at(at + 1)),
            None if scope.get(..4).is_some_and(|s| s.eq_ignore_ascii_case("urn:")) => {
                let end = scope[4..].find(':').map_or(scope.len(), |at| 4 + at + 1);
                scope.split_at(end)
            }
            None => ("", scope),
        };
        let microsoft =
            prefix.starts_with("api://") || (is_pascal(rest) && (rest.contains('.') || prefix.contains("://")));
        let (family, separators): (_, &[char]) = if microsoft {
            (Some(Family::Microsoft), &['.'])
        } else if prefix.contains("://") {
            (Some(Family::Url), &['.', ':'])
        } else if !prefix.is_empty() {
            (Some(Family::Urn), &[':'])
        } else if rest.contains(':') {
            (Some(Family::Colon), &[':', '.'])
        } else if rest.contains('/') {
            (Some(Family::Slash), &['/', '.'])
        } else if rest.contains('.') {
            (Some(Family::Dot), &['.'])
        } else if action_of_words(rest).is_some() {
            (Some(Family::Underscore), &['_'])
        } else {
            (None, &[])
        };
        let segments: Vec<&str> = rest.split(separators).filter(|s| !s.is_empty()).collect();
        let action = match family {
            Some(Family::Underscore) => action_of_words(rest),
            _ => action_of(&segments),
        };
        Self { scope, family, prefix, segments, action }
    }

    fn action_word(&self) -> &str {
        self.action.and_then(|at| self.segments.get(at)).copied().unwrap_or_default()
    }

    /// What it is about, without the action.
    pub(super) fn resource(&self) -> Option<String> {
        // `Files.Read.All`, `users:read.email`: what follows the action narrows it and names nothing.
        let upto = self.action.filter(|at| *at > 0).unwrap_or(usize::MAX);
        let rest: Vec<&str> = self
            .segments
            .iter()
            .enumerate()
            .filter(|(at, word)| Some(*at) != self.action && *at < upto && !is_among(&ADMINISTERS, word))
            .map(|(_, word)| *word)
            .collect();
        (!rest.is_empty()).then(|| rest.join(self.joint()))
    }

    fn joint(&self) -> &'static str {
        match self.family {
            Some(Family::Colon | Family::Urn) => ":",
            Some(Family::Slash) => "/",
            Some(Family::Underscore) => "_",
            _ => ".",
        }
    }

    /// Whether the action or the resource comes first, where the style leaves a choice.
    pub(super) fn order(&self) -> Option<Order> {
        let free = matches!(self.family?, Family::Colon | Family::Dot | Family::Slash | Family::Underscore);
        match self.action? {
            // `admin:users` is a prefix, not an action; `read` alone has no order.
            _ if !free || self.segments.len() < 2 => None,
            0 => Some(Order::ActionFirst),
            _ => Some(Order::ResourceFirst),
        }
    }

    pub(super) fn reads(&self) -> bool {
        is_among(&READS, self.action_word())
    }

    pub(super) fn writes(&self) -> bool {
        is_among(&WRITES, self.action_word())
    }

    pub(super) fn administers(&self) -> bool {
        self.segments.iter().any(|s| is_among(&ADMINISTERS, s))
    }

    pub(super) fn is_under_admin(&self) -> bool {
        self.segments.first().is_some_and(|s| is_among(&ADMINISTERS, s))
    }

    /// The same name with `admin` in front.
    pub(super) fn under_admin(&self) -> Option<String> {
        let rest: Vec<&str> = self.segments.iter().copied().filter(|s| !is_among(&ADMINISTERS, s)).collect();
        (!rest.is_empty()).then(|| format!("{}admin{}{}", self.prefix, self.joint(), rest.join(self.joint())))
    }

    /// The same name with another action.
    pub(super) fn with_action(&self, action: &str) -> Option<String> {
        let at = self.action?;
        let cased = if self.segments[at].starts_with(|c: char| c.is_ascii_uppercase()) {
            capital(action)
        } else {
            action.to_owned()
        };
        let start = self.segments[at].as_ptr() as usize - self.scope.as_ptr() as usize;
        Some(format!("{}{cased}{}", &self.scope[..start], &self.scope[start + self.segments[at].len()..]))
    }

    /// The same in another style; nothing where the style has a prefix that cannot be guessed.
    pub(super) fn rewritten(&self, family: Family, order: Option<Order>) -> Option<String> {
        if matches!(family, Family::Url | Family::Urn | Family::Microsoft) {
            return None;
        }
        let action = if self.reads() { "read" } else { self.action_word() }.to_ascii_lowercase();
        let resource = self.resource()?.to_ascii_lowercase();
        if action.is_empty() {
            return Some(resource.replace(self.joint(), joint(family)));
        }
        Some(render(&resource.replace(self.joint(), "-"), &action, Some(family), order))
    }

    /// The name in lower case, if it begins with capitals where its style has none. Capitals inside of a word are a way
    /// to write two.
    pub(super) fn lower_case(&self) -> Option<String> {
        let free = !matches!(self.family, Some(Family::Url | Family::Urn | Family::Microsoft));
        let capitals = self.segments.iter().any(|s| s.starts_with(|c: char| c.is_ascii_uppercase()));
        (free && capitals).then(|| self.scope.to_ascii_lowercase())
    }

    /// More than three levels. A URL, URN or Microsoft name has those of its platform.
    pub(super) fn is_too_deep(&self) -> bool {
        self.segments.len() > 3 && matches!(self.family, Some(Family::Colon | Family::Dot | Family::Slash))
    }

    /// The same with the levels in the middle joined.
    pub(super) fn flatter(&self) -> Option<String> {
        let (first, rest) = self.segments.split_first()?;
        let (last, middle) = rest.split_last()?;
        let joint = self.joint();
        Some(format!("{first}{joint}{}{joint}{last}", middle.join("-")))
    }
}

/// A name for an action on a resource.
pub(super) fn render(resource: &str, action: &str, family: Option<Family>, order: Option<Order>) -> String {
    let family = family.unwrap_or(Family::Colon);
    match (family, order) {
        (Family::Microsoft, _) => format!("{}.{}", capital(resource), capital(action)),
        (Family::Underscore, None) | (_, Some(Order::ActionFirst)) => format!("{action}{}{resource}", joint(family)),
        _ => format!("{resource}{}{action}", joint(family)),
    }
}

fn joint(family: Family) -> &'static str {
    match family {
        Family::Colon | Family::Urn => ":",
        Family::Slash => "/",
        Family::Underscore => "_",
        Family::Dot | Family::Url | Family::Microsoft => ".",
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |c| c.to_ascii_uppercase().to_string() + letters.as_str())
}

/// `Files.Read.All`, `user_impersonation` not.
fn is_pascal(name: &str) -> bool {
    let mut parts = name.split('.');
    parts.all(|p| p.starts_with(|c: char| c.is_ascii_uppercase()) && p.chars().any(|c| c.is_ascii_lowercase()))
}

/// The action of a name: an end of it, or in Microsoft's style also what a constraint follows; `users:read.email`.
fn action_of(segments: &[&str]) -> Option<usize> {
    let last = segments.len().checked_sub(1)?;
    let places = [last, 0].into_iter().chain(1..last);
    let mut actions = places.filter(|at| is_action(segments[*at]));
    actions.next()
}

/// The same for words with underscores between them: one end or the other, if there is more than one word.
fn action_of_words(name: &str) -> Option<usize> {
    let words: Vec<&str> = name.split('_').filter(|w| !w.is_empty()).collect();
    let last = words.len().checked_sub(1)?;
    // `read_write` is one action on nothing in particular.
    let all = words.iter().all(|w| is_action(w));
    [0, last].into_iter().find(|at| last > 0 && !all && is_action(words[*at]))
}

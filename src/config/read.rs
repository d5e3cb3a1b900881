//! From the text of an `oaudit.toml` to its values, each checked for what it is and with its line.

use std::path::Path;

use super::keys::{KEYS, Key, Kind};
use super::{Entry, Value, Values};
use crate::front::command::Program;
use crate::front::steps::PlainStep;
use crate::toml_file::{Item, Mistake, Table, parse};
use crate::waiver::baseline;
use crate::wire::Resolved;
use crate::wire::message::address;
use crate::wire::options::proxy_url;

/// What a secret is called where somebody writes one down, and the key that names its place instead.
const SECRETS: [(&str, &str); 12] = [
    ("secret", "secret_env"),
    ("client_secret", "secret_env"),
    ("password", "password_env"),
    ("passwd", "password_env"),
    ("pass", "password_env"),
    ("totp_secret", "totp_env"),
    ("totp", "totp_env"),
    ("key", "key_file"),
    ("private_key", "key_file"),
    ("token", "OAUDIT_ACCESS_TOKEN"),
    ("access_token", "OAUDIT_ACCESS_TOKEN"),
    ("refresh_token", "OAUDIT_REFRESH_TOKEN"),
];

/// Reads a file that lies in `folder`.
pub(super) fn values(text: &str, folder: &Path) -> Result<Values, Mistake> {
    let reader = Reader { text, folder };
    let parsed = parse(text).map_err(|mistake| reader.unless_secret(mistake))?;
    reader
        .table(&Table::open("oaudit.toml", parsed.get_ref(), 0..0), "", KEYS)
        .map_err(|mistake| reader.discreet(mistake))
}

/// What stands on a line on which a secret may stand.
const TELLING: [&str; 11] = ["secret", "pass", "pwd", "token", "otp", "key", "cookie", "cred", "proxy", "command", "@"];

fn telling(text: &str) -> bool {
    let text = text.to_lowercase();
    TELLING.iter().any(|word| text.contains(word))
}

struct Reader<'t> {
    text: &'t str,
    folder: &'t Path,
}

impl Reader<'_> {
    /// What cannot be read may still be a password that somebody wrote down.
    fn unless_secret(&self, mistake: Mistake) -> Mistake {
        let (start, line) = self.line_of(&mistake);
        // Of text over several lines the middle says nothing of what it is: a private key, perhaps.
        let before = &self.text[..start];
        if ["\"\"\"", "'''"].iter().any(|quotes| before.matches(quotes).count() % 2 == 1) {
            return mistake.moved(start..start).hiding_the_rest();
        }
        // What has neither a key nor the name of a table may be a file with a secret that was taken for this one.
        let key = line.split_once('=').map_or("", |(key, _)| key);
        let bare = |c: char| c.is_ascii_alphanumeric() || "_-.\"'[]{}, ".contains(c);
        let is_key = key.chars().all(bare) && !line.trim_end().ends_with("==") && line.contains([' ', '"', '\'']);
        let is_toml = (!key.is_empty() && is_key) || line.trim_start().starts_with(['[', ']', '{', '}']);
        if !is_toml {
            return mistake.moved(start..start).hiding_the_rest();
        }
        if !telling(line) {
            return mistake;
        }
        // From the name of the key on.
        let name = line.find(['=', ' ']).unwrap_or(0);
        mistake.moved(start..start + name).hiding_the_rest()
    }

    /// A mistake beside which a secret may stand on the same line, in an inline table, is shown without it.
    fn discreet(&self, mistake: Mistake) -> Mistake {
        let (start, line) = self.line_of(&mistake);
        let at = |at: usize| at.saturating_sub(start).min(line.len());
        let before = line.get(..at(mistake.at.start)).unwrap_or_default();
        let after = line.get(at(mistake.at.end)..).unwrap_or_default();
        // The name of the key itself aside.
        let before = before.rsplit_once('=').map_or("", |(before, _)| before);
        match (before.contains('=') && telling(before), telling(after)) {
            (true, _) => mistake.alone(),
            (false, true) => mistake.hiding_the_rest(),
            (false, false) => mistake,
        }
    }

    /// The line of a mistake, and where it begins.
    fn line_of(&self, mistake: &Mistake) -> (usize, &str) {
        let start = self.text.get(..mistake.at.start).and_then(|t| t.rfind('\n')).map_or(0, |at| at + 1);
        (start, self.text.get(start..).and_then(|t| t.lines().next()).unwrap_or_default())
    }

    /// `of` is the dotted name of the table.
    fn table(&self, table: &Table<'_>, of: &str, keys: &[Key]) -> Result<Values, Mistake> {
        let known: Vec<&str> = keys.iter().map(|key| key.name).collect();
        for (name, at) in table.keys() {
            let called = SECRETS.iter().find(|(secret, _)| *secret == name.to_lowercase());
            if let Some((_, place)) = called.filter(|_| !known.contains(&name)) {
                let hint = match *place {
                    "key_file" => "put it into a file of its own, and the path of that into key_file".to_owned(),
                    "secret_env" | "password_env" | "totp_env" => format!(
                        "put it into an environment variable, and the name of that into {place}; \
                         change it if others have read this file"
                    ),
                    variable => format!("put it into the environment variable {variable}"),
                };
                return Err(Mistake::new("a secret never stands in this file", at).hint(hint).hiding_the_rest());
            }
        }
        table.limited_to(&known).map_err(Mistake::hiding_the_rest)?;
        let mut values = Values::default();
        for key in keys {
            if let Some(item) = table.get(key.name) {
                self.key(key, item, of, &mut values)?;
            } else if key.needed {
                table.need(key.name)?;
            }
        }
        Ok(values)
    }

    fn key(&self, key: &Key, item: Item<'_>, of: &str, values: &mut Values) -> Result<(), Mistake> {
        let path = if of.is_empty() { key.name.to_owned() } else { format!("{of}.{}", key.name) };
        let value = match key.kind {
            Kind::Table(keys) => {
                let inner = self.table(&item.open(format!("[{path}]"))?, &path, keys)?;
                values.nest(key.name, inner);
                return Ok(());
            }
            Kind::Tables(keys) => {
                let open = |item: Item<'_>| self.table(&item.open(format!("a [[{path}]]"))?, &path, keys);
                let read: Vec<Values> = item.items()?.into_iter().map(open).collect::<Result<_, _>>()?;
                let steps: Vec<&str> = keys.iter().filter(|k| matches!(k.kind, Kind::Steps)).map(|k| k.name).collect();
                let idle = |values: &&Values| !steps.is_empty() && !steps.iter().any(|s| values.get(s).is_some());
                if let Some(at) = read.iter().position(|values| idle(&values)) {
                    let at = item.items()?[at].at();
                    let why = format!("a [[{path}]] needs something to do: {}", steps.join(", "));
                    return Err(Mistake::new(why, at));
                }
                Value::Tables(read)
            }
            Kind::Steps => {
                let steps = item.items()?.into_iter().map(step);
                Value::Steps(steps.collect::<Result<_, _>>()?)
            }
            Kind::Program => {
                let text = item.line().map_err(|mistake| unshown(item, mistake))?;
                let fit = Program::parse(text).is_some();
                let wrong = || unshown(item, item.wrong("this is no program with its arguments"));
                Value::Text(fit.then_some(text).ok_or_else(wrong)?.to_owned())
            }
            Kind::Text => Value::Text(item.line()?.to_owned()),
            Kind::Body => Value::Text(item.text()?.to_owned()),
            Kind::Address => {
                let url = item.line()?;
                address(url).map_err(|trouble| match url.contains('@') {
                    true => unshown(item, item.wrong("this is no http or https URL")),
                    false => item.wrong(trouble.to_string()),
                })?;
                let hint = match key.name {
                    "webdriver_url" => "OAUDIT_WEBDRIVER_URL in the environment may have one",
                    _ => {
                        "a server that asks for one takes it by OAUDIT_HEADERS=\"Authorization: Basic …\" in the environment"
                    }
                };
                nobodys(item, url, hint)?;
                Value::Text(url.to_owned())
            }
            Kind::Uri => {
                let uri = item.line()?;
                url::Url::parse(uri).map_err(|error| item.wrong(format!("this is no URI: {error}")))?;
                Value::Text(uri.to_owned())
            }
            Kind::Resolved => {
                let checked = item.items()?.into_iter().map(|item| {
                    let text = item.line()?;
                    text.parse::<Resolved>().map(|_| text.to_owned()).map_err(|why| item.wrong(why))
                });
                Value::Texts(checked.collect::<Result<_, _>>()?)
            }
            Kind::Proxy => Value::Text(proxy(item)?.to_owned()),
            Kind::Variable => Value::Text(variable(item)?.to_owned()),
            Kind::Path => Value::Text(self.path(item)?),
            Kind::Paths => Value::Texts(item.items()?.into_iter().map(|i| self.path(i)).collect::<Result<_, _>>()?),
            Kind::Texts => {
                let lines = item.items()?.into_iter().map(|item| item.line().map(str::to_owned));
                Value::Texts(lines.collect::<Result<_, _>>()?)
            }
            Kind::Count(least, most) => Value::Count(item.count(least, most)?),
            Kind::Day => Value::Text(day(item)?),
            Kind::Flag => Value::Flag(item.flag()?),
            Kind::Choice(words) => {
                let words: Vec<(&str, &str)> = words.iter().map(|word| (*word, *word)).collect();
                Value::Text(item.one_of(key.name, &words)?.to_owned())
            }
        };
        values.enter(key.name, Entry { value, line: self.line(item), at: item.at() });
        Ok(())
    }

    fn line(&self, item: Item<'_>) -> usize {
        self.text.get(..item.at().start).unwrap_or_default().matches('\n').count() + 1
    }

    fn path(&self, item: Item<'_>) -> Result<String, Mistake> {
        let path = self.folder.join(item.line().map_err(|mistake| unshown(item, mistake))?);
        path.to_str().map(str::to_owned).ok_or_else(|| item.wrong("the path to this is not UTF-8"))
    }
}

/// A step of a login page, checked for what it means.
fn step(item: Item<'_>) -> Result<serde_json::Value, Mistake> {
    // What is entered may be a secret, wherever it stands.
    let start = item.at().start..item.at().start;
    item.table("a step", &PlainStep::KEYS).map_err(Mistake::hiding_the_rest)?;
    let json = item.json().map_err(Mistake::hiding_the_rest)?;
    let hidden = |why: String| Mistake::new(why, start.clone()).hiding_the_rest();
    let step: PlainStep = serde_json::from_value(json.clone()).map_err(|error| hidden(error.to_string()))?;
    if step.gives_away_a_secret() {
        let hint = "with = \"{password}\" enters the password, \"{totp}\" a one-time code";
        return Err(hidden("a secret never stands in this file".into()).hint(hint));
    }
    step.check().map_err(hidden)?;
    Ok(json)
}

/// A mistake in what may be the secret itself in place of its name or place.
fn unshown(item: Item<'_>, mistake: Mistake) -> Mistake {
    let start = item.at().start;
    mistake.moved(start..start).hiding_the_rest()
}

fn variable(item: Item<'_>) -> Result<&str, Mistake> {
    let name = item.line().map_err(|mistake| unshown(item, mistake))?;
    let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    match first && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        true => Ok(name),
        false => {
            let at = item.at().start..item.at().start;
            let hint = "the secret goes into the variable, and its name stands here, such as OAUDIT_CLIENT_SECRET";
            Err(Mistake::new("the name of an environment variable is due here", at).hint(hint).hiding_the_rest())
        }
    }
}

/// A day, as text or as TOML has it.
fn day(item: Item<'_>) -> Result<String, Mistake> {
    let text = match item.date() {
        Some(date) => date,
        None => item.line()?.to_owned(),
    };
    match baseline::day(&text) {
        Ok(day) => Ok(day.to_string()),
        Err(_) => Err(item.wrong("this is no day, such as \"2027-03-01\"")),
    }
}

fn proxy(item: Item<'_>) -> Result<&str, Mistake> {
    let text = item.line()?;
    proxy_url(text).map_err(|why| match text.contains('@') {
        true => unshown(item, item.wrong(why)),
        false => item.wrong(why),
    })?;
    nobodys(item, text, "HTTPS_PROXY in the environment may have one")?;
    Ok(text)
}

/// A URL in which no password stands.
fn nobodys(item: Item<'_>, url: &str, hint: &str) -> Result<(), Mistake> {
    let has_one = |url: &url::Url| !url.username().is_empty() || url.password().is_some();
    match url::Url::parse(url).is_ok_and(|url| has_one(&url)) {
        true => {
            let at = item.at().start..item.at().start;
            Err(Mistake::new("a secret never stands in this file", at).hint(hint).hiding_the_rest())
        }
        false => Ok(()),
    }
}

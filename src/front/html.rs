//! Reading a page as a browser would: its forms, where it sends the visitor by itself, and what it asks for.

use scraper::{ElementRef, Html, Selector};
use url::Url;

use crate::oauth::answer::PageKind;

/// What a field of a form is for, as far as filling it in goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldKind {
    Hidden,
    Text,
    Password,
    Checkbox,
    Radio,
    Other,
}

/// A field with the value it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) kind: FieldKind,
    pub(super) name: String,
    pub(super) value: String,
    pub(super) checked: bool,
    pub(super) required: bool,
    /// Name, id, autocomplete, placeholder and label, lower case: what tells a user name from a coupon code.
    pub(super) hints: String,
}

/// A button that submits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Button {
    pub(super) name: Option<String>,
    pub(super) value: String,
    /// What it says and is called, lower case.
    pub(super) says: String,
    pub(super) action: Option<String>,
}

/// A form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) action: String,
    pub(super) post: bool,
    pub(super) fields: Vec<Field>,
    pub(super) buttons: Vec<Button>,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PageRead {
    pub(super) title: String,
    pub(super) text: String,
    pub(super) alert: Option<String>,
    pub(super) forms: Vec<Form>,
    /// Where it leads by itself: meta refresh.
    pub(super) refresh: Option<String>,
    /// Whether a script submits a form.
    pub(super) submits_itself: bool,
    pub(super) has_script: bool,
}

/// The codes by which a page names an OAuth error.
const ERROR_CODES: [&str; 13] = [
    "invalid_request",
    "unauthorized_client",
    "access_denied",
    "unsupported_response_type",
    "invalid_scope",
    "server_error",
    "invalid_client",
    "invalid_redirect_uri",
    "redirect_uri_mismatch",
    "invalid_target",
    "invalid_grant",
    "unsupported_response_mode",
    "invalid_request_uri",
];

const USER_NAMES: [&str; 6] = ["username", "user", "email", "login", "identifier", "account"];
pub(super) const ALLOWING: [&str; 14] = [
    "allow", "accept", "authorize", "authorise", "approve", "yes", "continue", "confirm", "grant", "agree", "consent", "permit",
    "ok", "proceed",
];
pub(super) const DENYING: [&str; 11] =
    ["deny", "cancel", "reject", "decline", "disallow", "refuse", "abort", "don't", "not now", "disagree", "logout"];

fn select(selector: &str) -> Selector {
    Selector::parse(selector).expect("a constant selector")
}

fn words(element: ElementRef<'_>) -> String {
    squeeze(&element.text().collect::<Vec<_>>().join(" "))
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Reads a page that came from `url`.
pub(super) fn read(url: &str, html: &str) -> PageRead {
    let page = Html::parse_document(html);
    let base = page
        .select(&select("base[href]"))
        .next()
        .and_then(|b| resolve(url, b.value().attr("href")?))
        .unwrap_or_else(|| url.to_owned());
    let title = page.select(&select("title, h1")).map(words).find(|t| !t.is_empty()).unwrap_or_default();
    let text = page.select(&select("body")).next().map(visible).unwrap_or_default();
    let alert = page
        .select(&select("[role=alert], .error, .alert, .alert-danger, .errorlist, #error, [style*=red], [class*=error]"))
        .map(words)
        .find(|t| !t.is_empty());
    let refresh = page
        .select(&select("meta[http-equiv][content]"))
        .find(|m| m.value().attr("http-equiv").is_some_and(|v| v.eq_ignore_ascii_case("refresh")))
        .and_then(|m| refresh_target(m.value().attr("content")?))
        .and_then(|target| resolve(&base, &target));
    let scripts: Vec<String> = page.select(&select("script")).map(|s| s.text().collect()).collect();
    let onload = page.select(&select("[onload]")).any(|b| b.value().attr("onload").is_some_and(submits));
    let submits_itself = onload || scripts.iter().any(|s| submits(s));
    let forms = page.select(&select("form")).map(|form| read_form(&page, form, url, &base)).collect();
    PageRead { title, text, alert, forms, refresh, submits_itself, has_script: !scripts.is_empty() }
}

fn submits(script: &str) -> bool {
    script.contains(".submit(") || script.contains(".requestSubmit(")
}

/// The text of a page without its scripts and styles.
fn visible(body: ElementRef<'_>) -> String {
    let mut text = String::new();
    for node in body.descendants() {
        let Some(piece) = node.value().as_text() else { continue };
        let hidden = node.ancestors().any(|a| {
            a.value().as_element().is_some_and(|e| ["script", "style", "template"].contains(&e.name()))
        });
        if !hidden {
            text.push_str(piece);
            text.push(' ');
        }
        if text.len() > 20_000 {
            break;
        }
    }
    squeeze(&text)
}

/// `0; url='/next'` in all its spellings.
fn refresh_target(content: &str) -> Option<String> {
    let rest = content.split_once([';', ','])?.1.trim();
    let rest = if rest.get(..3)?.eq_ignore_ascii_case("url") { rest[3..].trim_start().strip_prefix('=')? } else { rest };
    let target = rest.trim().trim_matches(['"', '\'']);
    (!target.is_empty()).then(|| target.to_owned())
}

/// Resolves a reference; an absolute one stays byte for byte as it is, for it may be a redirect URI that is compared.
pub(super) fn resolve(base: &str, reference: &str) -> Option<String> {
    match Url::parse(reference) {
        Ok(_) => Some(reference.trim().to_owned()),
        Err(_) => Url::parse(base).ok()?.join(reference.trim()).ok().map(String::from),
    }
}

fn read_form(page: &Html, form: ElementRef<'_>, url: &str, base: &str) -> Form {
    let element = form.value();
    let action = match element.attr("action").map(str::trim) {
        Some(action) if !action.is_empty() => resolve(base, action).unwrap_or_else(|| url.to_owned()),
        _ => url.to_owned(),
    };
    let post = element.attr("method").is_some_and(|m| m.eq_ignore_ascii_case("post"));
    let mut controls: Vec<ElementRef<'_>> = form.select(&select("input, button, select, textarea")).collect();
    // Controls outside of the form may belong to it by name.
    if let Some(id) = element.attr("id") {
        let controlling = select("input[form], button[form], select[form], textarea[form]");
        for control in page.select(&controlling).filter(|c| c.value().attr("form") == Some(id)) {
            if !controls.contains(&control) {
                controls.push(control);
            }
        }
    }
    controls.retain(|c| c.value().attr("disabled").is_none());
    let mut read = Form { action, post, fields: Vec::new(), buttons: Vec::new() };
    for control in controls {
        read_control(page, control, base, &mut read);
    }
    read
}

fn read_control(page: &Html, control: ElementRef<'_>, base: &str, form: &mut Form) {
    let element = control.value();
    let attribute = |name: &str| element.attr(name).unwrap_or_default().to_owned();
    let kind = attribute("type").to_ascii_lowercase();
    let name = attribute("name");
    let label = element.attr("id").and_then(|id| {
        page.select(&select("label[for]")).find(|l| l.value().attr("for") == Some(id)).map(words)
    });
    let hints = [&name, &attribute("id"), &attribute("autocomplete"), &attribute("placeholder"), &label.unwrap_or_default()]
        .map(|s| s.to_ascii_lowercase())
        .join(" ");
    let is_button = element.name() == "button" && !["button", "reset"].contains(&kind.as_str());
    if is_button || (element.name() == "input" && ["submit", "image"].contains(&kind.as_str())) {
        let text = if is_button { words(control) } else { attribute("value") };
        let says = [&text, &attribute("value"), &name, &attribute("id"), &attribute("aria-label")]
            .map(|s| s.to_ascii_lowercase())
            .join(" ");
        form.buttons.push(Button {
            name: (!name.is_empty()).then_some(name),
            value: attribute("value"),
            says,
            action: element.attr("formaction").and_then(|a| resolve(base, a)),
        });
        return;
    }
    let (kind, value) = match (element.name(), kind.as_str()) {
        ("button", _) | ("input", "button" | "reset" | "file") => return,
        ("textarea", _) => (FieldKind::Text, control.text().collect()),
        ("select", _) => {
            let options: Vec<ElementRef<'_>> = control.select(&select("option")).collect();
            let chosen = options.iter().find(|o| o.value().attr("selected").is_some()).or(options.first());
            let value = chosen.map(|o| o.value().attr("value").map_or_else(|| words(*o), str::to_owned));
            (FieldKind::Other, value.unwrap_or_default())
        }
        (_, "hidden") => (FieldKind::Hidden, attribute("value")),
        (_, "password") => (FieldKind::Password, attribute("value")),
        (_, "checkbox" | "radio") => {
            let kind = if kind == "radio" { FieldKind::Radio } else { FieldKind::Checkbox };
            (kind, element.attr("value").unwrap_or("on").to_owned())
        }
        (_, "" | "text" | "email" | "tel" | "search" | "url" | "number") => (FieldKind::Text, attribute("value")),
        _ => (FieldKind::Other, attribute("value")),
    };
    if !name.is_empty() || kind == FieldKind::Password {
        let checked = element.attr("checked").is_some();
        form.fields.push(Field { kind, name, value, checked, required: element.attr("required").is_some(), hints });
    }
}

impl Form {
    /// Whether a person is asked for nothing: hidden fields only.
    pub(super) fn is_hidden(&self) -> bool {
        !self.fields.is_empty() && self.fields.iter().all(|f| f.kind == FieldKind::Hidden)
    }

    pub(super) fn asks_password(&self) -> bool {
        self.fields.iter().any(|f| f.kind == FieldKind::Password)
    }

    /// The field for the user name: the one that says so, else the only text field beside a password.
    pub(super) fn user_name(&self) -> Option<usize> {
        let texts = || self.fields.iter().enumerate().filter(|(_, f)| f.kind == FieldKind::Text);
        let named = texts().find(|(_, f)| USER_NAMES.iter().any(|n| f.hints.contains(n)));
        named.or_else(|| texts().next().filter(|_| self.asks_password())).map(|(at, _)| at)
    }

    /// The button that allows, never one that denies.
    pub(super) fn allowing(&self) -> Option<&Button> {
        let says = |b: &Button, list: &[&str]| list.iter().any(|w| has_word(&b.says, w));
        self.buttons.iter().find(|b| says(b, &ALLOWING) && !says(b, &DENYING))
    }

    pub(super) fn is_consent(&self) -> bool {
        let denies = self.buttons.iter().any(|b| DENYING.iter().any(|w| has_word(&b.says, w)));
        !self.asks_password() && self.user_name().is_none() && (self.allowing().is_some() || denies)
    }

    pub(super) fn is_login(&self) -> bool {
        self.asks_password() || self.user_name().is_some()
    }

    /// `fields a, b; buttons "x"`, for a person.
    pub(super) fn describe(&self) -> String {
        let fields: Vec<&str> =
            self.fields.iter().filter(|f| f.kind != FieldKind::Hidden).map(|f| f.name.as_str()).collect();
        let buttons: Vec<String> =
            self.buttons.iter().map(|b| format!("\"{}\"", b.says.split_whitespace().next().unwrap_or("?"))).collect();
        format!("fields [{}], buttons [{}]", fields.join(", "), buttons.join(", "))
    }
}

/// Whether `word` stands in `text` as a word of its own (`allow` is not in `disallow`).
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(|c| c.is_alphanumeric() && c != 'd' && c != 's')
    })
}

impl PageRead {
    /// What the page looks like, with this status.
    pub(super) fn kind(&self, status: u16) -> PageKind {
        if self.forms.iter().any(Form::asks_password) {
            return PageKind::Login;
        }
        if status >= 400 {
            return PageKind::Error;
        }
        if self.names_error().is_some() {
            return PageKind::Error;
        }
        if self.forms.iter().any(Form::is_login) {
            return PageKind::Login;
        }
        if self.forms.iter().any(Form::is_consent) {
            return PageKind::Consent;
        }
        let heading = self.title.to_ascii_lowercase();
        let complains = ["error", "invalid", "denied", "oops", "bad request"].iter().any(|w| heading.contains(w));
        if self.forms.is_empty() && complains { PageKind::Error } else { PageKind::Unknown }
    }

    /// The sentence that names an OAuth error.
    fn names_error(&self) -> Option<&str> {
        let at = ERROR_CODES.iter().filter_map(|code| self.text.find(code)).min()?;
        let start = self.text[..at].rfind(". ").map_or(0, |i| i + 2);
        Some(&self.text[start..])
    }

    /// Its title or first words; of an error page, the words that name the error.
    pub(super) fn says(&self, kind: PageKind) -> String {
        let told = match kind {
            PageKind::Error => self.names_error().map(str::to_owned),
            _ => None,
        };
        let told = told.unwrap_or_else(|| match (self.title.is_empty(), kind) {
            (false, PageKind::Error) if !self.text.is_empty() && self.text != self.title => self.text.clone(),
            (false, _) => self.title.clone(),
            (true, _) => self.text.clone(),
        });
        told.chars().take(120).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://as.example/login?tx=1";

    fn kind(status: u16, html: &str) -> PageKind {
        read(URL, html).kind(status)
    }

    #[test]
    fn pages_are_told_apart() {
        let login = "<form method=post><input name=u autocomplete=username><input type=password name=p><button>Go</button></form>";
        assert_eq!(kind(200, login), PageKind::Login);
        assert_eq!(kind(401, login), PageKind::Login);
        assert_eq!(kind(200, "<form><input type=email name=identifier><button>Next</button></form>"), PageKind::Login);
        let consent = "<form method=post><button name=d value=deny>Deny</button><button name=d value=allow>Allow</button></form>";
        assert_eq!(kind(200, consent), PageKind::Consent);
        assert_eq!(kind(400, "<h1>Bad client</h1>"), PageKind::Error);
        assert_eq!(kind(200, "<p>The request failed: invalid_request</p>"), PageKind::Error);
        assert_eq!(kind(200, "<title>Error</title><p>x"), PageKind::Error);
        assert_eq!(kind(200, "<title>Welcome</title><p>A shop"), PageKind::Unknown);
        assert_eq!(kind(200, "<div id=root></div><script src=/app.js></script>"), PageKind::Unknown);
    }

    #[test]
    fn deny_may_come_first_and_disallow_is_no_allow() {
        let page = read(
            URL,
            "<form><button name=a value=1>Disallow</button><input type=submit name=b value='Yes, allow access'></form>",
        );
        assert_eq!(page.forms[0].allowing().unwrap().name.as_deref(), Some("b"));
        let page = read(URL, "<form><button>Deny</button></form>");
        assert_eq!(page.forms[0].allowing(), None);
        assert!(page.forms[0].is_consent());
    }

    #[test]
    fn actions_are_resolved() {
        let page = read(URL, "<base href=/base/><form action=go></form><form></form><form action='http://127.0.0.1:1/cb'></form>");
        let actions: Vec<&str> = page.forms.iter().map(|f| f.action.as_str()).collect();
        assert_eq!(actions, ["https://as.example/base/go", URL, "http://127.0.0.1:1/cb"]);
    }

    #[test]
    fn buttons_and_fields_outside_belong_to_their_form() {
        let page = read(URL, "<form id=f></form><input form=f name=x value=1><button form=f formaction=/other name=ok>Continue</button>");
        assert_eq!(page.forms[0].fields[0].name, "x");
        assert_eq!(page.forms[0].buttons[0].action.as_deref(), Some("https://as.example/other"));
    }

    #[test]
    fn meta_refresh_in_its_spellings() {
        for content in ["0;url=/next", "0; URL='/next'", "0, url = \"/next\"", "0;/next"] {
            let html = format!("<meta http-equiv=Refresh content=\"{}\">", content.replace('"', "&quot;"));
            assert_eq!(read(URL, &html).refresh.as_deref(), Some("https://as.example/next"), "{content}");
        }
        assert_eq!(read(URL, "<meta http-equiv=refresh content=30>").refresh, None);
    }

    #[test]
    fn an_error_page_says_the_error() {
        let page = read(URL, "<title>Oops</title><h1>Oops</h1><p>Sorry. error: invalid_request, no challenge</p><script>var x</script>");
        assert_eq!(page.says(PageKind::Error), "error: invalid_request, no challenge");
    }
}

//! Types and presses in the browser.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use thirtyfour::{Key as Pressed, WebDriver, WebElement};

use super::super::fill::{self, Plan, Way};
use super::super::form::Credentials;
use super::super::html::{FieldKind, is_code, is_password};
use super::super::steps::{Act, Hint, Key, Locator, address_matches};
use super::driver::told;
use super::look::{self, Seen};

/// How long something is waited for that is to be pressed or filled in.
const WAIT: Duration = Duration::from_secs(10);
/// The same for what may be missing.
const SHORT_WAIT: Duration = Duration::from_secs(2);
/// Between two looks.
const GLANCE: Duration = Duration::from_millis(100);

/// Acts on what a browser shows.
pub(super) struct Hand<'a> {
    session: &'a WebDriver,
}

impl<'a> Hand<'a> {
    pub(super) fn new(session: &'a WebDriver) -> Self {
        Self { session }
    }

    /// Does what was made out.
    pub(super) async fn does(&self, seen: &Seen, way: Way) -> Result<(), String> {
        match way {
            Way::Link(at) => self.press(&self.element(&seen.links[at])?).await,
            Way::Form(plan) => self.form(seen, plan).await,
        }
    }

    fn element(&self, value: &Value) -> Result<WebElement, String> {
        WebElement::from_json(value.clone(), self.session.handle().clone()).map_err(|e| told(&e))
    }

    async fn form(&self, seen: &Seen, plan: Plan) -> Result<(), String> {
        let form = &seen.sheet.forms[plan.form];
        let elements = &seen.elements[plan.form];
        let mut last = None;
        for (at, (field, value)) in form.fields.iter().zip(&plan.values).enumerate() {
            let element = self.element(&elements[at])?;
            match (field.kind, value) {
                (FieldKind::Text | FieldKind::Password, Some(text)) => {
                    if *text != field.value && !field.readonly {
                        self.enter(&element, text).await?;
                    }
                    last = Some(element);
                }
                (FieldKind::Checkbox, wanted) if wanted.is_some() != field.checked => self.press(&element).await?,
                (FieldKind::Radio, Some(_)) if !field.checked => self.press(&element).await?,
                (FieldKind::Select, Some(value)) if *value != field.value => self.choose(&element, value).await?,
                _ => {}
            }
        }
        match (plan.button, last) {
            (Some(at), _) => {
                let button = self.element(&elements[at])?;
                self.until_enabled(&button).await;
                self.press(&button).await
            }
            (None, Some(last)) => last.send_keys(Pressed::Enter).await.map_err(|e| told(&e)),
            (None, None) => Err("the form has neither a button nor a field".into()),
        }
    }

    async fn enter(&self, element: &WebElement, text: &str) -> Result<(), String> {
        // A field that cannot be emptied is typed into as it is.
        let _ = element.clear().await;
        element.send_keys(text).await.map_err(|e| told(&e))
    }

    async fn choose(&self, element: &WebElement, value: &str) -> Result<(), String> {
        let script = "const [list, wanted] = arguments;
            const entry = [...list.options].find((o) => o.value === wanted || o.text.trim() === wanted);
            if (!entry) return false;
            list.value = entry.value;
            for (const name of ['input', 'change']) list.dispatchEvent(new Event(name, { bubbles: true }));
            return true;";
        let arguments = vec![element.to_json().map_err(|e| told(&e))?, json!(value)];
        let done = self.session.execute(script, arguments).await.map_err(|e| told(&e))?;
        if done.json() == &json!(true) { Ok(()) } else { Err(format!("there is no entry {value:?}")) }
    }

    /// Presses as a person does; where something lies above it, as a script does.
    async fn press(&self, element: &WebElement) -> Result<(), String> {
        let Err(error) = element.click().await else { return Ok(()) };
        let why = told(&error);
        // The press led away, to where nothing answers: where that is, is seen in the address.
        if why.contains("net::ERR_") || why.contains("neterror") {
            return Ok(());
        }
        let argument = vec![element.to_json().map_err(|e| told(&e))?];
        self.session.execute("arguments[0].click()", argument).await.map(|_| ()).map_err(|_| why)
    }

    /// Many a button wakes up when everything is filled in.
    async fn until_enabled(&self, button: &WebElement) {
        let began = Instant::now();
        while began.elapsed() < SHORT_WAIT && !button.is_enabled().await.unwrap_or(true) {
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// Does one step; tells whether it may lead to another page.
    pub(super) async fn steps(
        &self,
        act: &Act,
        optional: bool,
        seen: &Seen,
        credentials: Option<&Credentials>,
        code: Option<&str>,
    ) -> Result<bool, String> {
        let wait = if optional { SHORT_WAIT } else { WAIT };
        match act {
            Act::Auto => return Ok(true),
            Act::Fill(locator, with) => {
                let text = with.fill_in(credentials, code)?;
                self.enter(&self.find(locator, seen, wait).await?, &text).await?;
            }
            Act::Select(locator, with) => {
                let text = with.fill_in(credentials, code)?;
                self.choose(&self.find(locator, seen, wait).await?, &text).await?;
            }
            Act::Check(locator) => {
                let element = self.find(locator, seen, wait).await?;
                if !element.is_selected().await.unwrap_or(false) {
                    self.press(&element).await?;
                }
            }
            Act::Click(locator) => {
                let element = self.find(locator, seen, wait).await?;
                self.until_enabled(&element).await;
                self.press(&element).await?;
                return Ok(true);
            }
            Act::Press(key) => {
                let pressed = match key {
                    Key::Enter => Pressed::Enter,
                    Key::Tab => Pressed::Tab,
                    Key::Escape => Pressed::Escape,
                    Key::Space => Pressed::Space,
                };
                let focused = self.session.active_element().await.map_err(|e| told(&e))?;
                focused.send_keys(pressed).await.map_err(|e| told(&e))?;
                return Ok(matches!(key, Key::Enter | Key::Space));
            }
            Act::WaitFor(locator) => {
                self.find(locator, seen, wait).await?;
            }
            Act::WaitUrl(pattern) => {
                let began = Instant::now();
                loop {
                    let url = self.session.current_url().await.map(String::from).unwrap_or_default();
                    if address_matches(pattern, &url) {
                        break;
                    }
                    if began.elapsed() > wait {
                        return Err(format!("the address is still {}", super::super::walk::place(&url)));
                    }
                    tokio::time::sleep(GLANCE).await;
                }
            }
            Act::Sleep(time) => tokio::time::sleep(*time).await,
        }
        Ok(false)
    }

    async fn find(&self, locator: &Locator, seen: &Seen, wait: Duration) -> Result<WebElement, String> {
        if let Locator::Auto(hint) = locator {
            let value = guessed(*hint, seen).ok_or_else(|| format!("there is no {locator}"))?;
            return self.element(value);
        }
        let (kind, what) = match locator {
            Locator::Id(what) => ("id", what.as_str()),
            Locator::Name(what) => ("name", what.as_str()),
            Locator::Css(what) => ("css", what.as_str()),
            Locator::XPath(what) => ("xpath", what.as_str()),
            Locator::Text(what) => ("text", what.as_str()),
            Locator::Label(what) => ("label", what.as_str()),
            Locator::Auto(_) => return Err("found above".into()),
        };
        let began = Instant::now();
        loop {
            let found = self.session.execute(look::FIND, vec![json!(kind), json!(what)]).await;
            match found.map(|found| found.json().clone()) {
                Ok(value) if !value.is_null() => return self.element(&value),
                Err(error) if began.elapsed() > wait => return Err(told(&error)),
                _ if began.elapsed() > wait => return Err(format!("there is no {locator}")),
                _ => tokio::time::sleep(GLANCE).await,
            }
        }
    }
}

/// The element that would be used without steps.
fn guessed(hint: Hint, seen: &Seen) -> Option<&Value> {
    let forms = &seen.sheet.forms;
    let (form, at) = match hint {
        Hint::Username => {
            let form = fill::login_form(&seen.sheet)?;
            (form, fill::user_field(&forms[form])?)
        }
        Hint::Password => {
            forms.iter().enumerate().find_map(|(n, f)| Some((n, f.fields.iter().position(is_password)?)))?
        }
        Hint::Totp => forms.iter().enumerate().find_map(|(n, f)| Some((n, f.fields.iter().position(is_code)?)))?,
        Hint::Submit => {
            let form = fill::login_form(&seen.sheet).or_else(|| fill::code_form(&seen.sheet))?;
            (form, fill::leading_in(&forms[form])??)
        }
    };
    seen.elements.get(form)?.get(at)
}

//! A page as the browser shows it, read by a script, in the terms in which pages are judged and filled in.

use serde::Deserialize;
use serde_json::Value;

use super::super::html::{Choice, Field, FieldKind, Form, Sheet, Verb, Words, sounds_like};

/// The script that reads.
pub(super) const SCRIPT: &str = concat!(include_str!("page.js"), include_str!("look.js"));

/// The script that finds one element.
pub(super) const FIND: &str = concat!(include_str!("page.js"), include_str!("find.js"));

/// The script that takes out what was typed.
pub(super) const EMPTY: &str = concat!(
    include_str!("page.js"),
    "for (const field of every('input, textarea')) if (visible(field) && field.type !== 'submit') field.value = '';"
);

/// What the script tells.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Look {
    /// The address of the document, which is not that of the window where loading failed.
    pub(super) url: String,
    /// Whether it is loaded.
    pub(super) ready: bool,
    /// The status that it came with; 0 if the browser does not tell.
    pub(super) status: u16,
    title: String,
    heading: String,
    forms: Vec<String>,
    controls: Vec<Control>,
    links: Vec<Link>,
    alerts: Vec<String>,
    blocks: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Control {
    element: Value,
    tag: String,
    r#type: String,
    button: bool,
    form: usize,
    name: String,
    id: String,
    autocomplete: String,
    text: String,
    value: String,
    required: bool,
    readonly: bool,
    checked: bool,
    choices: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Entry {
    value: String,
    text: String,
    selected: bool,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Link {
    element: Value,
    href: String,
    text: String,
}

/// A page in the terms in which it is judged, and the elements behind its controls and links.
#[derive(Debug)]
pub(super) struct Seen {
    /// The page.
    pub(super) sheet: Sheet,
    /// The element of each control, by form.
    pub(super) elements: Vec<Vec<Value>>,
    /// The element of each link.
    pub(super) links: Vec<Value>,
}

impl Look {
    /// Whether it shows nothing that could be acted on or read.
    pub(super) fn is_empty(&self) -> bool {
        self.controls.is_empty() && self.blocks.is_empty()
    }

    /// What it says.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.blocks.iter().map(String::as_str)
    }

    /// The page.
    pub(super) fn seen(&self) -> Seen {
        let mut sheet =
            Sheet::rendered(self.title.clone(), self.heading.clone(), self.blocks.clone(), self.alerts.clone());
        let mut elements = Vec::new();
        for (number, about) in self.forms.iter().enumerate() {
            let mut of: Vec<&Control> = self.controls.iter().filter(|c| c.form == number).collect();
            // What looks like the button that leads on comes before eyes and crosses.
            of.sort_by_key(|c| if c.button { 1 + c.rank() } else { 0 });
            elements.push(of.iter().map(|c| c.element.clone()).collect());
            sheet.forms.push(Form {
                action: self.url.clone(),
                verb: Verb::Post,
                multipart: false,
                about: about.clone(),
                fields: of.into_iter().map(Control::field).collect(),
                submits_itself: false,
            });
        }
        sheet.links = self.links.iter().map(|l| (l.href.clone(), l.text.clone())).collect();
        Seen { sheet, elements, links: self.links.iter().map(|l| l.element.clone()).collect() }
    }
}

impl Control {
    fn rank(&self) -> u8 {
        let says = format!("{} {}", self.text, self.name);
        let leads = sounds_like(&says, Words::Onward) || sounds_like(&says, Words::Allow);
        u8::from(self.r#type != "submit") * 2 + u8::from(!leads)
    }

    fn kind(&self) -> FieldKind {
        match (self.button, self.tag.as_str(), self.r#type.as_str()) {
            (true, ..) => FieldKind::Submit,
            (_, "select", _) => FieldKind::Select,
            (_, _, "password") => FieldKind::Password,
            (_, _, "checkbox") => FieldKind::Checkbox,
            (_, _, "radio") => FieldKind::Radio,
            _ => FieldKind::Text,
        }
    }

    fn field(&self) -> Field {
        let kind = self.kind();
        // Scripts need no names: what a control is called by a person counts as well.
        let id = match kind {
            FieldKind::Text | FieldKind::Password => format!("{} {} {}", self.id, self.r#type, self.text),
            _ => self.id.clone(),
        };
        let choices = self.choices.iter();
        Field {
            kind,
            place: 0,
            name: self.name.clone(),
            value: self.value.clone(),
            id,
            autocomplete: self.autocomplete.clone(),
            text: self.text.clone(),
            required: self.required,
            readonly: self.readonly,
            checked: self.checked,
            image: false,
            choices: choices
                .map(|c| Choice { value: c.value.clone(), text: c.text.clone(), selected: c.selected })
                .collect(),
            action: None,
            verb: None,
            in_noscript: false,
        }
    }
}

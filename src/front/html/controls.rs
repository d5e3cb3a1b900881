//! Forms and their controls, as HTML ties them together.

use std::collections::HashMap;

use scraper::{ElementRef, Html, Selector};

use super::{every, text};

/// Controls that are looked at: a page of a hundred thousand is not a login.
const MOST_CONTROLS: usize = 500;

/// What is counted as a control; forms among them, so that what follows one can be told.
const CONTROLS: &str = "form, input, button, select, textarea";

/// How a form is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::front) enum Verb {
    /// The fields become the query.
    Get,
    /// The fields become the body.
    Post,
}

/// A form.
#[derive(Debug, Clone)]
pub(in crate::front) struct Form {
    /// Where it is sent, resolved.
    pub(in crate::front) action: String,
    /// How it is sent.
    pub(in crate::front) verb: Verb,
    /// Whether its body is `multipart/form-data`.
    pub(in crate::front) multipart: bool,
    /// `id`, `name`, `class` and action, for recognising what it is about.
    pub(in crate::front) about: String,
    /// Its controls that are not disabled, in order.
    pub(in crate::front) fields: Vec<Field>,
    /// Whether the page sends it by itself.
    pub(in crate::front) submits_itself: bool,
}

/// What a control is, as far as filling in differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::front) enum FieldKind {
    /// Not seen.
    Hidden,
    /// Text of any sort.
    Text,
    /// Hidden text.
    Password,
    /// On or off.
    Checkbox,
    /// One of several of the same name.
    Radio,
    /// One of a list.
    Select,
    /// Sends the form.
    Submit,
    /// Does nothing without a script.
    Inert,
}

/// One entry of a list.
#[derive(Debug, Clone)]
pub(in crate::front) struct Choice {
    /// What is sent.
    pub(in crate::front) value: String,
    /// What is read.
    pub(in crate::front) text: String,
    /// Whether it is chosen.
    pub(in crate::front) selected: bool,
}

/// A control.
#[derive(Debug, Clone)]
pub(in crate::front) struct Field {
    /// What it is.
    pub(in crate::front) kind: FieldKind,
    /// Its place among all controls of the page.
    pub(in crate::front) place: usize,
    /// `name`; nothing is sent without one.
    pub(in crate::front) name: String,
    /// Its value.
    pub(in crate::front) value: String,
    /// `id`.
    pub(in crate::front) id: String,
    /// `autocomplete`, lower case.
    pub(in crate::front) autocomplete: String,
    /// Its label, or what stands on the button.
    pub(in crate::front) text: String,
    /// `required`.
    pub(in crate::front) required: bool,
    /// `readonly`.
    pub(in crate::front) readonly: bool,
    /// `checked`.
    pub(in crate::front) checked: bool,
    /// `<input type=image>` sends where it was clicked.
    pub(in crate::front) image: bool,
    /// The entries of a list.
    pub(in crate::front) choices: Vec<Choice>,
    /// `formaction`, resolved.
    pub(in crate::front) action: Option<String>,
    /// `formmethod`.
    pub(in crate::front) verb: Option<Verb>,
    /// Whether only browsers without scripts see it.
    pub(in crate::front) in_noscript: bool,
}

impl Form {
    /// The controls of one kind.
    pub(in crate::front) fn of_kind(&self, kind: FieldKind) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(move |f| f.kind == kind)
    }

    /// Whether a person could enter or choose something.
    pub(in crate::front) fn asks(&self) -> bool {
        use FieldKind::{Checkbox, Password, Radio, Select, Text};
        self.fields.iter().any(|f| matches!(f.kind, Text | Password | Checkbox | Radio | Select))
    }
}

/// Labels by the control they name.
type Labels<'a> = HashMap<&'a str, ElementRef<'a>>;

/// All forms of a page, with every control at the form it belongs to.
pub(super) fn forms(document: &Html, address: &str, resolve: &impl Fn(&str) -> String) -> Vec<Form> {
    let elements: Vec<ElementRef<'_>> = every(document, "form").take(MOST_CONTROLS).collect();
    let mut forms: Vec<Form> = elements.iter().map(|e| form(*e, address, resolve)).collect();
    let labels: Labels<'_> = every(document, "label[for]").filter_map(|l| Some((l.attr("for")?, l))).collect();
    let mut last_form = None;
    for (place, element) in every(document, CONTROLS).take(MOST_CONTROLS).enumerate() {
        if element.value().name() == "form" {
            last_form = elements.iter().position(|f| *f == element);
            continue;
        }
        let owner = match element.attr("form") {
            Some(id) => elements.iter().position(|f| f.attr("id") == Some(id)),
            None => element
                .ancestors()
                .filter_map(ElementRef::wrap)
                .find_map(|a| elements.iter().position(|f| *f == a))
                // In a table the parser closes a form at once; what follows belongs to it all the same.
                .or_else(|| last_form.filter(|last| elements[*last].children().next().is_none())),
        };
        if let (Some(owner), Some(field)) = (owner, field(&labels, element, resolve)) {
            forms[owner].fields.push(Field { place, ..field });
        }
    }
    forms
}

fn form(element: ElementRef<'_>, address: &str, resolve: &impl Fn(&str) -> String) -> Form {
    let attr = |name: &str| element.attr(name).unwrap_or_default();
    // Without an action a form goes back to where it came from, query included.
    let action = match attr("action").trim() {
        "" => address.split('#').next().unwrap_or_default().to_owned(),
        action => resolve(action),
    };
    let about = [attr("id"), attr("name"), attr("class"), attr("action").split('?').next().unwrap_or_default()];
    Form {
        action,
        verb: verb(attr("method")).unwrap_or(Verb::Get),
        multipart: attr("enctype").eq_ignore_ascii_case("multipart/form-data"),
        about: about.join(" "),
        fields: Vec::new(),
        submits_itself: false,
    }
}

fn verb(method: &str) -> Option<Verb> {
    match method.trim().to_ascii_lowercase().as_str() {
        "post" => Some(Verb::Post),
        "get" => Some(Verb::Get),
        _ => None,
    }
}

/// A control; none if it is disabled or takes no part.
fn field(labels: &Labels<'_>, element: ElementRef<'_>, resolve: &impl Fn(&str) -> String) -> Option<Field> {
    let attr = |name: &str| element.attr(name).unwrap_or_default();
    let has = |name: &str| element.attr(name).is_some();
    let ancestors = || element.ancestors().filter_map(ElementRef::wrap);
    let out_of_use = |a: ElementRef<'_>| {
        a.value().name() == "template" || (a.value().name() == "fieldset" && a.attr("disabled").is_some())
    };
    if has("disabled") || ancestors().any(out_of_use) {
        return None;
    }
    let kind_given = attr("type").trim().to_ascii_lowercase();
    let kind = match (element.value().name(), kind_given.as_str()) {
        ("textarea", _) => FieldKind::Text,
        ("select", _) => FieldKind::Select,
        ("button", "button" | "reset") | ("input", "button" | "reset") => FieldKind::Inert,
        ("button", _) | ("input", "submit" | "image") => FieldKind::Submit,
        (_, "hidden") => FieldKind::Hidden,
        (_, "password") => FieldKind::Password,
        (_, "checkbox") => FieldKind::Checkbox,
        (_, "radio") => FieldKind::Radio,
        (_, "file") => return None,
        _ => FieldKind::Text,
    };
    let value = match (element.value().name(), kind) {
        ("textarea", _) => element.text().collect(),
        (_, FieldKind::Checkbox | FieldKind::Radio) if !has("value") => "on".to_owned(),
        _ => attr("value").to_owned(),
    };
    let words = match (element.value().name(), kind) {
        ("button", _) => {
            let text = text::of(element);
            if text.is_empty() { [attr("aria-label"), attr("title")].join(" ") } else { text }
        }
        (_, FieldKind::Submit | FieldKind::Inert) if has("value") => attr("value").to_owned(),
        (_, FieldKind::Submit | FieldKind::Inert) => attr("alt").to_owned(),
        _ => label(labels, element),
    };
    Some(Field {
        kind,
        place: 0,
        name: attr("name").to_owned(),
        value,
        id: attr("id").to_owned(),
        autocomplete: attr("autocomplete").trim().to_ascii_lowercase(),
        text: text::collapse(&words),
        required: has("required") || attr("aria-required") == "true",
        readonly: has("readonly"),
        checked: has("checked"),
        image: kind_given == "image",
        choices: if kind == FieldKind::Select { choices(element) } else { Vec::new() },
        action: element.attr("formaction").filter(|a| !a.trim().is_empty()).map(resolve),
        verb: verb(attr("formmethod")),
        in_noscript: ancestors().any(|a| a.value().name() == text::NOSCRIPT),
    })
}

fn label(labels: &Labels<'_>, element: ElementRef<'_>) -> String {
    let around = element.ancestors().filter_map(ElementRef::wrap).find(|a| a.value().name() == "label");
    let named = || labels.get(element.attr("id")?).copied();
    let shown = || ["aria-label", "placeholder", "title"].into_iter().find_map(|name| element.attr(name));
    let text = around.or_else(named).map(text::of).filter(|text| !text.is_empty());
    text.unwrap_or_else(|| shown().unwrap_or_default().to_owned())
}

/// The places of the controls, or of the links, that a selector finds.
pub(super) fn places(document: &Html, selector: &Selector) -> (Vec<usize>, Vec<usize>) {
    let found: Vec<ElementRef<'_>> = document.select(selector).take(MOST_CONTROLS).collect();
    let places = |all: &str| {
        let all = every(document, all).take(MOST_CONTROLS).enumerate();
        all.filter(|(_, e)| found.contains(e)).map(|(place, _)| place).collect()
    };
    (places(CONTROLS), places("a[href]"))
}

fn choices(select: ElementRef<'_>) -> Vec<Choice> {
    let options = select.descendent_elements().filter(|e| e.value().name() == "option" && e.attr("disabled").is_none());
    options
        .map(|option| {
            let text = text::collapse(&option.text().collect::<String>());
            Choice {
                value: option.attr("value").map_or_else(|| text.clone(), str::to_owned),
                text,
                selected: option.attr("selected").is_some(),
            }
        })
        .collect()
}

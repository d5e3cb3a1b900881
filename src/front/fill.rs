//! Fills in forms as a person would who wants to get in: logs in, says yes, leads on.

use super::html::{
    Field, FieldKind, Form, Sheet, Words, is_code, is_login_form, is_password, is_user_name, naming, sounds_like,
};
use super::walk::Step;

/// What is to be done with a form, control by control.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// Which form of the page.
    pub(super) form: usize,
    /// What each control holds, `None` for what is not sent.
    pub(super) values: Values,
    /// Which control is pressed.
    pub(super) button: Option<usize>,
    /// Whether the password is in it.
    pub(super) holds_password: bool,
    /// Whether a one-time code is in it.
    pub(super) holds_code: bool,
}

/// What is to be done on a page.
#[derive(Debug, Clone)]
pub(super) enum Way {
    /// A form is filled in and sent.
    Form(Plan),
    /// The link of this number is followed.
    Link(usize),
}

/// A form that was filled in.
#[derive(Debug)]
pub(super) struct Filled {
    /// What is to be sent.
    pub(super) step: Step,
    /// Whether the password is in it.
    pub(super) holds_password: bool,
    /// Whether a one-time code is in it.
    pub(super) holds_code: bool,
    /// Form, fields and button, to recognise that the same is pressed again and again.
    pub(super) pressed: String,
}

impl Filled {
    /// What is sent, without its values.
    pub(super) fn outline(&self) -> String {
        format!("{:?}, {}", self.step, self.pressed)
    }
}

/// The values of a form by control, `None` for what is not sent.
pub(super) type Values = Vec<Option<String>>;

/// What a browser sends when this is done.
pub(super) fn sent(sheet: &Sheet, way: Way) -> Option<Filled> {
    match way {
        Way::Form(plan) => Some(filled(sheet.forms.get(plan.form)?, plan)),
        Way::Link(at) => {
            let (to, text) = sheet.links.get(at)?;
            let step = Step::visit(to);
            Some(Filled { step, holds_password: false, holds_code: false, pressed: text.clone() })
        }
    }
}

/// The form to log in with: the first of the best, one that asks for both, then one for a password.
pub(super) fn login_form(sheet: &Sheet) -> Option<usize> {
    let forms = sheet.forms.iter().enumerate().filter(|(_, f)| is_login_form(f));
    let weight = |f: &Form| {
        let other = sounds_like(&f.about, Words::OtherForm);
        (f.fields.iter().any(is_password), !other, user_field(f).is_some())
    };
    forms.rev().max_by_key(|(_, f)| weight(f)).map(|(at, _)| at)
}

/// Fills in user name and password, as far as the page asks for them; and the code, where it asks for that as well.
pub(super) fn login(sheet: &Sheet, username: &str, password: &str, code: Option<&str>) -> Option<Plan> {
    let at = login_form(sheet)?;
    let form = &sheet.forms[at];
    let mut values = defaults(form);
    let password_at = form.fields.iter().position(is_password);
    if let Some(at) = user_field(form) {
        values[at] = Some(username.to_owned());
    }
    if let Some(at) = password_at {
        values[at] = Some(password.to_owned());
    }
    let code_at = code_field(form).zip(code);
    if let Some((at, code)) = code_at {
        values[at] = Some(code.to_owned());
    }
    is_complete(form, &values).then_some(())?;
    let button = leading_in(form)?;
    Some(Plan { form: at, values, button, holds_password: password_at.is_some(), holds_code: code_at.is_some() })
}

/// The button that leads in: `Some(None)` if the form has none at all and is sent without.
pub(super) fn leading_in(form: &Form) -> Option<Option<usize>> {
    let buttons: Vec<usize> = numbered(form, FieldKind::Submit).map(|(at, _)| at).collect();
    let leads_in = |at: &&usize| {
        let says = says(&form.fields[**at]);
        !sounds_like(&says, Words::Deny) && !sounds_like(&says, Words::BesideLogin)
    };
    let button = buttons.iter().find(leads_in).copied();
    (button.is_some() || buttons.is_empty()).then_some(button)
}

/// The form that asks for a one-time code, and for no password.
pub(super) fn code_form(sheet: &Sheet) -> Option<usize> {
    sheet.forms.iter().position(|f| !f.fields.iter().any(is_password) && code_field(f).is_some())
}

/// The control for a one-time code.
pub(super) fn code_field(form: &Form) -> Option<usize> {
    form.fields.iter().position(is_code)
}

/// Enters the one-time code where a page asks for nothing else.
pub(super) fn second_factor(sheet: &Sheet, code: &str) -> Option<Plan> {
    let at = code_form(sheet)?;
    let form = &sheet.forms[at];
    let mut values = defaults(form);
    // A box such as "trust this device" stays as it is.
    values[code_field(form)?] = Some(code.to_owned());
    is_complete(form, &values).then_some(())?;
    Some(Plan { form: at, values, button: leading_in(form)?, holds_password: false, holds_code: true })
}

/// Says yes to what the page asks, or leads on if it only wants to be led on.
pub(super) fn consent(sheet: &Sheet) -> Option<Way> {
    let forms = sheet.forms.iter().enumerate().filter(|(_, f)| !sounds_like(&f.about, Words::OtherForm));
    let buttons = forms.flat_map(|(of, form)| {
        numbered(form, FieldKind::Submit).filter_map(move |(at, field)| Some((rank(field)?, of, at)))
    });
    let by_form = buttons.min_by_key(|(rank, _, _)| *rank).and_then(|(_, form, at)| agree(sheet, form, at));
    by_form.map(Way::Form).or_else(|| {
        // Some pages offer the decision as links.
        let yes = |text: &str| {
            text.split_whitespace().count() <= 3 && sounds_like(text, Words::Allow) && !sounds_like(text, Words::Deny)
        };
        sheet.links.iter().position(|(to, text)| yes(text) && to.starts_with("http")).map(Way::Link)
    })
}

/// Says no to what the page asks; none if nothing on it plainly does.
pub(super) fn denial(sheet: &Sheet) -> Option<Way> {
    let no = |text: &str| sounds_like(text, Words::Refuse) && !sounds_like(text, Words::BesideLogin);
    let forms = sheet.forms.iter().enumerate().filter(|(_, f)| !sounds_like(&f.about, Words::OtherForm));
    for (of, form) in forms {
        let denies = |(_, f): &(usize, &Field)| {
            rank(f).is_none() && (no(&f.text) || no(&f.value) || no(&format!("{} {}", f.name, f.id)))
        };
        if let Some((at, _)) = numbered(form, FieldKind::Submit).find(denies) {
            let values = untouched_values(form);
            return Some(Way::Form(Plan {
                form: of,
                values,
                button: Some(at),
                holds_password: false,
                holds_code: false,
            }));
        }
    }
    // A link that says no counts where something on the page says yes.
    let short = |text: &str| text.split_whitespace().count() <= 3 && no(text) && !sounds_like(text, Words::Allow);
    consent(sheet)?;
    sheet.links.iter().position(|(to, text)| short(text) && to.starts_with("http")).map(Way::Link)
}

/// How willingly a button is pressed, the least first; never if it says no.
fn rank(button: &Field) -> Option<u8> {
    // "Authorize Back Office": what follows the word is the client's name, and decides nothing.
    let first = button.text.split_whitespace().next().unwrap_or_default().to_lowercase();
    let plainly = ["allow", "accept", "authorize", "authorise", "approve", "grant", "agree"].contains(&first.as_str());
    if plainly && (button.value == button.text || !sounds_like(&button.value, Words::Deny)) {
        return Some(0);
    }
    let shown = format!("{} {}", button.text, button.value);
    let named = format!("{} {}", button.name, button.id);
    if sounds_like(&shown, Words::Deny) || sounds_like(&shown, Words::BesideLogin) {
        return None;
    }
    if sounds_like(&shown, Words::Allow) {
        // "OK" and "continue" are also what closes a notice.
        let weak = ["continue", "ok", "proceed"].iter().any(|w| shown.to_lowercase().contains(w));
        return Some(u8::from(weak));
    }
    if sounds_like(&named, Words::Deny) {
        return None;
    }
    if sounds_like(&named, Words::Allow) {
        return Some(2);
    }
    (sounds_like(&shown, Words::Onward) || sounds_like(&named, Words::Onward)).then_some(3)
}

fn agree(sheet: &Sheet, of: usize, button: usize) -> Option<Plan> {
    let form = &sheet.forms[of];
    let mut values = defaults(form);
    for (at, field) in form.fields.iter().enumerate() {
        let says = says(field);
        match field.kind {
            FieldKind::Checkbox if !sounds_like(&says, Words::Remember) && !sounds_like(&says, Words::Deny) => {
                values[at] = Some(field.value.clone());
            }
            FieldKind::Radio if is_yes(&format!("{} {} {}", field.text, field.value, field.id)) => {
                choose(form, &mut values, at);
            }
            FieldKind::Select => {
                if let Some(yes) = field.choices.iter().find(|c| is_yes(&format!("{} {}", c.text, c.value))) {
                    values[at] = Some(yes.value.clone());
                }
            }
            FieldKind::Hidden if form.fields[button].name.is_empty() => {
                values[at] = Some(decided(field, &form.fields[button]));
            }
            _ => {}
        }
    }
    is_complete(form, &values).then_some(Plan {
        form: of,
        values,
        button: Some(button),
        holds_password: false,
        holds_code: false,
    })
}

fn is_yes(text: &str) -> bool {
    sounds_like(text, Words::Allow) && !sounds_like(text, Words::Deny)
}

/// A hidden decision that a script would set when the button, which sends nothing itself, is pressed.
fn decided(field: &Field, button: &Field) -> String {
    let decides = ["decision", "consent", "allow", "approve", "approved", "accept", "authorize", "action", "confirm"];
    if !decides.contains(&field.name.to_ascii_lowercase().as_str()) {
        return field.value.clone();
    }
    match field.value.to_ascii_lowercase().as_str() {
        "" => button.text.split_whitespace().next().unwrap_or("allow").to_ascii_lowercase(),
        "false" => "true".into(),
        "0" => "1".into(),
        "no" => "yes".into(),
        "deny" | "cancel" => "allow".into(),
        _ => field.value.clone(),
    }
}

/// What a browser sends if nobody touches the form, as pairs.
pub(super) fn untouched(form: &Form) -> Vec<(String, String)> {
    pairs(form, None, defaults(form))
}

/// What stands in a form before anybody touches it.
pub(super) fn untouched_values(form: &Form) -> Values {
    let mut values = defaults(form);
    for (at, _) in form.fields.iter().enumerate().filter(|(_, f)| f.kind == FieldKind::Checkbox && !f.checked) {
        values[at] = None;
    }
    values
}

/// What a browser sends if nobody touches the form; what is required is ticked and chosen.
fn defaults(form: &Form) -> Values {
    let mut values: Values = form
        .fields
        .iter()
        .map(|f| match f.kind {
            FieldKind::Hidden | FieldKind::Text | FieldKind::Password => Some(f.value.clone()),
            FieldKind::Checkbox => (f.checked || f.required).then(|| f.value.clone()),
            FieldKind::Radio => f.checked.then(|| f.value.clone()),
            FieldKind::Select => f.choices.iter().find(|c| c.selected).or(f.choices.first()).map(|c| c.value.clone()),
            FieldKind::Submit | FieldKind::Inert => None,
        })
        .collect();
    for (at, field) in numbered(form, FieldKind::Radio) {
        let same = |other: &Field| other.kind == FieldKind::Radio && other.name == field.name;
        let chosen = form.fields.iter().zip(&values).any(|(f, v)| same(f) && v.is_some());
        if !chosen && !sounds_like(&says(field), Words::Deny) {
            values[at] = Some(field.value.clone());
        }
    }
    values
}

/// Chooses one of several and lets go of the others.
pub(super) fn choose(form: &Form, values: &mut Values, at: usize) {
    for (other, field) in numbered(form, FieldKind::Radio) {
        if field.name == form.fields[at].name {
            values[other] = (other == at).then(|| field.value.clone());
        }
    }
}

/// Whether nothing that is required is left empty.
fn is_complete(form: &Form, values: &Values) -> bool {
    let empty = |value: &Option<String>| value.as_deref().is_none_or(str::is_empty);
    form.fields.iter().zip(values).all(|(f, v)| {
        !(f.required && matches!(f.kind, FieldKind::Text | FieldKind::Password | FieldKind::Select) && empty(v))
    })
}

pub(super) fn user_field(form: &Form) -> Option<usize> {
    let of_text = || numbered(form, FieldKind::Text).filter(|(_, f)| !f.readonly || f.value.is_empty());
    let told = |(_, f): &(usize, &Field)| f.autocomplete.split_whitespace().any(|w| w == "username");
    // An account has a name before it has an address: `username` beats `email`.
    let named = ["user", "login", "identifier", "email"]
        .into_iter()
        .find_map(|word| of_text().find(|(_, f)| is_user_name(f) && naming(f).contains(word)));
    let only = || {
        let mut all = of_text();
        let first = all.next()?;
        (all.next().is_none() && form.fields.iter().any(is_password)).then_some(first)
    };
    of_text().find(told).or(named).or_else(only).map(|(at, _)| at)
}

fn numbered(form: &Form, kind: FieldKind) -> impl Iterator<Item = (usize, &Field)> {
    form.fields.iter().enumerate().filter(move |(_, f)| f.kind == kind)
}

fn says(field: &Field) -> String {
    format!("{} {} {} {}", field.text, field.value, field.name, field.id)
}

fn filled(form: &Form, plan: Plan) -> Filled {
    let Plan { values, button, holds_password, holds_code, .. } = plan;
    let pressed = pressed(form, button);
    let step = Step::send(form, button.map(|at| &form.fields[at]), pairs(form, button, values));
    Filled { step: step.holding_secret(holds_password), holds_password, holds_code, pressed }
}

/// Form, fields and button in words.
pub(super) fn pressed(form: &Form, button: Option<usize>) -> String {
    let names: Vec<&str> = form.fields.iter().map(|f| f.name.as_str()).collect();
    let pressed = button.map(|at| says(&form.fields[at])).unwrap_or_default();
    format!("{} {} {pressed}", super::walk::place(&form.action), names.join(" "))
}

fn pairs(form: &Form, button: Option<usize>, values: Values) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (at, (field, value)) in form.fields.iter().zip(values).enumerate() {
        if Some(at) == button && field.image {
            let prefix = if field.name.is_empty() { String::new() } else { format!("{}.", field.name) };
            pairs.extend([(format!("{prefix}x"), "1".to_owned()), (format!("{prefix}y"), "1".to_owned())]);
        } else if Some(at) == button && !field.name.is_empty() {
            pairs.push((field.name.clone(), field.value.clone()));
        } else if let (Some(value), false) = (value, field.name.is_empty()) {
            pairs.push((field.name.clone(), value));
        }
    }
    pairs
}

#[cfg(test)]
mod tests;

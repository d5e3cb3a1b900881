//! The steps that were written down, executed on pages as they are read: a step that sends something ends the page, and
//! the rest goes on at the next one.

use super::super::fill::{self, Filled, Plan, Values, Way};
use super::super::html::{FieldKind, Sheet, is_code, is_password};
use super::super::steps::{Act, Course, Hint, Key, Locator, Next, address_matches};
use super::super::walk::Sight;
use super::Credentials;

/// What a page comes to.
#[derive(Debug)]
pub(super) enum Move {
    /// This is sent; and whether it says no.
    Send(Filled, bool),
    /// Nothing is written down for this page.
    Guess,
    /// A step cannot be done.
    Stuck(String),
}

/// Does the steps up to the first one that sends something.
pub(super) fn go(course: &mut Course, sight: &Sight, credentials: Option<&Credentials>, code: Option<&str>) -> Move {
    let mut hand = Hand::new(&sight.sheet);
    loop {
        let step = match course.next() {
            Next::Do(step) => step,
            Next::Stop(why) => return Move::Stuck(why),
            Next::Nothing if hand.touched => {
                let lacks =
                    "the steps end without sending anything: add { click = \"auto:submit\" } or { press = \"Enter\" }";
                return Move::Stuck(lacks.into());
            }
            Next::Nothing => return Move::Guess,
        };
        match hand.does(&step.act, &sight.url, credentials, code) {
            Ok(None) => {}
            Ok(Some(Sent::This(filled))) => return Move::Send(filled, course.says_no()),
            Ok(Some(Sent::Guessed)) => return Move::Guess,
            Err(_) if step.optional => {}
            Err(why) => return Move::Stuck(format!("the step \"{}\" could not be done: {why}", step.act)),
        }
    }
}

enum Sent {
    This(Filled),
    /// As it would be guessed.
    Guessed,
}

/// A form or link, and the control in it.
enum Spot {
    Field(usize, usize),
    Link(usize),
}

/// What is being filled in on one page.
struct Hand<'a> {
    sheet: &'a Sheet,
    values: Vec<Values>,
    last: Option<usize>,
    touched: bool,
    holds_password: bool,
    holds_code: bool,
}

impl<'a> Hand<'a> {
    fn new(sheet: &'a Sheet) -> Self {
        let values = sheet.forms.iter().map(fill::untouched_values).collect();
        Self { sheet, values, last: None, touched: false, holds_password: false, holds_code: false }
    }

    fn does(
        &mut self,
        act: &Act,
        address: &str,
        credentials: Option<&Credentials>,
        code: Option<&str>,
    ) -> Result<Option<Sent>, String> {
        match act {
            Act::Auto => return Ok(Some(Sent::Guessed)),
            Act::Fill(locator, with) => {
                let (form, field) = self.field(locator)?;
                let kind = self.sheet.forms[form].fields[field].kind;
                if !matches!(kind, FieldKind::Text | FieldKind::Password | FieldKind::Hidden) {
                    return Err(format!("{locator} is nothing to enter a text in"));
                }
                self.set(form, field, with.fill_in(credentials, code)?);
                self.holds_password |= with.holds_password();
                self.holds_code |= with.holds_code();
            }
            Act::Select(locator, with) => {
                let (form, field) = self.field(locator)?;
                let wanted = with.fill_in(credentials, code)?;
                let choices = &self.sheet.forms[form].fields[field].choices;
                let choice = choices.iter().find(|c| c.value == wanted || c.text == wanted);
                let choice = choice.ok_or_else(|| format!("{locator} has no entry {wanted:?}"))?;
                self.set(form, field, choice.value.clone());
            }
            Act::Check(locator) => {
                let (form, field) = self.field(locator)?;
                let of = &self.sheet.forms[form];
                match of.fields[field].kind {
                    FieldKind::Checkbox => self.set(form, field, of.fields[field].value.clone()),
                    FieldKind::Radio => {
                        fill::choose(of, &mut self.values[form], field);
                        self.touch(form);
                    }
                    _ => return Err(format!("{locator} is no box to tick")),
                }
            }
            Act::Click(locator) => return self.click(locator).map(Some),
            Act::Press(Key::Enter) => {
                let form = self.last.ok_or("nothing was entered before, so no form is sent by Enter")?;
                let button = self.sheet.forms[form].fields.iter().position(|f| f.kind == FieldKind::Submit);
                return Ok(Some(self.send(form, button)));
            }
            Act::WaitFor(locator) => {
                self.find(locator).ok_or_else(|| format!("there is no {locator}"))?;
            }
            Act::WaitUrl(pattern) if !address_matches(pattern, address) => {
                return Err("the page has another address".into());
            }
            // A server's page does not change by waiting.
            Act::Sleep(_) | Act::WaitUrl(_) => {}
            Act::Press(_) => return Err("there is no keyboard".into()),
        }
        Ok(None)
    }

    fn click(&mut self, locator: &Locator) -> Result<Sent, String> {
        match self.find(locator).ok_or_else(|| format!("there is no {locator}"))? {
            Spot::Link(at) => {
                let filled = fill::sent(self.sheet, Way::Link(at)).ok_or("the link leads nowhere")?;
                Ok(Sent::This(filled))
            }
            Spot::Field(form, field) => match self.sheet.forms[form].fields[field].kind {
                FieldKind::Submit => Ok(self.send(form, Some(field))),
                FieldKind::Inert => Err(format!("{locator} does nothing without scripts: use --agent webdriver")),
                _ => Err(format!("{locator} is nothing to press")),
            },
        }
    }

    fn send(&self, form: usize, button: Option<usize>) -> Sent {
        let plan = Plan {
            form,
            values: self.values[form].clone(),
            button,
            holds_password: self.holds_password,
            holds_code: self.holds_code,
        };
        fill::sent(self.sheet, Way::Form(plan)).map_or(Sent::Guessed, Sent::This)
    }

    fn set(&mut self, form: usize, field: usize, value: String) {
        self.values[form][field] = Some(value);
        self.touch(form);
    }

    fn touch(&mut self, form: usize) {
        self.last = Some(form);
        self.touched = true;
    }

    fn field(&self, locator: &Locator) -> Result<(usize, usize), String> {
        match self.find(locator) {
            Some(Spot::Field(form, field)) => Ok((form, field)),
            _ => Err(format!("there is no {locator} in a form")),
        }
    }

    fn find(&self, locator: &Locator) -> Option<Spot> {
        let forms = || self.sheet.forms.iter().enumerate();
        let fields = || forms().flat_map(|(of, form)| form.fields.iter().enumerate().map(move |(at, f)| (of, at, f)));
        let spot = |(of, at, _)| Spot::Field(of, at);
        let same = |a: &str, b: &str| a.trim().eq_ignore_ascii_case(b);
        let within = |a: &str, b: &str| a.to_lowercase().contains(&b.to_lowercase());
        match locator {
            Locator::Id(id) => fields().find(|(_, _, f)| f.id == *id).map(spot),
            Locator::Name(name) => fields().find(|(_, _, f)| f.name == *name).map(spot),
            Locator::Css(selector) => {
                let (controls, links) = self.sheet.places(selector);
                let control = fields().find(|(_, _, f)| controls.contains(&f.place)).map(spot);
                control.or_else(|| links.first().copied().map(Spot::Link))
            }
            Locator::XPath(_) => None,
            Locator::Text(text) => {
                let buttons = || fields().filter(|(_, _, f)| matches!(f.kind, FieldKind::Submit | FieldKind::Inert));
                let link = |fits: &dyn Fn(&str, &str) -> bool| {
                    self.sheet.links.iter().position(|(_, shown)| fits(shown, text)).map(Spot::Link)
                };
                let exact = buttons().find(|(_, _, f)| same(&f.text, text)).map(spot).or_else(|| link(&same));
                exact.or_else(|| buttons().find(|(_, _, f)| within(&f.text, text)).map(spot)).or_else(|| link(&within))
            }
            Locator::Label(text) => {
                let entered = || fields().filter(|(_, _, f)| !matches!(f.kind, FieldKind::Submit | FieldKind::Inert));
                let exact = entered().find(|(_, _, f)| same(&f.text, text));
                exact.or_else(|| entered().find(|(_, _, f)| within(&f.text, text))).map(spot)
            }
            Locator::Auto(Hint::Username) => {
                let of = fill::login_form(self.sheet)?;
                fill::user_field(&self.sheet.forms[of]).map(|at| Spot::Field(of, at))
            }
            Locator::Auto(Hint::Password) => fields().find(|(_, _, f)| is_password(f)).map(spot),
            Locator::Auto(Hint::Totp) => fields().find(|(_, _, f)| is_code(f)).map(spot),
            Locator::Auto(Hint::Submit) => {
                let of = self.last.or_else(|| fill::login_form(self.sheet)).or_else(|| fill::code_form(self.sheet))?;
                fill::leading_in(&self.sheet.forms[of])?.map(|at| Spot::Field(of, at))
            }
        }
    }
}

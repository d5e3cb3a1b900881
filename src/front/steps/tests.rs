//! What is written down is read, or refused with a reason.

use super::*;
use crate::oauth::secret::Secret;

fn read(toml: &str) -> Result<Script, StepProblem> {
    #[derive(serde::Deserialize)]
    struct Login {
        page: Vec<PlainPage>,
    }
    let login: Login = toml::from_str(toml).expect("TOML");
    Script::read(&login.page)
}

#[test]
fn every_step_is_read() {
    let script = read(
        r#"
        [[page]]
        match = "https://as.example/login*"
        steps = [
          { fill = "label:Email", with = "{username}" },
          { click = "text:Next" },
          { wait_for = "css:input[type=password]" },
          { fill = "css:input[type=password]", with = "{password}" },
          { fill = "auto:totp", with = "{totp}", optional = true },
          { select = "id:realm", with = "staff" },
          { check = "name:terms" },
          { press = "Enter" },
          { wait_url = "*/consent*" },
          { sleep = 0.5 },
          { auto = true },
        ]
        [[page]]
        match = "*/consent*"
        approve = [{ click = "css:button[name=accept]" }]
        deny = [{ click = "css:button[name=deny]" }]
        "#,
    )
    .unwrap();
    let login = script.page("https://as.example/login?next=%2Fconsent").unwrap();
    assert_eq!((login.steps.len(), login.decides()), (11, false));
    assert!(login.steps[4].optional && login.steps[5] == Step { act: act("select id:realm"), optional: false });
    let consent = script.page("https://as.example/consent#top").unwrap();
    assert_eq!(consent.steps_for(Mind::Deny)[0].act.to_string(), "click css:button[name=deny]");
    assert_eq!(consent.steps_for(Mind::Approve)[0].act.to_string(), "click css:button[name=accept]");
    assert!(script.page("https://as.example/authorize?x=/consent").is_none());
    script.without_browser().unwrap();
}

fn act(_: &str) -> Act {
    Act::Select(Locator::Id("realm".into()), Template::read("staff").unwrap())
}

#[test]
fn mistakes_are_named_with_their_page_and_step() {
    let page = |steps: &str| format!("[[page]]\nmatch = \"*/login*\"\nsteps = [{steps}]");
    for (steps, says) in [
        ("{}", "steps, step 1: it does nothing"),
        ("{ click = \"id:a\", press = \"Enter\" }", "several things at once"),
        ("{ fill = \"id:a\" }", "lacks with"),
        ("{ click = \"id:a\", with = \"x\" }", "with belongs to fill"),
        ("{ fill = \"id:a\", with = \"{passwort}\" }", "did you mean {password}?"),
        ("{ click = \"button\" }", "names no control"),
        ("{ click = \"ccs:button\" }", "did you mean css:?"),
        ("{ click = \"css:[[\" }", "no CSS selector"),
        ("{ click = \"auto:otp\" }", "auto:otp is not known"),
        ("{ press = \"F1\" }", "no key"),
        ("{ sleep = 1000 }", "seconds from 0 to 60"),
        ("", "nothing to do"),
    ] {
        let error = read(&page(steps)).unwrap_err();
        assert!(error.to_string().contains(says) && error.page == "*/login*", "{steps}: {error}");
    }
}

#[test]
fn what_needs_a_browser_is_told_before_anything_is_sent() {
    let xpath = "[[page]]\nmatch = \"*\"\napprove = [{ click = \"xpath://button[1]\" }]";
    let error = read(xpath).unwrap().without_browser().unwrap_err().to_string();
    assert!(error.contains("the locator xpath://button[1] needs a browser"), "{error}");
}

#[test]
fn templates_are_filled_in_once() {
    let credentials = Credentials { username: "{password}".into(), password: Secret::new("p{totp}") };
    let fill = |text: &str, code| Template::read(text).unwrap().fill_in(Some(&credentials), code);
    assert_eq!(fill("{username}/{password}/{totp}", Some("123")).unwrap(), "{password}/p{totp}/123");
    assert_eq!(fill("a{b", None).unwrap(), "a{b");
    assert!(fill("{totp}", None).unwrap_err().contains("none is configured"));
}

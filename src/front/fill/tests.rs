//! Which fields are filled in with what, and which button is pressed.

use super::super::html::Sheet;
use super::super::html::tests::{CONSENT_DENY_FIRST, DJANGO_LOGIN, KEYCLOAK_LOGIN, OIDC_PROVIDER_LOGIN};
use super::*;

const AT: &str = "https://as.example/here?x=1";

fn text(filled: Option<Filled>) -> String {
    filled.map(|f| f.step.arriving().replace("https://as.example", "")).unwrap_or_else(|| "nothing".into())
}

fn logs_in(html: &str) -> String {
    let sheet = Sheet::read(html, AT);
    text(login(&sheet, "alice", "pw", Some("123456")).and_then(|plan| sent(&sheet, Way::Form(plan))))
}

fn agrees(html: &str) -> String {
    let sheet = Sheet::read(html, AT);
    text(consent(&sheet).and_then(|way| sent(&sheet, way)))
}

#[test]
fn logins_are_filled_in() {
    let table = [
        (OIDC_PROVIDER_LOGIN, "/interaction/7?prompt=login&login=alice&password=pw"),
        (
            KEYCLOAK_LOGIN,
            "https://kc.example/realms/demo/login-actions/authenticate?session_code=s&execution=e&tab_id=t&username=alice&password=pw&credentialId=&login=Sign+In",
        ),
        (
            DJANGO_LOGIN,
            "/here?x=1&csrfmiddlewaretoken=tok123&username=alice&password=pw&next=%2Fo%2Fauthorize%2F%3Fclient_id%3D1",
        ),
        // Two steps: the name, then the password beside the name that is shown.
        ("<form action=/1 method=post><input type=email name=identifier><button>Next</button></form>", "/1?identifier=alice"),
        (
            "<form action=/2 method=post><input name=user value=alice@x readonly><input type=password name=p><button>Go</button></form>",
            "/2?user=alice%40x&p=pw",
        ),
        ("<form action=/2 method=post><input type=hidden name=user value=a><input type=password name=p></form>", "/2?user=a&p=pw"),
        // The only text field beside a password is the name; another form is not taken for the login.
        (
            "<form action=/signup method=post><input name=email><input type=password name=a><input type=password name=b></form>
             <form action=/in method=post><input name=k1><input type=password name=k2><button>Submit</button></form>",
            "/in?k1=alice&k2=pw",
        ),
        // Buttons that lead elsewhere, in front and behind.
        (
            "<form action=/in method=post><input name=username><input type=password name=p>
             <button name=a value=cancel formnovalidate>Cancel</button><button name=idp value=google>Continue with Google</button>
             <button name=a value=login>Log in</button><button name=a value=forgot>Forgot password?</button></form>",
            "/in?username=alice&p=pw&a=login",
        ),
        // Only what is required is ticked.
        (
            "<form action=/in method=post><input name=user><input type=password name=p><input type=checkbox name=remember>
             <input type=checkbox name=terms value=yes required><button>OK</button></form>",
            "/in?user=alice&p=pw&terms=yes",
        ),
        ("<form action=/in><input name=user><input type=password name=p><input name=otp required></form>", "/in?user=alice&p=pw&otp=123456"),
    ];
    for (html, sent) in table {
        assert_eq!(logs_in(html), sent, "{html}");
    }
}

#[test]
fn consent_is_given_and_never_denied() {
    let table = [
        (CONSENT_DENY_FIRST, "/decide?csrf=c1&scope=read&scope=write&decision=allow"),
        (
            "<form action=/c method=post><input type=hidden name=prompt value=consent><button>Continue</button></form>",
            "/c?prompt=consent",
        ),
        (
            "<form action=/c method=post><input type=submit name=cancel value=No><input type=submit name=accept value=Yes></form>",
            "/c?accept=Yes",
        ),
        (
            "<form action=/c method=post><button>Don't allow</button><button name=x value=1>Allow</button></form>",
            "/c?x=1",
        ),
        // The client's name is no answer.
        (
            "<form action=/c method=post><button name=a value=0>Deny Allow Google</button><button name=a value=1>Allow Google No Back Office</button></form>",
            "/c?a=1",
        ),
        // A form of its own for each answer.
        (
            "<form action=/c method=post><input type=hidden name=approval value=false><button>Deny</button></form>
             <form action=/c method=post><input type=hidden name=approval value=true><button>Authorize</button></form>",
            "/c?approval=true",
        ),
        // The decision is a list, a choice, or a hidden field that a script would set.
        (
            "<form action=/c method=post><select name=d><option value=n>Deny<option value=y>Allow</select><button>Submit</button></form>",
            "/c?d=y",
        ),
        (
            "<form action=/c method=post><input type=radio name=d value=reject checked><input type=radio name=d value=approve><button>Submit</button></form>",
            "/c?d=approve",
        ),
        (
            "<form action=/c method=post><input type=hidden name=decision><button>Allow</button><button>Deny</button></form>",
            "/c?decision=allow",
        ),
        (
            "<form action=/c method=post><button name=action value=deny>No</button><button name=action value=accept></button></form>",
            "/c?action=accept",
        ),
        (
            "<form action=/c method=post><button formaction=/no>Deny</button><button formaction=/yes>Approve</button></form>",
            "/yes",
        ),
        ("<p><a href=/no>Deny</a> <a href=/yes?c=1>Allow access</a></p>", "/yes?c=1"),
        ("<form action=/c method=post><button>Deny</button><button>Cancel</button></form>", "nothing"),
        ("<form action=/logout method=post><button>Log out</button></form>", "nothing"),
        ("<form action=/c method=post><input name=otp required><button>Continue</button></form>", "nothing"),
        ("<div id=app></div><script src=/app.js></script>", "nothing"),
    ];
    for (html, sent) in table {
        assert_eq!(agrees(html), sent, "{html}");
    }
}

#[test]
fn an_image_button_sends_where_it_was_clicked() {
    assert_eq!(agrees("<form action=/c><input type=image name=ok alt=OK src=x></form>"), "/c?ok.x=1&ok.y=1");
}

fn denies(html: &str) -> String {
    let sheet = Sheet::read(html, AT);
    text(denial(&sheet).and_then(|way| sent(&sheet, way)))
}

#[test]
fn no_is_said_where_something_plainly_says_no() {
    for (html, sends) in [
        (
            "<form action=/c method=post><input type=hidden name=t value=1><input type=checkbox name=s value=r>
             <button name=d value=allow>Allow</button><button name=d value=deny>Deny</button></form>",
            "/c?t=1&d=deny",
        ),
        (
            "<form action=/c><button name=a value=1>Authorize No Name Ltd</button><button name=b value=1>No, cancel</button></form>",
            "/c?b=1",
        ),
        ("<form action=/c><button>Yes</button></form><a href=/no>Cancel</a>", "/no"),
        (
            "<form action=/c><button>Yes</button></form><a href=/out>Log out</a><a href=/other>Use another account</a>",
            "nothing",
        ),
        ("<form action=/search><button>Search</button></form><a href=/no>Cancel</a>", "nothing"),
        ("<form action=/c><button>Continue</button></form>", "nothing"),
    ] {
        assert_eq!(denies(html), sends, "{html}");
    }
}

#[test]
fn a_code_is_entered_where_one_is_asked_for() {
    let enters = |html: &str| {
        let sheet = Sheet::read(html, AT);
        text(second_factor(&sheet, "123456").and_then(|plan| sent(&sheet, Way::Form(plan))))
    };
    for (html, sends) in [
        (
            "<form action=/m method=post><input autocomplete=one-time-code name=x><button>Verify</button></form>",
            "/m?x=123456",
        ),
        (
            "<form action=/m><input type=password name=otp><button name=go value=1>Log in</button></form>",
            "/m?otp=123456&go=1",
        ),
        (
            "<form action=/m><label>Authenticator app<input name=a></label><button>Cancel</button><button>Next</button></form>",
            "/m?a=123456",
        ),
        (
            "<form action=/m><input name=code required><input type=checkbox name=trust><button>Go</button></form>",
            "/m?code=123456",
        ),
        ("<form action=/m><input name=promo_code><button>Go</button></form>", "nothing"),
        ("<form action=/m><input name=code readonly value=1><button>Go</button></form>", "nothing"),
    ] {
        assert_eq!(enters(html), sends, "{html}");
    }
    // Beside the password in one form.
    let one =
        "<form action=/l><input name=user><input type=password name=p><input name=totp><button>Go</button></form>";
    assert_eq!(logs_in(one), "/l?user=alice&p=pw&totp=123456");
}

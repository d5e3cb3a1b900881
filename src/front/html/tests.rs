//! Pages as servers write them, and what is read of them.

use super::*;

const AT: &str = "https://as.example/interaction/7?uid=1";

fn sheet(html: &str) -> Sheet {
    Sheet::read(html, AT)
}

pub(in crate::front) const OIDC_PROVIDER_LOGIN: &str = r#"<!DOCTYPE html><html><head><title>Sign-in</title></head><body>
<div class="login-card"><h1>Sign-in</h1><form autocomplete="off" action="https://as.example/interaction/7" method="post">
<input type="hidden" name="prompt" value="login"/><input required type="text" name="login" placeholder="Enter any login">
<input required type="password" name="password" placeholder="and password">
<button type="submit" class="login login-submit">Sign-in</button></form>
<div class="login-help"><a href="/interaction/7/abort">[ Cancel ]</a></div></div></body></html>"#;

pub(in crate::front) const KEYCLOAK_LOGIN: &str = r#"<html class="login-pf"><head><title>Sign in to demo</title><script>var x=1</script></head><body>
<header id="kc-header">DEMO</header><form id="kc-form-login" onsubmit="login.disabled = true; return true;"
 action="https://kc.example/realms/demo/login-actions/authenticate?session_code=s&amp;execution=e&amp;tab_id=t" method="post">
<label for="username">Username or email</label><input tabindex="2" id="username" name="username" value="" type="text" autofocus autocomplete="username" />
<label for="password">Password</label><input id="password" name="password" type="password" autocomplete="current-password" />
<button type="button" aria-label="Show password">eye</button>
<input id="rememberMe" name="rememberMe" type="checkbox"> Remember me
<input type="hidden" id="id-hidden-input" name="credentialId" />
<input name="login" id="kc-login" type="submit" value="Sign In"/></form>
<ul><li><a href="/realms/demo/broker/google/login">Google</a></li></ul></body></html>"#;

pub(in crate::front) const DJANGO_LOGIN: &str = r#"<html><head><title>Log in | Django</title></head><body>
<form method="get" action="/search/" class="search"><input name="q"><button>Search</button></form>
<p class="errornote">Please enter the correct username and password.</p>
<form method="post" id="login-form"><input type="hidden" name="csrfmiddlewaretoken" value="tok123">
<input type="text" name="username" maxlength="150" required id="id_username"><input type="password" name="password" required>
<input type="hidden" name="next" value="/o/authorize/?client_id=1"><input type="submit" value="Log in"></form></body></html>"#;

pub(in crate::front) const CONSENT_DENY_FIRST: &str = r#"<html><title>Authorize demo</title><body><h1>Authorize demo?</h1>
<form method=POST action=/decide><input type=hidden name=csrf value=c1>
<input type=checkbox name=scope value=read><label><input type=checkbox name=scope value=write checked> write</label>
<input type=checkbox name=remember value=1>
<button name=decision value=deny>Deny</button><button name=decision value=allow>Allow access</button></form></body></html>"#;

#[test]
fn pages_are_told_apart() {
    use PageKind::{Consent, Error, Login, Unknown};
    let table: &[(&str, u16, &str, PageKind)] = &[
        ("oidc-provider", 200, OIDC_PROVIDER_LOGIN, Login),
        ("keycloak", 200, KEYCLOAK_LOGIN, Login),
        ("django", 200, DJANGO_LOGIN, Login),
        ("a login with status 401", 401, DJANGO_LOGIN, Login),
        ("first step", 200, "<form method=post><input type=email name=identifier><button>Next</button></form>", Login),
        ("first step with 401", 401, "<form method=post><input name=user><button>Next</button></form>", Login),
        ("a 404 with a newsletter", 404, "<form><input name=email><button>Subscribe</button></form>", Error),
        ("newsletter", 200, "<h1>Hi</h1><form class=newsletter><input name=email><button>Go</button></form>", Unknown),
        ("password", 200, "<form method=post><input type=password name=p></form>", Login),
        ("a code by post", 200, "<form><input type=password name=otp_code><button>Verify</button></form>", Unknown),
        ("a code that was wrong", 401, "<form><input name=code><button>Verify</button></form>", Unknown),
        (
            "a code that was invalid",
            200,
            "<h1>Invalid code</h1><form><input name=code><button>Go</button></form>",
            Unknown,
        ),
        (
            "an error beside a code",
            400,
            "<p>invalid_request</p><form><input name=code><button>Go</button></form>",
            Error,
        ),
        (
            "sign-up",
            200,
            "<form><input name=n><input type=password name=a><input type=password name=b></form>",
            Unknown,
        ),
        ("consent", 200, CONSENT_DENY_FIRST, Consent),
        ("continue", 200, "<form method=post><button autofocus>Continue</button></form>", Consent),
        ("only a way out", 200, "<form action=/logout><button>Log out</button></form>", Unknown),
        ("400", 400, "<h1>Bad request</h1>", Error),
        (
            "400 with a login beside it",
            400,
            "<p>invalid_request: no</p><form><input type=password name=p></form>",
            Error,
        ),
        ("a wrong password with 400", 400, "<p>Wrong</p><form><input type=password name=p></form>", Login),
        ("200 that names the code", 200, "<title>Hm</title><p>The error is <code>invalid_request</code>.</p>", Error),
        ("200 by its title", 200, "<title>Error</title><p>Ask your administrator.</p>", Error),
        (
            "200 error with a button",
            200,
            "<title>Error</title><p>invalid_scope</p><form><button>OK</button></form>",
            Error,
        ),
        ("not a code", 200, "<p>my_invalid_request_count is 3</p>", Unknown),
        ("a code in a script only", 200, "<div id=root></div><script>var e='invalid_request'</script>", Unknown),
        ("catch-all", 200, "<html><head><title>App</title></head><body><div id=app></div></body></html>", Unknown),
    ];
    for (name, status, html, kind) in table {
        assert_eq!(sheet(html).kind(*status), *kind, "{name}");
    }
}

#[test]
fn an_error_page_says_its_code() {
    let says = |html: &str| {
        let sheet = sheet(html);
        sheet.says(sheet.kind(200), str::to_owned)
    };
    let long = format!(
        "<title>Error</title><p>{}</p><p>{} invalid_scope: no such thing</p>",
        "a ".repeat(90),
        "b ".repeat(90)
    );
    assert!(says(&long).contains("invalid_scope"), "{}", says(&long));
    assert_eq!(
        says("<h1>Error</h1><p>invalid_request</p><p>redirect_uri   is not\n registered"),
        "invalid_request: redirect_uri is not registered"
    );
    assert_eq!(says("<title> Sign\n in </title><p>invalid"), "Sign in");
    assert_eq!(says("<p>Hello <b>you</b></p><script>x</script>"), "Hello you");
    assert_eq!(
        says("<noscript>You need to enable JavaScript.</noscript><div id=root></div>"),
        "You need to enable JavaScript."
    );
    assert!(says(&format!("<p>{}", "word ".repeat(100))).chars().count() <= 121);
}

#[test]
fn what_is_hidden_is_hidden_before_anything_is_cut() {
    let text = format!("{} SECRETSECRET tail", "x".repeat(110));
    let said = sheet(&format!("<p>{text}</p>")).says(PageKind::Unknown, |t| t.replace("SECRETSECRET", "{code 1}"));
    assert!(!said.contains("SECRET"), "{said}");
}

#[test]
fn actions_are_resolved_as_browsers_do() {
    let action = |html: &str| sheet(html).forms[0].action.clone();
    assert_eq!(action("<form><input name=a></form>"), AT);
    assert_eq!(action("<form action=''><input name=a></form>"), AT);
    assert_eq!(action("<form action=login><input name=a></form>"), "https://as.example/interaction/login");
    assert_eq!(action("<base href=/x/><form action=login><input name=a></form>"), "https://as.example/x/login");
    assert_eq!(action("<form action='http://127.0.0.1:80/cb'></form>"), "http://127.0.0.1:80/cb");
}

#[test]
fn controls_belong_to_their_forms() {
    let sheet = sheet(
        "<button form=b name=early>E</button><form id=a><input name=x disabled><fieldset disabled><input name=y></fieldset>
         <template><input name=t></template><input name=z type=URL></form>
         <table><form id=b method=POST enctype='multipart/form-data'><tr><td><input name=u></td></tr>
         <tr><td><select name=s><option>one<option value=2 selected>two</select><textarea name=t>te</textarea></td></tr></form></table>
         <button form=a name=go value=1 formaction=/there formmethod=post><b>Go</b> on</button>",
    );
    let names = |at: usize| sheet.forms[at].fields.iter().map(|f| f.name.as_str()).collect::<Vec<_>>();
    assert_eq!(names(0), ["z", "go"]);
    assert_eq!(names(1), ["early", "u", "s", "t"]);
    let go = &sheet.forms[0].fields[1];
    assert_eq!(
        (go.text.as_str(), go.action.as_deref(), go.verb),
        ("Go on", Some("https://as.example/there"), Some(Verb::Post))
    );
    assert_eq!((sheet.forms[1].verb, sheet.forms[1].multipart), (Verb::Post, true));
    assert_eq!(sheet.forms[1].fields[2].choices[1].value, "2");
    assert_eq!(sheet.forms[1].fields[3].value, "te");
}

#[test]
fn what_leads_on_by_itself() {
    let onward = |html: &str| sheet(html).onward;
    let to = |wait, to: &str| Onward::Refresh { wait, to: to.into() };
    assert_eq!(
        onward("<meta http-equiv=Refresh content=\"0;URL='/next?a=1&amp;b=2'\">"),
        [to(0, "https://as.example/next?a=1&b=2")]
    );
    assert_eq!(
        onward("<noscript><meta http-equiv=refresh content='3; url=/plain'></noscript>"),
        [to(3, "https://as.example/plain")]
    );
    for submitted in [
        "<body onload='document.forms[0].submit()'><form method=post action=/cb><input type=hidden name=code value=1></form>",
        "<form method=post action=/cb><input type=hidden name=code value=1></form><script>document.forms[0].submit()</script>",
        "<form method=post action=/cb><input type=hidden name=code value=1><noscript><button>Continue</button></noscript></form>",
        "<form method=post action=/cb><input type=hidden name=a><input type=submit value=Continue></form><script>window.onload=()=>f.submit()</script>",
    ] {
        assert_eq!(onward(submitted), [Onward::Form(0)], "{submitted}");
    }
    for kept in [
        "<form method=post><input type=hidden name=csrf><button>Allow</button></form><script>function y(){f.submit()}</script>",
        "<form method=post><input type=hidden name=c><button name=d value=y>Continue</button></form><script>f.submit()</script>",
        "<form method=post><input name=user></form><script>f.submit()</script>",
        "<form method=post><input type=hidden name=c><button>Continue</button></form>",
        CONSENT_DENY_FIRST,
    ] {
        assert_eq!(onward(kept), [], "{kept}");
    }
}

#[test]
fn the_message_of_a_refused_login_is_found() {
    let complaint = |html: &str| sheet(html).complaint(str::to_owned);
    assert_eq!(complaint(DJANGO_LOGIN), "Please enter the correct username and password.");
    assert_eq!(complaint("<p role=alert>\n Bad   credentials </p><form></form>"), "Bad credentials");
    assert_eq!(complaint("<p style='color: red'>No.</p>"), "No.");
    assert_eq!(complaint("<h1>Sign in</h1><p>Your password is incorrect"), "Your password is incorrect");
    assert_eq!(complaint("<div class=error hidden>later</div><p>Hello"), "");
}

#[test]
fn a_page_that_is_built_to_exhaust_us_is_read_all_the_same() {
    // Without the limits this takes minutes.
    let deep = format!("<h1>Deep</h1>{}invalid_request", "<div class=error><b>".repeat(40_000));
    let wide = format!("<h1>Wide</h1><form>{}", "<label for=a>x</label><input id=a name=user>".repeat(10_000));
    assert_eq!(sheet(&deep).heading, "Deep");
    assert_eq!(sheet(&wide).kind(200), PageKind::Login);
}

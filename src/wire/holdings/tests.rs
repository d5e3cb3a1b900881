//! What is held of what a server answers, and for how long.

use serde_json::json;

use super::*;
use crate::oauth::client::ClientAuth;
use crate::oauth::request::tests::client;

fn answered(holdings: &Holdings, request: &Request, status: u16, answer: &Value) {
    holdings.notice(request, status, answer.to_string().as_bytes());
}

fn refresh(token: &str) -> Request {
    let pairs = [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", "c")];
    Request::form("https://as.example/token", &pairs)
}

fn redeem() -> Request {
    Request::form("https://as.example/token", &[("grant_type", "authorization_code"), ("client_id", "c")])
}

#[test]
fn a_grant_is_held_by_its_youngest_tokens() {
    let holdings = Holdings::default();
    answered(&holdings, &redeem(), 200, &json!({"access_token": "a1", "refresh_token": "r1"}));
    answered(&holdings, &refresh("r1"), 200, &json!({"access_token": "a2", "refresh_token": "r2"}));
    answered(&holdings, &refresh("r1"), 400, &json!({"access_token": "a3", "refresh_token": "r3"}));
    answered(&holdings, &refresh("r2"), 200, &json!({"access_token": "a4", "expires_in": 60}));
    let all = holdings.all();
    let [(1, Holding::Grant(grant))] = all.as_slice() else { panic!("one grant, but {all:?}") };
    assert_eq!(grant.access_token.expose(), "a4");
    assert_eq!(grant.refresh_token.as_ref().map(Secret::expose), Some("r2"), "no new one: the old one stays");
    assert_eq!((grant.sender.id.as_str(), grant.sender.auth, grant.expires_in), ("c", SenderAuth::None, Some(60)));
}

#[test]
fn what_the_user_brought_is_the_users() {
    let holdings = Holdings::default();
    answered(&holdings, &refresh("brought"), 200, &json!({"access_token": "a", "refresh_token": "r"}));
    assert!(holdings.all().is_empty());
}

#[test]
fn every_way_of_saying_who_one_is_is_read() {
    for (auth, read) in [
        (ClientAuth::None, SenderAuth::None),
        (ClientAuth::Basic, SenderAuth::Basic),
        (ClientAuth::Post, SenderAuth::Post),
        (ClientAuth::PrivateKeyJwt, SenderAuth::Signed),
    ] {
        let client =
            crate::oauth::client::Client { id: "a:b c".into(), auth, secret: Some(Secret::new("s+/=")), ..client() };
        let request = client.form("https://as.example/token", vec![("grant_type".into(), "x".into())]);
        let holdings = Holdings::default();
        answered(&holdings, &request, 200, &json!({"access_token": "a"}));
        let all = holdings.all();
        let [(_, Holding::Grant(grant))] = all.as_slice() else { panic!("one grant, but {all:?}") };
        assert_eq!((grant.sender.id.as_str(), grant.sender.auth), ("a:b c", read));
        let secret = matches!(read, SenderAuth::Basic | SenderAuth::Post).then_some("s+/=");
        assert_eq!(grant.sender.secret.as_ref().map(Secret::expose), secret);
    }
}

#[test]
fn a_client_is_held_until_it_is_deleted() {
    let holdings = Holdings::default();
    let register = Request::json("https://as.example/register", &json!({"redirect_uris": ["https://c.test/cb"]}));
    let uri = "https://as.example/register/x";
    let answer = json!({"client_id": "x", "registration_client_uri": uri, "registration_access_token": "t1"});
    answered(&holdings, &register, 201, &answer);
    let update = Request { method: Method::PUT, url: uri.into(), ..register };
    answered(&holdings, &update, 200, &json!({"client_id": "x", "registration_access_token": "t2"}));
    let all = holdings.all();
    let [(1, Holding::Client(client))] = all.as_slice() else { panic!("one client, but {all:?}") };
    assert_eq!((client.uri.as_deref(), client.token.as_ref().map(Secret::expose)), (Some(uri), Some("t2")));
    answered(&holdings, &Request::new(Method::DELETE, uri), 401, &json!({}));
    assert_eq!(holdings.all().len(), 1);
    answered(&holdings, &Request::new(Method::DELETE, uri), 204, &json!({}));
    assert!(holdings.all().is_empty());
}

#[test]
fn what_a_lost_answer_may_have_told_of_is_counted() {
    let holdings = Holdings::default();
    let register = Request::json("https://as.example/register", &json!({"redirect_uris": ["https://c.test/cb"]}));
    answered(&holdings, &register, 400, &json!({"error": "invalid_client_metadata"}));
    answered(&holdings, &register, 503, &json!({}));
    assert_eq!(holdings.perhaps(), Unheard::default());
    answered(&holdings, &register, 504, &json!({}));
    holdings.unheard(&register);
    holdings.unheard(&redeem());
    // What names nothing that exists brings nothing.
    holdings.unheard(&redeem().probe());
    assert_eq!(holdings.perhaps(), Unheard { registrations: 2, tokens: 1 });
    assert!(holdings.all().is_empty());
}

#[test]
fn other_answers_tell_of_nothing() {
    let holdings = Holdings::default();
    let call = Request::json("https://api.example/mcp", &json!({"jsonrpc": "2.0"}));
    answered(&holdings, &call, 200, &json!({"client_id": "x", "access_token": "a"}));
    answered(
        &holdings,
        &Request::form("https://as.example/login", &[("user", "a")]),
        200,
        &json!({"access_token": "a"}),
    );
    holdings.notice(&redeem(), 200, b"access_token=a");
    assert!(holdings.all().is_empty());
}

//! Somebody says no: how that went, and what came of it.

use std::future::Future;
use std::pin::Pin;

use super::{Landing, SignInError, read};
use crate::oauth::answer::{AuthorizationAnswer, Page};
use crate::oauth::request::AuthorizationRequest;

/// A future that an agent which can say no returns.
pub type Denying<'a> = Pin<Box<dyn Future<Output = Result<Denial, SignInError>> + Send + 'a>>;

/// A visit of somebody who says no.
#[derive(Debug)]
pub enum Denial {
    /// It was said, and this is where the visit ended.
    Said(Landing),
    /// Nothing asked: the visit ended before.
    NotAsked(Landing),
    /// A page on which nothing was found that says no.
    NoWay(Page),
}

/// The same, read as an answer.
#[derive(Debug)]
pub enum Denied {
    /// It was said, and this was the answer.
    Said(AuthorizationAnswer),
    /// Nothing asked: this was the answer.
    NotAsked(AuthorizationAnswer),
    /// A page on which nothing was found that says no.
    NoWay(Page),
}

impl Denial {
    /// A visit that ended here.
    pub(super) fn of(landing: Landing, said: bool) -> Self {
        match (landing, said) {
            (landing, true) => Self::Said(landing),
            (Landing::Page(page), false) if page.kind != crate::oauth::answer::PageKind::Error => Self::NoWay(page),
            (landing, false) => Self::NotAsked(landing),
        }
    }

    pub(super) fn read(self, request: AuthorizationRequest, token_endpoint: &str) -> Denied {
        match self {
            Self::Said(landing) => Denied::Said(read(request, landing, token_endpoint)),
            Self::NotAsked(landing) => Denied::NotAsked(read(request, landing, token_endpoint)),
            Self::NoWay(page) => Denied::NoWay(page),
        }
    }
}

//! The pages that were seen on the way, with the headers they came with: what a check of pages needs is here already,
//! without another login.

use std::sync::Mutex;

use crate::oauth::answer::Page;
use crate::wire::Reply;

/// Pages that are kept; a run sees the same few over and over.
const MOST: usize = 24;

/// A page as it came.
#[derive(Debug, Clone)]
pub struct SeenPage {
    /// What it looks like.
    pub page: Page,
    /// The answer that it was read from.
    pub reply: Reply,
}

impl SeenPage {
    /// Where it came from, without a query, which may hold secrets.
    pub fn place(&self) -> &str {
        super::walk::place(&self.reply.url)
    }
}

/// The pages that one walker or several saw.
#[derive(Debug, Default)]
pub struct Album(Mutex<Vec<SeenPage>>);

impl Album {
    /// Keeps a page, unless one of the same kind and place with the same headers is there.
    pub(super) fn keep(&self, page: &Page, reply: &Reply) {
        let mut pages = self.0.lock().expect("no panic while it is held");
        let seen = SeenPage { page: page.clone(), reply: reply.clone() };
        let telling = ["content-security-policy", "x-frame-options", "referrer-policy"];
        let same = |other: &SeenPage| {
            other.page.kind == page.kind
                && other.page.status == page.status
                && other.place() == seen.place()
                && telling.iter().all(|name| other.reply.header_all(name) == reply.header_all(name))
        };
        if pages.len() < MOST && !pages.iter().any(same) {
            pages.push(seen);
        }
    }

    /// All of them, in the order in which they were seen.
    pub fn pages(&self) -> Vec<SeenPage> {
        self.0.lock().expect("no panic while it is held").clone()
    }
}

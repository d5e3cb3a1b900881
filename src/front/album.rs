//! The pages that were seen on the way, with the headers they came with: what a check of pages needs is here already,
//! without another login.

use std::sync::Mutex;

use crate::oauth::answer::Page;
use crate::wire::Reply;

/// Pages that are kept; a run sees the same few over and over.
const MOST: usize = 24;

/// The headers of pages that are judged.
const TELLING: [&str; 3] = ["content-security-policy", "x-frame-options", "referrer-policy"];

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
    /// Keeps a page, unless one like it is there. Addresses do not tell pages apart: many hold a number of their own.
    pub(super) fn keep(&self, page: &Page, reply: &Reply) {
        let mut pages = self.0.lock().expect("no panic while it is held");
        let key = |page: &Page, reply: &Reply| {
            let origin = crate::oauth::answer::origin(&reply.url);
            (page.kind, page.status, page.says.clone(), origin, TELLING.map(|name| reply.header_all(name)))
        };
        let own = key(page, reply);
        if pages.len() < MOST && !pages.iter().any(|seen| key(&seen.page, &seen.reply) == own) {
            pages.push(SeenPage { page: page.clone(), reply: reply.clone() });
        }
    }

    /// All of them, in the order in which they were seen.
    pub fn pages(&self) -> Vec<SeenPage> {
        self.0.lock().expect("no panic while it is held").clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::answer::PageKind;
    use crate::wire::message::tests::reply;

    #[test]
    fn the_same_page_under_another_address_is_kept_once() {
        let album = Album::default();
        let page = |kind| Page { status: 200, kind, says: "Log in".into(), exchange: None };
        for path in ["a", "b", "c"] {
            let answer = reply(200, &[("x-frame-options", "DENY")], "");
            album.keep(&page(PageKind::Login), &Reply { url: format!("https://as.example/{path}"), ..answer });
        }
        album.keep(&page(PageKind::Consent), &reply(200, &[("x-frame-options", "DENY")], ""));
        album.keep(&page(PageKind::Login), &reply(200, &[], ""));
        let kinds: Vec<PageKind> = album.pages().iter().map(|seen| seen.page.kind).collect();
        assert_eq!(kinds, [PageKind::Login, PageKind::Consent, PageKind::Login]);
    }
}

//! What the person is asked in the middle of a hop, in words and buttons.

use std::sync::atomic::Ordering;

use super::Hop;
use crate::front::Purpose;
use crate::front::cockpit::{Act, Ask, Button, Told};

impl Hop<'_> {
    /// What the person is asked while the window may stand at a login.
    pub(super) fn ask(&self, told: Told, stayed: bool) -> Ask {
        let repeat = Act::Repeat.labelled("Repeat this step");
        let show = Act::Show.labelled("Show the window");
        let signs = self.agent.signs();
        if told.blocked {
            return blocked();
        }
        if told.tabs {
            return Ask::nothing("Each step opens in a tab of its own. Answer there if your server asks.");
        }
        if stayed {
            let text = "The server has not answered with a page so far. This step will be repeated.";
            return Ask { text: text.into(), buttons: vec![repeat] };
        }
        if told.closed {
            let text = match signs.cuts {
                true => {
                    "Your server cut the link to its window (Cross-Origin-Opener-Policy). If the window is open, go on \
                     there. If you closed it, press Continue."
                }
                false => {
                    "The window is closed, or your server cut the link to it (COOP). If it is open, go on there. Else \
                     press Continue; it opens a new window."
                }
            };
            return Ask { text: text.into(), buttons: vec![Act::Open.labelled("Continue")] };
        }
        let mut ask = if self.purpose == Purpose::SignIn {
            let text = "Log in and allow in the new window. After that it should run by itself.";
            Ask { text: text.into(), buttons: vec![show, repeat] }
        } else if self.asks {
            let text = "This step makes your server ask for a login or consent. Please answer it in the audit window.";
            Ask { text: text.into(), buttons: vec![show, repeat] }
        } else if self.agent.asked_again.load(Ordering::Relaxed) >= 2 {
            let mut buttons: Vec<Button> = vec![show, repeat];
            if self.agent.opener.is_some() {
                buttons.push(Act::Tabs.labelled("Open each step in a tab of its own"));
            }
            buttons.push(Act::Stop.labelled("Ask me nothing more"));
            Ask { text: asks_each_time(signs.strict, Some(self.agent.left())), buttons }
        } else {
            let text = "Your server asks again (login or consent). Please answer it in the audit window. If the window \
                        shows something else, repeat this step.";
            Ask { text: text.into(), buttons: vec![show, repeat] }
        };
        if signs.holds_back {
            ask.text
                .push_str(" If a button there does nothing, press \"Repeat this step\": see the note on form-action.");
        }
        ask
    }
}

pub(super) fn blocked() -> Ask {
    Ask { text: "Your browser blocked the window. Press here.".into(), buttons: vec![Act::Open.labelled("Try again")] }
}

pub(super) fn asks_each_time(strict: bool, left: Option<usize>) -> String {
    let times = left.map(|left| format!("; {left} more at most")).unwrap_or_default();
    let cookie = match strict {
        true => {
            "Its cookies are SameSite=Strict, which browsers do not send when another page leads to it. A tab that the \
             system opens for each step may help."
        }
        false => "Its session cookie may be SameSite=Strict.",
    };
    format!("Your server asks each time (login or consent){times}. {cookie}")
}

//! The rescues of a window that does not come by itself: by its handle first, by a click next, by the operating system in
//! the end.

use tokio::time::sleep;

use super::{Event, Hop, Next, Step, blocked};
use crate::front::cockpit::{Act, Ask, Phase};

impl Hop<'_> {
    /// The opener's handle: it works as long as nothing severed it.
    pub(super) async fn rescue_by_handle(&self) -> Step {
        self.waiting.hand_again();
        let told = self.told();
        if !self.agent.listener.board(|b| b.is_watched()) || told.opened == 0 || told.closed {
            return Ok(Next::To(Phase::RescueClick));
        }
        self.show(Phase::RescueHandle, Ask::nothing("Leading the second window on."));
        self.agent.listener.board(|b| b.lead());
        let severed = async {
            let mut told = told;
            while !told.closed {
                told = self.agent.listener.told_other(told).await;
            }
        };
        tokio::select! {
            biased;
            () = self.waiting.handed() => Ok(Next::To(Phase::Hop)),
            () = severed => Ok(Next::To(Phase::RescueClick)),
            () = sleep(self.clocks().rescue) => Ok(Next::To(Phase::RescueClick)),
        }
    }

    /// A click opens a new window. Without a cockpit, one is opened first.
    pub(super) async fn rescue_by_click(&self) -> Step {
        let watched = self.agent.listener.board(|b| b.is_watched());
        if !watched {
            self.agent.open_cockpit("The cockpit is closed. Press Continue on this page");
        }
        let mut told = self.told();
        let patience = sleep(self.clocks().click);
        tokio::pin!(patience);
        loop {
            let ask = match told.blocked {
                true => blocked(),
                false => Ask {
                    text: "The window is closed, your server cut the link to it (COOP), or it stands on another page. \
                           Press Continue; close the old window."
                        .into(),
                    buttons: vec![Act::Open.labelled("Continue")],
                },
            };
            self.show(Phase::RescueClick, ask);
            tokio::select! {
                biased;
                event = self.event(told) => match event {
                    Event::Handed => return Ok(Next::To(Phase::Hop)),
                    Event::Told(other) => told = self.heed(other)?,
                    Event::Stayed => {}
                },
                () = &mut patience, if self.agent.opener.is_some() => return Ok(Next::To(Phase::RescueOs)),
            }
        }
    }

    /// The operating system opens a tab. It is the last resort: what follows is patience.
    pub(super) async fn rescue_by_system(&self) -> Step {
        self.agent.open_tab(&self.agent.listener.window_page());
        let mut told = self.told();
        loop {
            let ask = Ask {
                text: "A new tab was opened to go on in. If you do not see it, press Continue.".into(),
                buttons: vec![Act::Open.labelled("Continue")],
            };
            self.show(Phase::RescueOs, ask);
            match self.event(told).await {
                Event::Handed => return Ok(Next::To(Phase::Hop)),
                Event::Told(other) => told = self.heed(other)?,
                Event::Stayed => {}
            }
        }
    }
}

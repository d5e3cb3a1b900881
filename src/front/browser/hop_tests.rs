//! The states of a visit, by a paused clock: pages and person are played by what they tell.

use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::tests::{Desk, desk};
use super::*;
use crate::front::cockpit::Act;
use crate::front::listener::Clocks;

type Opened = mpsc::UnboundedReceiver<String>;

/// A desk whose first visit was made, and whose window was last seen leaving for the server.
fn in_mid_run() -> (Desk, Opened) {
    let (desk, opened) = desk(Clocks::default());
    desk.agent.begun.store(true, Ordering::Relaxed);
    desk.agent.stuck.store(true, Ordering::Relaxed);
    (desk, opened)
}

/// What a thread of the opener was told, in true time: the paused clock does not wait for threads.
async fn next_of(opened: &mut Opened) -> String {
    tokio::task::yield_now().await;
    for _ in 0..2000 {
        match opened.try_recv() {
            Ok(url) => return url,
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
    panic!("nothing was opened")
}

impl Desk {
    /// The cockpit is open, and so is the second window.
    fn watched(&self) {
        self.listener.board(|b| b.enter());
        self.tells(json!({ "act": "opened" }));
    }

    fn tells(&self, told: serde_json::Value) {
        self.listener.board(|b| b.hear_page(&told));
    }

    /// Waits for a state, and tells what is asked in it and how long it took.
    async fn comes_to(&self, phase: Phase) -> (String, Vec<Act>, u64) {
        let began = Instant::now();
        loop {
            let shown = self.listener.board(|b| {
                let (at, ask) = b.shown();
                (at == phase).then(|| (ask.text.clone(), ask.buttons.iter().map(|b| b.act).collect()))
            });
            if let Some((text, acts)) = shown {
                return (text, acts, began.elapsed().as_secs_f64().round() as u64);
            }
            assert!(began.elapsed() < Duration::from_secs(900), "{phase:?} never came");
            sleep(Duration::from_millis(100)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_visit_asks_for_a_click_and_then_for_the_login() {
    let (desk, _opened) = desk(Clocks::default());
    tokio::select! {
        landing = desk.visit("s1", Purpose::SignIn) => panic!("{landing:?}"),
        () = async {
            let (text, acts, _) = desk.comes_to(Phase::Opening).await;
            assert!(text.contains("Log in and allow there"));
            assert_eq!(acts, [Act::Open]);
            desk.tells(json!({ "act": "blocked" }));
            sleep(Duration::from_secs(1)).await;
            assert!(desk.comes_to(Phase::Opening).await.0.contains("blocked the window"));
            desk.tells(json!({ "act": "opened" }));
            desk.listener.take_hop();
            let (text, acts, _) = desk.comes_to(Phase::Hop).await;
            assert!(text.contains("Log in and allow in the new window"), "{text}");
            assert_eq!(acts, [Act::Show, Act::Repeat]);
            // Cut off by the server, or closed: nobody can tell, so both are said, and nothing is taken away.
            desk.tells(json!({ "closed": true }));
            sleep(Duration::from_secs(200)).await;
            let (text, acts, _) = desk.comes_to(Phase::Hop).await;
            assert!(text.contains("If it is open, go on there"), "{text}");
            assert_eq!(acts, [Act::Open]);
        } => {}
    }
}

#[tokio::test(start_paused = true)]
async fn the_rescues_come_in_order() {
    let (desk, mut opened) = in_mid_run();
    desk.watched();
    tokio::select! {
        landing = desk.visit("s1", Purpose::Ordinary) => panic!("{landing:?}"),
        () = async {
            desk.comes_to(Phase::RescueHandle).await;
            let (text, acts, took) = desk.comes_to(Phase::RescueClick).await;
            assert!(text.contains("COOP") && acts == [Act::Open], "{text}");
            assert_eq!(took, 3);
            assert!(opened.try_recv().is_err(), "a person is asked first");
            let (_, acts, took) = desk.comes_to(Phase::RescueOs).await;
            assert_eq!((acts, took), (vec![Act::Open], 30));
            assert_eq!(next_of(&mut opened).await, desk.listener.window_page());
            desk.listener.take_hop();
            desk.comes_to(Phase::Hop).await;
            let (text, acts, took) = desk.comes_to(Phase::NeedsPerson).await;
            assert!(text.contains("asks again"), "{text}");
            assert_eq!((acts, took), (vec![Act::Show, Act::Repeat], 5));
        } => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_handle_that_is_known_to_be_dead_is_not_waited_for() {
    let (desk, _opened) = in_mid_run();
    desk.watched();
    tokio::select! {
        landing = desk.visit("s1", Purpose::Ordinary) => panic!("{landing:?}"),
        () = async {
            desk.comes_to(Phase::RescueHandle).await;
            desk.tells(json!({ "led": 1, "closed": true }));
            assert_eq!(desk.comes_to(Phase::RescueClick).await.2, 0);
            desk.tells(json!({ "act": "opened" }));
            desk.listener.take_hop();
            desk.comes_to(Phase::NeedsPerson).await;
            // The person typed another address: the handle leads nowhere, so a click is asked for.
            desk.tells(json!({ "act": "repeat" }));
            desk.comes_to(Phase::RescueHandle).await;
            assert_eq!(desk.comes_to(Phase::RescueClick).await.2, 3);
        } => {}
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_cockpit_the_system_opens_one() {
    let (desk, mut opened) = in_mid_run();
    tokio::select! {
        landing = desk.visit("s1", Purpose::Ordinary) => panic!("{landing:?}"),
        () = async {
            desk.comes_to(Phase::RescueClick).await;
            assert_eq!(next_of(&mut opened).await, desk.listener.start_page());
        } => {}
    }
    assert!(desk.heard.all().contains("Press Continue on this page"));
}

#[tokio::test(start_paused = true)]
async fn a_cockpit_that_closes_with_its_window_is_opened_anew_and_only_once() {
    let (desk, mut opened) = in_mid_run();
    desk.agent.stuck.store(false, Ordering::Relaxed);
    desk.watched();
    tokio::select! {
        landing = desk.visit("s1", Purpose::Ordinary) => panic!("{landing:?}"),
        () = async {
            desk.comes_to(Phase::Hop).await;
            // Both at once: nobody is left to tell that the window is closed.
            desk.listener.take_hop();
            desk.listener.board(|b| b.leave());
            let (text, acts, took) = desk.comes_to(Phase::NeedsPerson).await;
            assert!(text.contains("asks again"), "{text}");
            assert_eq!((acts, took), (vec![Act::Show, Act::Repeat], 5));
            assert!(opened.try_recv().is_err(), "it may be loading anew");
            sleep(desk.listener.clocks().rescue).await;
            assert_eq!(next_of(&mut opened).await, desk.listener.start_page());
            sleep(Duration::from_secs(100)).await;
            std::thread::sleep(Duration::from_millis(50));
            assert!(opened.try_recv().is_err(), "a person who does not come is not sent tab after tab");
            // Whoever closes it again gets it again.
            desk.listener.board(|b| b.enter());
            sleep(Duration::from_secs(10)).await;
            desk.listener.board(|b| b.leave());
            sleep(desk.listener.clocks().rescue * 2).await;
            assert_eq!(next_of(&mut opened).await, desk.listener.start_page());
        } => {}
    }
    assert!(desk.heard.all().contains("The cockpit is closed, and your server asks something"));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_each_time_is_told_and_tabs_are_offered() {
    let (desk, mut opened) = in_mid_run();
    desk.watched();
    desk.agent.asked_again.store(1, Ordering::Relaxed);
    desk.agent.progress(4, 10);
    tokio::select! {
        landing = desk.visit("s1", Purpose::Ordinary) => panic!("{landing:?}"),
        () = async {
            desk.comes_to(Phase::RescueHandle).await;
            desk.listener.take_hop();
            let (text, acts, _) = desk.comes_to(Phase::NeedsPerson).await;
            assert!(text.contains("6 more at most") && text.contains("SameSite=Strict"), "{text}");
            assert_eq!(acts, [Act::Show, Act::Repeat, Act::Tabs, Act::Stop]);
            desk.tells(json!({ "act": "tabs" }));
            sleep(Duration::from_millis(1)).await;
            assert!(next_of(&mut opened).await.ends_with("authorize?state=s1"), "the hop itself, by the system");
        } => {}
    }
    tokio::select! {
        landing = desk.visit("s2", Purpose::Ordinary) => panic!("{landing:?}"),
        url = next_of(&mut opened) => assert!(url.ends_with("authorize?state=s2")),
    }
    assert!(desk.agent.remarks().iter().any(|r| r.contains("asks each time")));
}

#[tokio::test(start_paused = true)]
async fn a_person_who_has_had_enough_is_asked_nothing_more() {
    let (desk, _opened) = in_mid_run();
    desk.watched();
    let (landing, ()) = tokio::join!(desk.visit("s1", Purpose::Ordinary), async {
        desk.comes_to(Phase::RescueClick).await;
        desk.tells(json!({ "act": "stop" }));
    });
    assert!(matches!(landing, Err(SignInError::Unusable(..))), "{landing:?}");
    let began = Instant::now();
    assert!(desk.visit("s2", Purpose::Ordinary).await.is_err());
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_window_that_never_left_our_page_makes_the_hop_once_more() {
    let (desk, _opened) = in_mid_run();
    desk.agent.stuck.store(false, Ordering::Relaxed);
    let began = Instant::now();
    let (landing, ()) = tokio::join!(desk.visit("s1", Purpose::Ordinary), async {
        for wait in [1, 26] {
            sleep(Duration::from_secs(wait)).await;
            desk.listener.take_hop();
            desk.listener.ask_again();
        }
    });
    assert!(matches!(&landing, Ok(Landing::NeverCameBack(why)) if why.contains("nothing that a browser shows")));
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn a_window_that_closes_in_the_middle_of_a_hop_is_asked_for_at_once() {
    let (desk, _opened) = in_mid_run();
    desk.agent.stuck.store(false, Ordering::Relaxed);
    desk.watched();
    tokio::select! {
        landing = desk.visit("s1", Purpose::Ordinary) => panic!("{landing:?}"),
        () = async {
            desk.comes_to(Phase::Hop).await;
            desk.listener.take_hop();
            sleep(Duration::from_millis(1)).await;
            desk.tells(json!({ "closed": true }));
            let (text, acts, took) = desk.comes_to(Phase::NeedsPerson).await;
            assert!(text.contains("press Continue"), "{text}");
            assert_eq!((acts, took), (vec![Act::Open], 0));
        } => {}
    }
    assert!(desk.agent.remarks().is_empty(), "the server asked nothing again");
}

#[tokio::test(start_paused = true)]
async fn an_odd_request_whose_window_closes_is_made_once_more() {
    let (desk, _opened) = in_mid_run();
    desk.agent.stuck.store(false, Ordering::Relaxed);
    desk.watched();
    let closes_in_the_middle = async |begins_with: Phase| {
        desk.comes_to(begins_with).await;
        desk.listener.take_hop();
        sleep(Duration::from_secs(1)).await;
        desk.tells(json!({ "closed": true }));
    };
    let (landing, ()) = tokio::join!(desk.visit("s1", Purpose::Odd), async {
        closes_in_the_middle(Phase::Hop).await;
        let (text, acts, _) = desk.comes_to(Phase::RescueClick).await;
        assert!(text.contains("Press Continue") && acts == [Act::Open], "{text}");
        desk.tells(json!({ "act": "opened" }));
        closes_in_the_middle(Phase::RescueClick).await;
    });
    assert!(matches!(landing, Ok(Landing::NeverCameBack(_))), "{landing:?}");
    // By now it is known that this server cuts its windows off: nobody is asked to press anything again.
    desk.tells(json!({ "act": "opened" }));
    let (landing, ()) = tokio::join!(desk.visit("s2", Purpose::Odd), closes_in_the_middle(Phase::RescueHandle));
    assert!(matches!(landing, Ok(Landing::NeverCameBack(_))), "{landing:?}");
}

//! Kiosks of a site among themselves, over real sockets, while the server is away (U6).

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use harness::Plant;
use kiosk::core::Core as Kiosk;
use kiosk::key_store::FileKeyStore;
use kiosk::lan::line::{Broken, Coming, Frame, Keys, Line};
use kiosk::lan::{Lan, among_peers};
use shared::id::*;
use shared::part11::signature::DeviceSecret;
use shared::sync::message::{Give, MAX_MESSAGE_BYTES};
use shared::training::Answer;
use store::shelf;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use harness::scene::{approve_v7, id, sign_off, train_until_the_check};

/// What only catches a test that hangs.
const NEVER: Duration = Duration::from_secs(120);
/// In how long twenty kiosks admit at all.
const PROMISED: Duration = Duration::from_secs(10);

/// Kiosks that have been dark since v7 was approved, each with a port of its own, none of them switched on for the others yet.
struct Hall {
    _plant: Plant,
    kiosks: Vec<Arc<Mutex<Kiosk>>>,
    listeners: Vec<Option<TcpListener>>,
    addresses: Vec<SocketAddr>,
    talks: Vec<Option<JoinHandle<()>>>,
    runtime: tokio::runtime::Runtime,
}

fn with<T>(kiosk: &Arc<Mutex<Kiosk>>, work: impl FnOnce(&mut Kiosk) -> T) -> T {
    work(&mut kiosk.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Hall {
    fn of(count: usize) -> Self {
        let mut plant = Plant::demo("2026-03-01T18:00:00Z");
        plant.set_up_signing(&["helga", "lukas", "henning", "jonas", "maria"]);
        let names: Vec<String> = (1..=count).map(|number| format!("K{number}")).collect();
        names.iter().for_each(|name| plant.add_kiosk(name, &["SEAL"]));
        approve_v7(&plant.server);
        plant.settle();
        plant.clock.set("2026-03-02T06:00:00Z");
        let open = |name: &String| {
            plant.stop(name);
            let keys = FileKeyStore::open(&plant.path(&format!("{name}-keys"))).unwrap();
            let kiosk = Kiosk::open(&plant.path(name), Box::new(keys), Box::new(plant.clock.clone())).unwrap();
            Arc::new(Mutex::new(kiosk))
        };
        let kiosks = names.iter().map(open).collect();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listeners: Vec<_> =
            names.iter().map(|_| runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap()).collect();
        let addresses = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
        let talks = names.iter().map(|_| None).collect();
        Self { _plant: plant, kiosks, listeners: listeners.into_iter().map(Some).collect(), addresses, talks, runtime }
    }

    /// The kiosk listens, and calls those of its list.
    fn switch_on(&mut self, place: usize, list: &[usize]) {
        let core = self.kiosks[place].clone();
        let listener = self.listeners[place].take().unwrap();
        let listen = self.addresses[place];
        let peers = list.iter().map(|peer| self.addresses[*peer].to_string()).collect();
        let secret = with(&core, |core| core.enrolled().unwrap().secret.clone());
        let talk = async move {
            let lan = Lan { listen, peers, mdns: false };
            among_peers(core, &secret, Some(listener), &lan, Arc::new(Notify::new())).await;
        };
        self.talks[place] = Some(self.runtime.spawn(talk));
    }

    /// Maria's sign-off at one kiosk, after she did everything else there.
    fn sign_off_at(&self, place: usize) -> EntryId {
        with(&self.kiosks[place], |kiosk| sign_off(kiosk, "maria", "jonas"))
    }

    fn holds(&self, place: usize, entry: &EntryId) -> bool {
        with(&self.kiosks[place], |kiosk| shelf::place(kiosk.ledger().connection(), entry).unwrap().is_some())
    }

    fn admits(&self, place: usize) -> Answer {
        let ask = |kiosk: &mut Kiosk| kiosk.ask(&id("maria"), &id("seal-pouch"), Some(&id("881"))).unwrap();
        with(&self.kiosks[place], ask).decision.answer
    }

    fn wait_until(&self, what: &str, done: impl Fn() -> bool) -> Duration {
        let began = Instant::now();
        while !done() {
            assert!(began.elapsed() < NEVER, "{what}");
            std::thread::sleep(Duration::from_millis(20));
        }
        began.elapsed()
    }
}

#[test]
fn u6_a_terminal_whose_server_is_busy_is_free_for_its_neighbours() {
    let mut plant = Plant::demo("2026-03-01T18:00:00Z");
    plant.add_kiosk("K1", &["SEAL"]);
    let kiosk = plant.kiosk("K1");
    kiosk.call_soon();
    assert!(kiosk.poll_up().unwrap().is_some() && kiosk.is_calling());
    kiosk.handle_busy(5_000);
    assert!(!kiosk.is_calling(), "the call is over");
}

#[test]
fn u6_twenty_kiosks_without_a_server_admit_at_all_after_a_sign_off_at_one() {
    let mut hall = Hall::of(20);
    let everybody: Vec<usize> = (0..20).collect();
    everybody.iter().for_each(|place| hall.switch_on(*place, &everybody));
    with(&hall.kiosks[0], |kiosk| train_until_the_check(kiosk, "maria", "jonas"));
    for place in &everybody {
        assert_eq!(hall.admits(*place), Answer::NoGo, "the check is still missing");
    }
    let signed = hall.sign_off_at(0);
    let took =
        hall.wait_until("a kiosk never heard of it", || everybody.iter().all(|place| hall.holds(*place, &signed)));
    for place in &everybody {
        assert_eq!(hall.admits(*place), Answer::Go);
    }
    assert!(took < PROMISED, "{took:?}");
    println!("{{\"name\":\"lan\",\"kiosks\":20,\"seconds\":{:.2}}}", took.as_secs_f64());
}

#[test]
fn u6_a_kiosk_that_comes_back_hears_what_it_missed_from_a_neighbour_of_its_neighbour() {
    let mut hall = Hall::of(3);
    // A segmented network: only the one in the middle knows both.
    hall.switch_on(0, &[1]);
    hall.switch_on(1, &[0, 2]);
    with(&hall.kiosks[0], |kiosk| train_until_the_check(kiosk, "maria", "jonas"));
    let signed = hall.sign_off_at(0);
    hall.wait_until("the middle never heard of it", || hall.holds(1, &signed));
    hall.switch_on(2, &[]);
    hall.wait_until("the last never heard of it", || hall.holds(2, &signed));
    assert_eq!(hall.admits(2), Answer::Go);
}

#[test]
fn u6_whoever_takes_every_place_and_says_nothing_stops_nobody() {
    let mut hall = Hall::of(2);
    // It calls nobody: who wants something of it finds a place, or waits for one.
    hall.switch_on(0, &[]);
    let silent: Vec<_> = (0..16).map(|_| std::net::TcpStream::connect(hall.addresses[0]).unwrap()).collect();
    hall.switch_on(1, &[0]);
    with(&hall.kiosks[0], |kiosk| train_until_the_check(kiosk, "maria", "jonas"));
    let signed = hall.sign_off_at(0);
    hall.wait_until("it never got through", || hall.holds(1, &signed));
    drop(silent);
}

#[test]
fn u6_a_stranger_on_the_line_gets_nothing_and_leaves_nothing() {
    let mut hall = Hall::of(1);
    hall.switch_on(0, &[]);
    let entries = with(&hall.kiosks[0], |kiosk| kiosk.status().unwrap().entries);
    let own_word = with(&hall.kiosks[0], |kiosk| kiosk.first_word().unwrap());
    let address = hall.addresses[0].to_string();
    let stranger = Keys::of(&DeviceSecret::from_seed([7; 32])).unwrap();
    let told = |frame: Frame| {
        hall.runtime.block_on(async {
            let mut line = Line::call(&address, &stranger).await.unwrap();
            assert_eq!(line.peer, with(&hall.kiosks[0], |kiosk| kiosk.enrolment().unwrap().device));
            line.say(&frame).await.and(line.hear(Coming::Message).await)
        })
    };
    assert!(matches!(told(Frame::Have(own_word)), Err(Broken::Io(_))), "a word of somebody else's");
    assert!(matches!(told(Frame::Give(Give::default().to_bytes())), Err(Broken::Io(_))), "a gift before any word");
    assert!(matches!(told(Frame::AskBlob(Digest32([0; 32]))), Err(Broken::Io(_))), "a wish before any word");
    assert!(matches!(told(Frame::Have(vec![0; MAX_MESSAGE_BYTES + 1])), Err(Broken::Io(_))), "more than may be said");
    assert_eq!(with(&hall.kiosks[0], |kiosk| kiosk.status().unwrap().entries), entries);
}

#[test]
fn u6_what_comes_over_the_lan_is_no_word_of_the_server() {
    let mut hall = Hall::of(2);
    let before = with(&hall.kiosks[1], |kiosk| kiosk.status().unwrap());
    hall.switch_on(0, &[1]);
    hall.switch_on(1, &[]);
    with(&hall.kiosks[0], |kiosk| train_until_the_check(kiosk, "maria", "jonas"));
    let signed = hall.sign_off_at(0);
    hall.wait_until("it never heard of it", || hall.holds(1, &signed));
    let after = with(&hall.kiosks[1], |kiosk| kiosk.status().unwrap());
    assert!(after.waiting() > before.waiting(), "it carries them to the server, whoever reaches it first");
    assert_eq!((after.in_step, after.last_contact, after.plant), (before.in_step, before.last_contact, before.plant));
}

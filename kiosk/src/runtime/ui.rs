//! The main thread: the window, the presenter behind it, and the ways to the store thread and the server.
//!
//! Everything that happens arrives as an [`Input`] in one queue: acts of the person, ticks, replies, reports. Nothing here waits.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use slint::{PlatformError, Timer, TimerMode};
use tokio::sync::{Notify, mpsc};

use super::drawing::Drawing;
use super::fault_of;
use super::store_thread::{Reach, Store, StoreReport};
use super::sync::{NotSetUp, enrol, keep_in_step};
use crate::clock::Moments;
use crate::config::{Held, Run};
use crate::core::Core;
use crate::desk;
use crate::lan;
use crate::presenter::message::{Command, Event, Hidden, NotEnrolled, Reply, RequestId, StatusSnapshot, What};
use crate::presenter::view::{Fault, NextStep, Screen, Trouble, View};
use crate::presenter::{Presenter, Settings};
use crate::sync_driver::{self, NoAnswer};
use crate::window::{Act, Window};

const TICK: Duration = Duration::from_secs(1);
/// Ticks between two looks at how the terminal stands, when nothing else asks for one.
const TICKS_A_LOOK: u32 = 5;
/// Wait before terminal set-up by command line is tried again without an answer.
const ENROL_AGAIN: Duration = Duration::from_secs(10);

/// Why there is no window.
#[derive(Debug, thiserror::Error)]
pub enum NoWindow {
    #[error("{0}. Without a display, run it with --headless")]
    Platform(#[from] PlatformError),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("the window's event loop ended early: {0}")]
    EventLoop(#[from] slint::EventLoopError),
}

enum Input {
    Act(Act),
    Tick,
    Reply { generation: u64, request: RequestId, reply: Reply },
    Status(Box<StatusSnapshot>),
    Store(StoreReport),
}

type Inputs = mpsc::UnboundedSender<Input>;

/// Opens the window and runs until it is closed.
pub fn run(held: Held, run: &Run) -> Result<(), NoWindow> {
    let window = Window::open()?;
    let (inputs, mut queue) = mpsc::unbounded_channel();
    let report = {
        let inputs = inputs.clone();
        move |report| put(&inputs, Input::Store(report))
    };
    let (store, thread) = Store::start(move || held.open(), report)?;
    let server = Server::start(&store, run, inputs.clone())?;
    let drawing = Drawing::start()?;

    let acts = inputs.clone();
    window.on_act(move |act| put(&acts, Input::Act(act)));
    let ticks = inputs.clone();
    let timer = Timer::default();
    timer.start(TimerMode::Repeated, TICK, move || put(&ticks, Input::Tick));

    let settings = settings(&window, run);
    let stage = Rc::new(RefCell::new(Stage::new(window, store, server, drawing, inputs, settings)));
    stage.borrow_mut().appear(run)?;
    let playing = stage.clone();
    let play = slint::spawn_local(async move {
        while let Some(input) = queue.recv().await {
            playing.borrow_mut().handle(input);
            // Whatever waits already is taken in before anything is drawn.
            while let Ok(input) = queue.try_recv() {
                playing.borrow_mut().handle(input);
            }
            playing.borrow_mut().show();
        }
    })?;
    slint::run_event_loop()?;

    play.abort();
    drop(timer);
    // The last hands on the store: its thread finishes what it does and ends.
    stage.borrow_mut().leave();
    drop(stage);
    let _ = thread.join();
    Ok(())
}

fn settings(window: &Window, run: &Run) -> Settings {
    let mut languages = window.languages();
    // The terminal's own first.
    languages.sort_by_key(|language| *language != run.language);
    let server = run.server.clone().unwrap_or_default();
    Settings { server, languages, look: run.look.into(), reading: run.reading(), ..Settings::default() }
}

/// Refused only when the kiosk is ending.
fn put(inputs: &Inputs, input: Input) {
    let _ = inputs.send(input);
}

/// The way to the server: its threads, and the wish for a call.
struct Server {
    runtime: Option<tokio::runtime::Runtime>,
    due: Arc<Notify>,
}

impl Server {
    fn start(store: &Store, run: &Run, inputs: Inputs) -> io::Result<Self> {
        let runtime = super::sync_runtime()?;
        let due = Arc::new(Notify::new());
        let looks = Looks::new(store.clone(), inputs);
        runtime.spawn(keep_in_step(store.clone(), run.server.clone(), due.clone(), move |_| looks.look()));
        runtime.spawn(lan::take_part(store.clone(), run.lan(), due.clone()));
        if let (Some(code), Some(url)) = (run.enrol.clone(), run.server.clone()) {
            runtime.spawn(set_up_by_code(store.clone(), url, code, due.clone()));
        }
        Ok(Self { runtime: Some(runtime), due })
    }
}

/// Terminal set-up by command line: a server that doesn't answer is asked again.
async fn set_up_by_code(store: Store, url: String, code: String, due: Arc<Notify>) {
    loop {
        match store.with(|core| core.enrolment().is_some()).await {
            Ok(true) => return,
            Ok(false) => match enrol(&store, &url, &code).await {
                Ok(()) => return due.notify_one(),
                Err(NotSetUp::NotEnrolled(sync_driver::NotEnrolled::NoAnswer(error))) => {
                    tracing::warn!(%error, "terminal set-up waits for the server");
                }
                Err(error) => {
                    return tracing::error!(%error, "terminal set-up was refused, and nothing was kept: ask for a new code");
                }
            },
            Err(_) => {}
        }
        tokio::time::sleep(ENROL_AGAIN).await;
    }
}

/// Looks at how the terminal stands, one look at a time.
#[derive(Clone)]
struct Looks {
    store: Store,
    inputs: Inputs,
    under_way: Arc<AtomicBool>,
}

impl Looks {
    fn new(store: Store, inputs: Inputs) -> Self {
        Self { store, inputs, under_way: Arc::default() }
    }

    fn look(&self) {
        if self.under_way.swap(true, Ordering::AcqRel) {
            return;
        }
        let (inputs, done) = (self.inputs.clone(), Done(self.under_way.clone()));
        self.store.send(move |core| {
            if let Some(snapshot) = look(core) {
                put(&inputs, Input::Status(snapshot));
            }
            drop(done);
        });
    }
}

/// The mark falls with the job, also when a closed store drops it undone.
struct Done(Arc<AtomicBool>);

impl Drop for Done {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

fn look(core: &mut Core) -> Option<Box<StatusSnapshot>> {
    if core.enrolment().is_some()
        && let Err(error) = core.end_overdue_sessions()
    {
        tracing::error!(%error, "overdue task sessions could not be ended");
    }
    match desk::snapshot(core) {
        Ok(snapshot) => Some(Box::new(snapshot)),
        Err(error) => {
            tracing::error!(%error, "how the terminal stands could not be read");
            None
        }
    }
}

/// Presenter and window, and what lies before them while the store is closed.
struct Stage {
    window: Window,
    presenter: Presenter,
    /// Counts presenters: a reply to one before is dropped.
    generation: u64,
    store: Option<Store>,
    server: Server,
    drawing: Drawing,
    looks: Option<Looks>,
    inputs: Inputs,
    moments: Moments,
    settings: Settings,
    /// What is shown instead of the presenter's view: while it stands, nobody gets a GO.
    closed: Option<Trouble>,
    /// As last seen: entries held, and those that wait for the server.
    entries: i32,
    waiting: i32,
    ticks: u32,
}

impl Stage {
    fn new(window: Window, store: Store, server: Server, drawing: Drawing, inputs: Inputs, settings: Settings) -> Self {
        let moments = Moments::default();
        let presenter = presenter(&window, &moments, &settings);
        let looks = Some(Looks::new(store.clone(), inputs.clone()));
        Self {
            window,
            presenter,
            generation: 0,
            store: Some(store),
            server,
            drawing,
            looks,
            inputs,
            moments,
            settings,
            closed: None,
            entries: 0,
            waiting: 0,
            ticks: 0,
        }
    }

    fn appear(&mut self, run: &Run) -> Result<(), PlatformError> {
        self.show();
        self.window.appear(run.windowed.map(|size| (size.0, size.1)))
    }

    fn leave(&mut self) {
        self.looks = None;
        self.store = None;
        if let Some(runtime) = self.server.runtime.take() {
            runtime.shutdown_background();
        }
    }

    fn handle(&mut self, input: Input) {
        match input {
            Input::Act(act) => match &self.closed {
                Some(_) => self.act_while_closed(&act),
                None => self.tell(match act {
                    Act::Tap(id) => Event::Tap(id),
                    Act::Typed { field, text } => Event::Typed { field, text },
                    Act::Key(text) => Event::Key(text),
                }),
            },
            Input::Tick => self.tick(),
            Input::Reply { generation, request, reply } => {
                if generation == self.generation {
                    self.tell(Event::Reply { request, reply });
                }
            }
            Input::Status(snapshot) => {
                self.entries = i32::try_from(snapshot.status.entries).unwrap_or(i32::MAX);
                self.waiting = i32::try_from(snapshot.status.waiting()).unwrap_or(i32::MAX);
                self.tell(Event::Status(snapshot));
            }
            Input::Store(report) => self.handle_report(&report),
        }
    }

    fn tick(&mut self) {
        self.window.fit();
        if self.ticks % TICKS_A_LOOK == 0 {
            self.look();
        }
        self.ticks = self.ticks.wrapping_add(1);
        self.tell(Event::Tick);
    }

    fn look(&self) {
        if let Some(looks) = &self.looks {
            looks.look();
        }
    }

    fn tell(&mut self, event: Event) {
        let now = self.moments.now();
        for command in self.presenter.handle(event, now) {
            self.do_command(command);
        }
    }

    /// Everything is done by the store thread, in order, but what takes long and needs no store: drawing, and terminal set-up, which waits
    /// for the server.
    fn do_command(&self, command: Command) {
        let Some(store) = &self.store else { return };
        let (generation, inputs, request) = (self.generation, self.inputs.clone(), command.request);
        let answer = move |reply| put(&inputs, Input::Reply { generation, request, reply });
        match command.what {
            What::SetUp { code, server } => self.set_up(store.clone(), code, server, answer),
            What::DrawPage { document, page, width } => {
                self.drawing.draw(document, page, width, move |drawn| answer(Reply::Page(drawn)));
            }
            what => {
                let due = self.server.due.clone();
                store.send(move |core| {
                    answer(desk::perform(core, what));
                    due.notify_one();
                });
                self.look();
            }
        }
    }

    fn set_up(&self, store: Store, code: Hidden, url: String, answer: impl FnOnce(Reply) + Send + 'static) {
        let Some(runtime) = &self.server.runtime else { return };
        let due = self.server.due.clone();
        runtime.spawn(async move {
            let reply = match enrol(&store, &url, &code.0).await {
                Ok(()) => store.with(enrolled).await.unwrap_or(Reply::NotEnrolled(NotEnrolled::NoNetwork)),
                Err(error) => {
                    tracing::warn!(%error, "terminal set-up");
                    Reply::NotEnrolled(why_not(&error))
                }
            };
            answer(reply);
            due.notify_one();
        });
    }

    /// A closed store closes the gate, whoever was in the middle of what. Once it is open, the terminal begins anew: nobody is badged in.
    fn handle_report(&mut self, report: &StoreReport) {
        let (fault, code) = match report {
            StoreReport::Opened => {
                self.look();
                return;
            }
            StoreReport::NotOpened(why) => fault_of(why),
            StoreReport::Panicked => (Fault::InternalError, "STORE-STOPPED"),
        };
        self.closed = Some(Trouble {
            fault,
            code: code.into(),
            kept: if fault == Fault::DamagedDatabase { self.entries } else { self.waiting },
            since: chrono::Local::now().format("%H:%M").to_string(),
            next: NextStep::TryAgain,
        });
        self.generation += 1;
        self.presenter = presenter(&self.window, &self.moments, &self.settings);
    }

    fn act_while_closed(&mut self, act: &Act) {
        if *act != Act::Tap("next".into()) {
            return;
        }
        self.closed = None;
        if let Some(store) = &self.store {
            // Does nothing to a store that has opened by itself; else the report says how it went.
            store.open_again();
        }
        self.look();
    }

    fn show(&mut self) {
        match &self.closed {
            None => self.window.show(&self.presenter.view()),
            Some(trouble) => {
                let View { language, look, chrome, .. } = self.presenter.view();
                let trouble = trouble.clone();
                self.window.show(&View { screen: Screen::Fault, language, look, chrome, trouble, ..View::default() });
            }
        }
    }
}

/// A presenter with nobody badged in.
fn presenter(window: &Window, moments: &Moments, settings: &Settings) -> Presenter {
    let mut presenter = Presenter::new(moments.now(), settings.clone());
    presenter.set_pager(window.pager());
    presenter
}

fn enrolled(core: &mut Core) -> Reply {
    let (terminal, units) = match core.enrolment() {
        Some(enrolment) => (enrolment.name.to_string(), enrolment.work_units.clone()),
        None => (String::new(), Vec::new()),
    };
    let names: Vec<String> = units.iter().map(ToString::to_string).collect();
    Reply::Enrolled { terminal, work_units: names.join(" · ") }
}

fn why_not(error: &NotSetUp) -> NotEnrolled {
    match error {
        NotSetUp::NotEnrolled(sync_driver::NotEnrolled::WrongCode) => NotEnrolled::WrongCode,
        NotSetUp::NotEnrolled(sync_driver::NotEnrolled::Expired | sync_driver::NotEnrolled::Used) => {
            NotEnrolled::Expired
        }
        NotSetUp::NotEnrolled(sync_driver::NotEnrolled::NoAnswer(NoAnswer::Foreign)) | NotSetUp::NotTaken(_) => {
            NotEnrolled::ForeignCertificate
        }
        NotSetUp::NotEnrolled(sync_driver::NotEnrolled::NoAnswer(_)) | NotSetUp::StoreGone(_) => NotEnrolled::NoNetwork,
    }
}

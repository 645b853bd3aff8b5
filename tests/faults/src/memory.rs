//! The memory that SQLite is given: the machine's own, refused to a thread that was told so.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

use rusqlite::ffi::{self, sqlite3_mem_methods};

/// What SQLite would call by itself.
static MACHINE: OnceLock<Machine> = OnceLock::new();

struct Machine {
    malloc: unsafe extern "C" fn(c_int) -> *mut c_void,
    realloc: unsafe extern "C" fn(*mut c_void, c_int) -> *mut c_void,
}

#[derive(Debug, Clone, Copy, Default)]
struct Plan {
    /// Requests since the plan was made.
    counted: u64,
    /// The first request that is refused, counted from 1; none while 0.
    nth: u64,
    /// Whether all after it are refused too.
    lasting: bool,
    refused: u64,
}

thread_local! {
    static PLAN: Cell<Plan> = const { Cell::new(Plan { counted: 0, nth: 0, lasting: false, refused: 0 }) };
}

/// Stands between SQLite and the machine's memory, for good. It has to come before SQLite is used at all in this process.
pub fn install() {
    let mut methods = sqlite3_mem_methods {
        xMalloc: None,
        xFree: None,
        xRealloc: None,
        xSize: None,
        xRoundup: None,
        xInit: None,
        xShutdown: None,
        pAppData: std::ptr::null_mut(),
    };
    // SAFETY: SQLite fills the methods, and copies them when it takes them back. Small requests are not served from a connection's own store, or
    // they would never be refused: the two zeros.
    unsafe {
        let known = ffi::sqlite3_config(ffi::SQLITE_CONFIG_GETMALLOC, &raw mut methods);
        assert_eq!(known, ffi::SQLITE_OK, "SQLite says which memory it uses");
        let machine = methods.xMalloc.zip(methods.xRealloc).map(|(malloc, realloc)| Machine { malloc, realloc });
        MACHINE.get_or_init(|| machine.expect("SQLite has memory"));
        methods.xMalloc = Some(malloc);
        methods.xRealloc = Some(realloc);
        let taken = ffi::sqlite3_config(ffi::SQLITE_CONFIG_MALLOC, &raw mut methods);
        assert_eq!(taken, ffi::SQLITE_OK, "SQLite takes our memory, for it was not used before");
        let direct = ffi::sqlite3_config(ffi::SQLITE_CONFIG_LOOKASIDE, 0 as c_int, 0 as c_int);
        assert_eq!(direct, ffi::SQLITE_OK, "SQLite asks us for every piece");
    }
}

/// Refuses this thread's `nth` request from here on, and all after it when `lasting`. With 0 they are counted only.
pub fn refuse(nth: u64, lasting: bool) {
    PLAN.set(Plan { nth, lasting, ..Plan::default() });
}

/// Gives memory again. How many requests there were since [`refuse`], and how many of them were refused.
pub fn obey() -> (u64, u64) {
    let Plan { counted, refused, .. } = PLAN.take();
    (counted, refused)
}

fn is_refused() -> bool {
    let mut plan = PLAN.get();
    plan.counted += 1;
    let refused = plan.nth > 0 && if plan.lasting { plan.counted >= plan.nth } else { plan.counted == plan.nth };
    plan.refused += u64::from(refused);
    PLAN.set(plan);
    refused
}

// SAFETY, for both: SQLite calls them as it would call the machine's, whose arguments and answers they pass on.

unsafe extern "C" fn malloc(bytes: c_int) -> *mut c_void {
    match MACHINE.get() {
        Some(machine) if !is_refused() => unsafe { (machine.malloc)(bytes) },
        _ => std::ptr::null_mut(),
    }
}

unsafe extern "C" fn realloc(piece: *mut c_void, bytes: c_int) -> *mut c_void {
    match MACHINE.get() {
        Some(machine) if !is_refused() => unsafe { (machine.realloc)(piece, bytes) },
        _ => std::ptr::null_mut(),
    }
}

//! The file system that SQLite is given: the machine's own, and a [`Disk`] that hears of every call on watched files and may refuse it.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once, PoisonError};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs};

use crate::disk::{Call, Disk, Op, Refusal};

static WATCHED: Mutex<Vec<Arc<Disk>>> = Mutex::new(Vec::new());
static INSTALLED: Once = Once::new();

/// Watches a folder from here on: databases below it that are opened later.
pub fn watch(folder: &Path) -> Arc<Disk> {
    INSTALLED.call_once(install);
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let disk = Arc::new(Disk::new(folder));
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner).push(disk.clone());
    disk
}

/// An open file: ours first, the machine's behind it in the same memory.
#[repr(C)]
struct File {
    base: sqlite3_file,
    watched: *mut Watched,
}

struct Watched {
    disk: Arc<Disk>,
    name: String,
    /// It is open for reading alone.
    only_read: bool,
}

fn install() {
    // SAFETY: the machine's file system lives as long as the process; its functions but two are used as they are, with our own object, of
    // which they read nothing beyond what was copied.
    unsafe {
        let machine = ffi::sqlite3_vfs_find(std::ptr::null());
        assert!(!machine.is_null(), "SQLite has a file system");
        let mut ours = *machine;
        ours.iVersion = 2;
        ours.szOsFile += c_int::try_from(size_of::<File>()).expect("a file's head is small");
        ours.pNext = std::ptr::null_mut();
        ours.zName = c"heard".as_ptr();
        ours.pAppData = machine.cast();
        ours.xOpen = Some(open);
        ours.xDelete = Some(delete);
        let done = ffi::sqlite3_vfs_register(Box::leak(Box::new(ours)), 1);
        assert_eq!(done, ffi::SQLITE_OK, "the file system is registered");
    }
}

/// # Safety
/// `ours` is the object made in [`install`].
unsafe fn machine(ours: *mut sqlite3_vfs) -> *mut sqlite3_vfs {
    // SAFETY: as promised by the caller.
    unsafe { (*ours).pAppData.cast() }
}

/// # Safety
/// `file` was opened by [`open`].
unsafe fn behind(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: the memory is as long as `szOsFile` says.
    unsafe { file.cast::<u8>().add(size_of::<File>()).cast() }
}

/// # Safety
/// `name` is null or a string that ends.
unsafe fn watched(name: *const c_char) -> Option<Watched> {
    if name.is_null() {
        return None;
    }
    // SAFETY: as promised by the caller.
    let path = PathBuf::from(unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned());
    let all = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
    all.iter().find_map(|disk| Some(Watched { name: disk.name_of(&path)?, disk: disk.clone(), only_read: false }))
}

fn code(call: Call, refusal: Refusal) -> c_int {
    match (refusal, call) {
        (Refusal::Full, _) => ffi::SQLITE_FULL,
        (Refusal::ReadOnly, _) => ffi::SQLITE_READONLY,
        (Refusal::Fails, Call::Open) => ffi::SQLITE_CANTOPEN,
        (Refusal::Fails, Call::Read) => ffi::SQLITE_IOERR_READ,
        (Refusal::Fails, Call::Write) => ffi::SQLITE_IOERR_WRITE,
        (Refusal::Fails, Call::Truncate) => ffi::SQLITE_IOERR_TRUNCATE,
        (Refusal::Fails, Call::Sync) => ffi::SQLITE_IOERR_FSYNC,
        (Refusal::Fails, Call::Size) => ffi::SQLITE_IOERR_FSTAT,
        (Refusal::Fails, Call::Delete) => ffi::SQLITE_IOERR_DELETE,
        (Refusal::Fails, Call::Lock) => ffi::SQLITE_IOERR_LOCK,
        (Refusal::Fails, Call::Shared) => ffi::SQLITE_IOERR_SHMMAP,
    }
}

/// The flags of whoever may only read: what isn't there is not made.
fn for_reading(flags: c_int) -> c_int {
    let writing = ffi::SQLITE_OPEN_READWRITE
        | ffi::SQLITE_OPEN_CREATE
        | ffi::SQLITE_OPEN_EXCLUSIVE
        | ffi::SQLITE_OPEN_DELETEONCLOSE;
    flags & !writing | ffi::SQLITE_OPEN_READONLY
}

unsafe extern "C" fn open(
    ours: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives `szOsFile` bytes, and a name that ends.
    unsafe {
        let head = file.cast::<File>();
        (*head).base.pMethods = std::ptr::null();
        (*head).watched = std::ptr::null_mut();
        let mut watched = watched(name);
        let flags = match watched.as_ref().and_then(|watched| watched.disk.refuses(Call::Open)) {
            None => flags,
            Some(Refusal::ReadOnly) => for_reading(flags),
            Some(refusal) => return code(Call::Open, refusal),
        };
        if let Some(watched) = watched.as_mut() {
            watched.only_read = flags & ffi::SQLITE_OPEN_READONLY != 0;
        }
        let machine = machine(ours);
        let Some(really) = (*machine).xOpen else { return ffi::SQLITE_CANTOPEN };
        let done = really(machine, name, behind(file), flags, out);
        if done == ffi::SQLITE_OK {
            (*head).watched = watched.map_or(std::ptr::null_mut(), |watched| Box::into_raw(Box::new(watched)));
            (*head).base.pMethods = &raw const METHODS;
        }
        done
    }
}

unsafe extern "C" fn delete(ours: *mut sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: SQLite gives a name that ends.
    unsafe {
        let watched = watched(name);
        if let Some(refusal) = watched.as_ref().and_then(|watched| watched.disk.refuses(Call::Delete)) {
            return code(Call::Delete, refusal);
        }
        let machine = machine(ours);
        let Some(really) = (*machine).xDelete else { return ffi::SQLITE_IOERR_DELETE };
        let done = really(machine, name, sync);
        if let Some(watched) = watched.filter(|_| done == ffi::SQLITE_OK) {
            watched.disk.happened(Op::Delete { file: watched.name, durable: sync != 0 });
        }
        done
    }
}

/// Asks the disk, passes the call on, tells the disk.
///
/// # Safety
/// `file` was opened by [`open`]; `really` makes the call on the file it is given.
unsafe fn pass(
    file: *mut sqlite3_file,
    call: Option<Call>,
    op: impl FnOnce(String) -> Option<Op>,
    really: impl FnOnce(*mut sqlite3_file, &sqlite3_io_methods) -> Option<c_int>,
) -> c_int {
    // SAFETY: as promised by the caller.
    let (watched, behind, methods) = unsafe {
        let behind = behind(file);
        ((*file.cast::<File>()).watched.as_ref(), behind, &*(*behind).pMethods)
    };
    if let (Some(watched), Some(call)) = (watched, call)
        && let Some(refusal) = watched.disk.refuses(call)
    {
        return code(call, refusal);
    }
    let done = really(behind, methods).unwrap_or(ffi::SQLITE_IOERR);
    if let Some(watched) = watched.filter(|_| done == ffi::SQLITE_OK)
        && let Some(op) = op(watched.name.clone())
    {
        watched.disk.happened(op);
    }
    done
}

fn nothing(_: String) -> Option<Op> {
    None
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

// SAFETY, for all that follow: SQLite calls them with a file that `open` opened and buffers as long as it says.

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    unsafe {
        let done = pass(file, None, nothing, |behind, methods| Some((methods.xClose?)(behind)));
        let watched = std::mem::replace(&mut (*file.cast::<File>()).watched, std::ptr::null_mut());
        if !watched.is_null() {
            drop(Box::from_raw(watched));
        }
        done
    }
}

unsafe extern "C" fn read(file: *mut sqlite3_file, into: *mut c_void, amount: c_int, at: sqlite3_int64) -> c_int {
    unsafe { pass(file, Some(Call::Read), nothing, |behind, methods| Some((methods.xRead?)(behind, into, amount, at))) }
}

unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, amount: c_int, at: sqlite3_int64) -> c_int {
    unsafe {
        let bytes = std::slice::from_raw_parts(from.cast::<u8>(), usize::try_from(amount).unwrap_or(0));
        let op = |file| Some(Op::Write { file, at: u64::try_from(at).ok()?, bytes: bytes.to_vec() });
        pass(file, Some(Call::Write), op, |behind, methods| Some((methods.xWrite?)(behind, from, amount, at)))
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    unsafe {
        let op = |file| Some(Op::Truncate { file, size: u64::try_from(size).ok()? });
        pass(file, Some(Call::Truncate), op, |behind, methods| Some((methods.xTruncate?)(behind, size)))
    }
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    unsafe {
        let op = |file| Some(Op::Sync { file });
        pass(file, Some(Call::Sync), op, |behind, methods| Some((methods.xSync?)(behind, flags)))
    }
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, size: *mut sqlite3_int64) -> c_int {
    unsafe { pass(file, Some(Call::Size), nothing, |behind, methods| Some((methods.xFileSize?)(behind, size))) }
}

unsafe extern "C" fn lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    unsafe { pass(file, Some(Call::Lock), nothing, |behind, methods| Some((methods.xLock?)(behind, level))) }
}

unsafe extern "C" fn unlock(file: *mut sqlite3_file, level: c_int) -> c_int {
    unsafe { pass(file, None, nothing, |behind, methods| Some((methods.xUnlock?)(behind, level))) }
}

unsafe extern "C" fn check_reserved_lock(file: *mut sqlite3_file, out: *mut c_int) -> c_int {
    unsafe { pass(file, None, nothing, |behind, methods| Some((methods.xCheckReservedLock?)(behind, out))) }
}

unsafe extern "C" fn file_control(file: *mut sqlite3_file, what: c_int, argument: *mut c_void) -> c_int {
    unsafe { pass(file, None, nothing, |behind, methods| Some((methods.xFileControl?)(behind, what, argument))) }
}

unsafe extern "C" fn sector_size(file: *mut sqlite3_file) -> c_int {
    unsafe { pass(file, None, nothing, |behind, methods| Some((methods.xSectorSize?)(behind))) }
}

unsafe extern "C" fn device_characteristics(file: *mut sqlite3_file) -> c_int {
    unsafe { pass(file, None, nothing, |behind, methods| Some((methods.xDeviceCharacteristics?)(behind))) }
}

/// Whoever may only read makes no memory to share: SQLite keeps to itself what it needs of it then, and locks what nobody else has.
///
/// # Safety
/// `file` was opened by [`open`].
unsafe fn is_only_read(file: *mut sqlite3_file) -> bool {
    // SAFETY: as promised by the caller.
    unsafe { (*file.cast::<File>()).watched.as_ref().is_some_and(|watched| watched.only_read) }
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    page: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    unsafe {
        if is_only_read(file) {
            return ffi::SQLITE_READONLY_CANTINIT;
        }
        pass(file, Some(Call::Shared), nothing, |behind, methods| {
            Some((methods.xShmMap?)(behind, page, size, extend, out))
        })
    }
}

unsafe extern "C" fn shm_lock(file: *mut sqlite3_file, offset: c_int, n: c_int, flags: c_int) -> c_int {
    unsafe {
        if is_only_read(file) {
            return ffi::SQLITE_OK;
        }
        pass(file, None, nothing, |behind, methods| Some((methods.xShmLock?)(behind, offset, n, flags)))
    }
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    unsafe {
        pass(file, None, nothing, |behind, methods| {
            (methods.xShmBarrier?)(behind);
            Some(ffi::SQLITE_OK)
        });
    }
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, delete: c_int) -> c_int {
    unsafe { pass(file, None, nothing, |behind, methods| Some((methods.xShmUnmap?)(behind, delete))) }
}

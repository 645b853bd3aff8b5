#![doc = include_str!("../../docs/sync.md")]

pub mod backoff;
pub mod bundle;
mod envelope;
mod intake;
pub mod message;
pub mod order;
pub mod scope;
pub mod server;
pub mod shape;
pub mod store;
pub mod terminal;

pub use bundle::{BadBundle, Manifest};
pub use intake::read_enrolment;
pub use message::{BadMessage, Down, Give, Have, Up, Want};
pub use order::{Cursor, OrderHead, Segment, SignedHead, Step};
pub use server::{Answer, Server};
pub use shape::{Shape, missing, shape};
pub use store::{BoxMark, BoxRow, Boxes, Marks, Replica, ServerShelf, TerminalShelf};
pub use terminal::{Event, Identity, Terminal};

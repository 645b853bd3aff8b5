//! Play scripts: a person's acts, one a line, played against real kiosks and a real server (`docs/play.md` is the language's manual).
//!
//! Read: [`script`] (text → acts, or every mistake with line and column; pure) → [`run`] (acts on the harness's stage) → [`screen`] (what
//! there is to see) → [`office`] (the people at the server whom a script needs and doesn't name).

mod line;
pub mod office;
pub mod run;
pub mod screen;
pub mod script;
#[cfg(test)]
mod tests;

pub use run::{Options, Outcome, Report, play};
pub use script::{Mistake, Script, parse};

//! Writing what the server holds in forms that others read.

pub mod cell;
pub mod plant;

//! Writing what the server holds in forms that others read.

pub mod plant;

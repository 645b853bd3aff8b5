//! Lineproof's server: merges the kiosks' entries into the training record and answers for it.
//!
//! It never decides by itself what an entry means (that is `shared`), and never knows a kiosk's insides. Read: [`core`] (every act, as one
//! durable step) → [`store`] (tables beside the entries) → [`import`], [`export`]; then the
//! edge around it: [`router`] (every address) → [`api`], [`dashboard`]; [`serve`], [`tls`], [`access`]; [`cli`].
#![forbid(unsafe_code)]

pub mod access;
pub mod admission;
pub mod api;
pub mod cli;
pub mod config;
pub mod core;
pub mod dashboard;
pub mod error;
pub mod export;
pub mod import;
pub mod router;
pub mod serve;
pub mod store;
pub mod tls;

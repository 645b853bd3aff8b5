//! Lineproof's kiosk: GO or NO-GO at the machine, training and sign-offs on the floor, with or without a network.
//!
//! Read: [`presenter`] (what a person does and sees; pure) → [`core`] (every act as one durable step over the kiosk's store) →
//! [`store`] (tables beside the entries) → [`key_store`] (what lies outside the data folder) → [`sync_driver`] (the exchange over HTTPS) →
//! [`lan`] (other kiosks, when the server is away) → [`stick`] and [`bundle_file`] (where no network reaches).
//! A running kiosk: [`config`] (the command line) → [`runtime`] (its threads) → `window` (the screen, with the feature of that name) or
//! [`headless`] (without one). A kiosk that leaves for good: [`retire`].
//! The rules themselves are in `shared`; the words on the screens are in `kiosk-ui`.
#![forbid(unsafe_code)]

pub mod acts;
pub mod bundle_file;
pub mod clock;
pub mod config;
pub mod core;
pub mod desk;
pub mod headless;
pub mod key_store;
pub mod lan;
pub mod pdf;
pub mod presenter;
pub mod retire;
pub mod runtime;
pub mod self_test;
pub mod stick;
pub mod storage;
pub mod store;
pub mod sync_driver;
pub mod trust;
#[cfg(feature = "window")]
pub mod window;

//! The presenter without a window and without a store: a scripted kiosk answers.

mod floor;
mod help;
mod no_badge;
mod pace;
mod people;
mod profiles;
mod records;
mod script;
mod signing;
mod stick;
mod story;
mod terminal;

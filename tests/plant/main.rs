//! Scenarios, a file each. A test bears the id of the requirement it shows.

mod import;
mod main_job;

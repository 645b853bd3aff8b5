//! Scenarios, a file each. A test bears the id of the requirement it shows.

mod altered;
mod any_day;
mod bad_input;
mod badges;
mod day_pass;
mod devices;
mod documents;
mod floor;
mod growth;
mod import;
mod islands;
mod lan;
mod lockout;
mod main_job;
mod misread;
mod orders;
mod others_bugs;
mod past;
mod people;
mod peppers;
mod profiles;
mod restore;
mod scripts;
mod sites;
mod stolen;
#[cfg(feature = "tpm")]
mod tpm;
mod trail;
mod versions;
mod ways_to_go;

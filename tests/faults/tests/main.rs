//! Faults below the stores, tried on the stores' own code. How often is said by the environment; by default a little.

mod at_work;
mod clocks;
mod full_disk;
mod guesses;
mod house;
mod io_errors;
mod kill;
mod lossy_lines;
mod network_cuts;
mod power_cuts;
mod programs;
mod retire;
mod revoke;
mod turned;

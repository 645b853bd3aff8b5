//! Faults below the stores, tried on the stores' own code. How often is said by the environment; by default a little.

mod io_errors;
mod power_cuts;

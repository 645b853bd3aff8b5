//! What the server is told at its start: where it listens, by which names it is called, how much it takes on.
//!
//! Each setting has a default and a unit, and says who loses when it is wrong. A file (`DIR/config.toml`) may set them; the command line
//! comes after the file.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use serde::{Deserialize, Serialize};
use shared::part11::boxes::Stretching;

/// The settings of one running server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where it listens. Wrong: kiosks don't reach it and go on by themselves.
    pub listen: SocketAddr,
    /// Further host names or addresses for its certificate. One missing: kiosks and browsers refuse that address.
    pub names: Vec<String>,
    /// Most connections at a time; a kiosk holds two. Too few: kiosks wait; too many: memory.
    pub connections: usize,
    /// Most connections from one address (IPv6: one /64). Too few behind an address-translating router: kiosks wait.
    pub connections_per_address: usize,
    /// Seconds until a request's header has to be here, and until a connection that says nothing is closed.
    pub header_seconds: u64,
    /// Longest silence within a body, in seconds. Too few: a line with losses is cut off.
    pub body_seconds: u64,
    /// Longest time in which a reader takes nothing of an answer, in seconds. Too few: the same.
    pub reader_seconds: u64,
    /// Seconds until a request has to be answered. Too few: large exchanges on slow lines never end.
    pub request_seconds: u64,
    /// Seconds for the upload of one evidence file.
    pub upload_seconds: u64,
    /// Memory for bodies that are being received, in MiB; an address may have half of it, and the largest file is 50 MiB. Too little: kiosks are
    /// told to come again later; too much: memory under a flood.
    pub body_mib: u64,
    /// Calls of kiosks in work at a time; each may take some 40 MiB when it is full. One writes at a time anyway.
    pub calls_at_a_time: usize,
    /// Calls from one address that are in work or wait for it. Too few behind an address-translating router: kiosks come again later.
    pub calls_per_address: usize,
    /// Seconds that a call waits for its turn before its kiosk is told to come again.
    pub turn_seconds: u64,
    /// Calls that one kiosk may make at once, and a second after that. Too few: a new kiosk fetches its history slowly.
    pub calls_at_once: u32,
    pub calls_per_second: u32,
    /// Wrong codes, tokens or secrets that one address may try in a minute. Too few locks out people who mistype.
    pub wrong_per_minute: usize,
    /// Minutes without a call after which the dashboard shows a kiosk as silent.
    pub silent_minutes: u32,
    /// What stretching a secret costs when a key is made here; for tests only is it anything else.
    #[serde(skip)]
    pub stretching: Stretching,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8443)),
            names: Vec::new(),
            connections: 1024,
            connections_per_address: 64,
            header_seconds: 10,
            body_seconds: 10,
            reader_seconds: 30,
            request_seconds: 30,
            upload_seconds: 300,
            body_mib: 128,
            calls_at_a_time: 4,
            calls_per_address: 8,
            turn_seconds: 15,
            calls_at_once: 120,
            calls_per_second: 10,
            wrong_per_minute: 5,
            silent_minutes: 30,
            stretching: Stretching::NORMAL,
        }
    }
}

/// Why the settings can't be read.
#[derive(Debug, thiserror::Error)]
pub enum BadConfig {
    #[error("the settings in {file} can't be read: {why}")]
    Unreadable { file: String, why: std::io::Error },
    #[error("the settings in {file} are not right: {why}")]
    Wrong { file: String, why: toml::de::Error },
}

impl Config {
    /// For tests and demos: this machine only, a port the system picks.
    pub fn local() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), ..Self::default() }
    }

    /// The settings of a data folder: its `config.toml`, or the file named instead; the defaults where there is none.
    pub fn load(data: &Path, file: Option<&Path>) -> Result<Self, BadConfig> {
        let path = file.map_or_else(|| data.join("config.toml"), Path::to_owned);
        let named = path.display().to_string();
        match std::fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text).map_err(|why| BadConfig::Wrong { file: named, why }),
            Err(why) if why.kind() == std::io::ErrorKind::NotFound && file.is_none() => Ok(Self::default()),
            Err(why) => Err(BadConfig::Unreadable { file: named, why }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_over_the_defaults_and_misspelt_ones_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Config::load(folder.path(), None).unwrap().connections, 1024);
        std::fs::write(folder.path().join("config.toml"), "listen = \"127.0.0.1:9000\"\nsilent_minutes = 5\n").unwrap();
        let config = Config::load(folder.path(), None).unwrap();
        assert_eq!((config.listen.port(), config.silent_minutes, config.connections), (9000, 5, 1024));
        std::fs::write(folder.path().join("config.toml"), "silent_hours = 5\n").unwrap();
        assert!(Config::load(folder.path(), None).unwrap_err().to_string().contains("silent_hours"));
        assert!(Config::load(folder.path(), Some(Path::new("/nowhere/x.toml"))).is_err());
    }
}

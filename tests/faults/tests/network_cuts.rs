//! A real network that is cut and mended under the programs as they are shipped: a server and two kiosks, each in a network namespace of its
//! own, joined by a switch. Work goes on at the kiosks; what was shown as done is there, and once the lines hold, everything is at the server.
//!
//! `LINEPROOF_CUTS` says how often; by default ten times with kiosks that know each other, and ten times with kiosks that don't. The last cut takes
//! the server away until every kiosk says so.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use sim::rng::Rng;
use sync_server::core::Machine;

use crate::at_work::{AtWork, everything_is_there};
use crate::house::asked;
use crate::kill::{Done, another_code, prepare};
use crate::programs::*;

/// Who is plugged into the switch, each by a line that is named after it, and the last part of its address.
const ENDS: [(&str, u8); 3] = [("server", 1), ("K3", 3), ("K5", 5)];
const KIOSKS: [&str; 2] = ["K3", "K5"];
/// The longest until a kiosk says that its server isn't to be reached: as long as a call may take, and what it had begun before.
const UNTIL_OFFLINE: Duration = Duration::from_secs(90);
fn address(last: u8) -> String {
    format!("10.77.0.{last}")
}

/// Lines between namespaces that nobody else uses, gone with this.
struct Network {
    /// What the names of its namespaces begin with.
    name: String,
}

impl Network {
    /// Nothing where this process may not make one.
    fn new(which: &str) -> Option<Self> {
        let network = Self { name: format!("lineproof-{}-{which}", std::process::id()) };
        if let Err(why) = network.lay() {
            println!("SKIPPED (no network can be made here: {why}): lines that are cut");
            return None;
        }
        Some(network)
    }

    fn space(&self, end: &str) -> String {
        format!("{}-{end}", self.name)
    }

    fn lay(&self) -> Result<(), String> {
        let switch = self.space("switch");
        ip(&["netns", "add", &switch])?;
        ip(&["-n", &switch, "link", "add", "bridge", "type", "bridge"])?;
        ip(&["-n", &switch, "link", "set", "bridge", "up"])?;
        for (end, last) in ENDS {
            let space = self.space(end);
            ip(&["netns", "add", &space])?;
            ip(&["-n", &switch, "link", "add", end, "type", "veth", "peer", "name", "line", "netns", &space])?;
            ip(&["-n", &switch, "link", "set", end, "master", "bridge", "up"])?;
            ip(&["-n", &space, "address", "add", &format!("{}/24", address(last)), "dev", "line"])?;
            ip(&["-n", &space, "link", "set", "line", "up"])?;
            ip(&["-n", &space, "link", "set", "lo", "up"])?;
        }
        Ok(())
    }

    fn set(&self, end: &str, state: &str) {
        ip(&["-n", &self.space("switch"), "link", "set", end, state]).unwrap();
    }

    /// What leads to a program at that end.
    fn command(&self, end: &str, name: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.space(end)]).arg(program(name));
        command
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for end in ENDS.map(|(end, _)| end).into_iter().chain(["switch"]) {
            // One that could not be made is not there.
            let _ = ip(&["netns", "delete", &self.space(end)]);
        }
    }
}

fn ip(arguments: &[&str]) -> Result<(), String> {
    let done = Command::new("ip").args(arguments).output().map_err(|why| format!("ip: {why}"))?;
    let said = || format!("ip {}: {}", arguments.join(" "), String::from_utf8_lossy(&done.stderr).trim());
    if done.status.success() { Ok(()) } else { Err(said()) }
}

/// Cuts one line, lets people work at both kiosks, mends it, and lets them work on. How often somebody started at a kiosk that was cut off.
fn cut(network: &Network, kiosks: &mut [AtWork], chance: &mut Rng) -> u64 {
    let mut starts = 0;
    let up_to = |ms: usize, chance: &mut Rng| sleep(Duration::from_millis(chance.below(ms) as u64));
    up_to(300, chance);
    let (end, _) = ENDS[chance.below(ENDS.len())];
    network.set(end, "down");
    for work in kiosks.iter_mut() {
        let is_cut = end == "server" || end == work.name;
        for _ in 0..=chance.below(3) {
            let status = work.start();
            if is_cut {
                assert_ne!(status["waiting"], 0, "{}: it is confirmed over a line that is cut: {status}", work.name);
                starts += 1;
            }
        }
    }
    up_to(1500, chance);
    network.set(end, "up");
    for work in kiosks.iter_mut() {
        work.start();
    }
    up_to(700, chance);
    starts
}

/// Takes the server away until the kiosks say so, where they stand in the middle of whatever they do; how long that took.
fn away(network: &Network, kiosks: &mut [AtWork]) -> Duration {
    network.set("server", "down");
    let began = Instant::now();
    for work in kiosks.iter_mut() {
        work.start();
    }
    for work in kiosks.iter_mut() {
        while work.kiosk.act("tap beside").unwrap()["status"]["line"] != "offline" {
            assert!(began.elapsed() < UNTIL_OFFLINE, "{}: it doesn't say that the server is away", work.name);
            sleep(Duration::from_millis(200));
        }
        work.start();
    }
    let took = began.elapsed();
    network.set("server", "up");
    took
}

/// The server and both kiosks, each at its end, with a plant.
fn begin(
    network: &Network,
    folder: &Path,
    lan: impl Fn(&str) -> Vec<String>,
    around: &Surroundings,
) -> (ServerProgram, Vec<AtWork>) {
    let data = folder.join("server");
    let first = prepare(&data, Arc::new(Machine));
    let second = another_code(&data, "K5");
    let listen = format!("{}:8443", address(ENDS[0].1));
    let server = ServerProgram::run(network.command("server", "sync-server"), &data, &listen, around);
    let mut kiosks: Vec<AtWork> = Vec::new();
    for (name, code) in KIOSKS.into_iter().zip([first, second]) {
        let mut command = network.command(name, "kiosk");
        command.args(lan(name));
        let url = format!("https://{listen}");
        let mut kiosk = KioskProgram::run(command, folder, name, &url, Some(&code), around);
        kiosk.until("a plant", |status| status["entries"].as_u64() > Some(100));
        kiosks.push(AtWork { name, kiosk, done: Done::default() });
    }
    (server, kiosks)
}

fn cuts(which: &str, lan: impl Fn(&str) -> Vec<String>) {
    let (cuts, seed) = (asked("LINEPROOF_CUTS", 10), asked("LINEPROOF_SEED", 1));
    let Some(network) = Network::new(which) else { return };
    let home = tempfile::tempdir().unwrap();
    let (folder, around) = (home.path(), Surroundings::default());
    let (mut server, mut kiosks) = begin(&network, folder, lan, &around);
    let mut chance = Rng::new(seed);
    let starts: u64 = (0..cuts).map(|_| cut(&network, &mut kiosks, &mut chance)).sum();
    let offline = away(&network, &mut kiosks);
    let longest = kiosks.iter_mut().map(AtWork::until_quiet).max().unwrap();
    everything_is_there(folder, &mut kiosks, &mut server, &around);
    let verdicts: usize = kiosks.iter().map(|work| work.done.verdicts.len()).sum();
    println!(
        "{{\"name\":\"network-cuts\",\"kiosks\":\"{which}\",\"runs\":{cuts},\"violations\":0,\"seed\":{seed},\"verdicts\":{verdicts},\
         \"starts_while_cut\":{starts},\"offline_after_ms\":{},\"longest_wait_ms\":{}}}",
        offline.as_millis(),
        longest.as_millis()
    );
    assert!(cuts < 10 || starts > 0, "nothing was done while a line was cut");
}

#[test]
fn safe1_live1_a_network_that_is_cut_again_and_again_loses_nothing() {
    cuts("alone", |_| vec!["--lan".into(), "off".into()]);
}

#[test]
fn safe1_live1_a_network_that_is_cut_between_kiosks_that_know_each_other_loses_nothing() {
    cuts("together", |name| {
        let others = ENDS.iter().filter(|(end, _)| KIOSKS.contains(end) && *end != name);
        let peers = others.flat_map(|(_, last)| ["--peer".to_owned(), format!("{}:8444", address(*last))]);
        ["--lan", "0.0.0.0:8444", "--no-mdns"].map(str::to_owned).into_iter().chain(peers).collect()
    });
}

#[test]
fn u6_kiosks_that_nobody_told_of_each_other_find_each_other_when_the_server_is_away() {
    let Some(network) = Network::new("found") else { return };
    let home = tempfile::tempdir().unwrap();
    let around = Surroundings::default();
    let lan = |_: &str| vec!["--lan".to_owned(), "0.0.0.0:8444".into()];
    let (mut server, mut kiosks) = begin(&network, home.path(), lan, &around);
    network.set("server", "down");
    let [there, here] = kiosks.as_mut_slice() else { panic!("two kiosks") };
    let before = here.kiosk.until("an answer", |_| true)["entries"].as_u64();
    there.start();
    here.kiosk.until("what happened at the other kiosk", |status| status["entries"].as_u64() > before);
    kiosks.iter_mut().for_each(|work| work.kiosk.running.end());
    server.running.end();
}

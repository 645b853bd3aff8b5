//! A machine's TPM, as a program: Debian's `swtpm` on two ports of loopback, its state in a folder of its own.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Only catches hangs.
const DEADLINE: Duration = Duration::from_secs(20);

/// Ends with this value; its state stays in the folder, as a chip's does when the machine is switched off.
pub struct SoftTpm {
    program: Child,
    /// How it is reached, as `--tpm` takes it.
    pub address: String,
}

impl SoftTpm {
    /// Switches on the chip whose state lies in `folder`; an empty folder is a chip that nobody has used.
    pub fn start(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).expect("a folder can be made");
        let until = Instant::now() + DEADLINE;
        loop {
            let port = two_free_ports();
            let mut program = swtpm(folder, port);
            while program.try_wait().expect("a program can be asked").is_none() {
                // It serves one caller at a time, and its control channel doesn't count as one.
                if TcpStream::connect((Ipv4Addr::LOCALHOST, port + 1)).is_ok() {
                    return Self { program, address: format!("swtpm:host=127.0.0.1,port={port}") };
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            assert!(Instant::now() < until, "swtpm doesn't start: apt-get install swtpm");
        }
    }
}

impl Drop for SoftTpm {
    fn drop(&mut self) {
        // It writes what it keeps as it goes; there is nothing to wait for but its end.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn swtpm(folder: &Path, port: u16) -> Child {
    let address = |port: u16| format!("type=tcp,bindaddr=127.0.0.1,port={port}");
    Command::new("swtpm")
        .args(["socket", "--tpm2", "--flags", "not-need-init,startup-clear"])
        .args(["--tpmstate", &format!("dir={}", folder.display())])
        .args(["--server", &address(port), "--ctrl", &address(port + 1)])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("swtpm is installed: apt-get install swtpm")
}

/// TCG's software takes the port after a chip's own for its control channel.
fn two_free_ports() -> u16 {
    loop {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has ports");
        let port = first.local_addr().expect("it is bound").port();
        if port < u16::MAX && TcpListener::bind((Ipv4Addr::LOCALHOST, port + 1)).is_ok() {
            return port;
        }
    }
}

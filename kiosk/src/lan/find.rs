//! Who makes themselves known in the network segment, by mDNS. What is heard here is an address and nothing else.

use mdns_sd::{Receiver, ServiceDaemon, ServiceEvent, ServiceInfo};
use shared::id::DeviceKey;

const SERVICE: &str = "_lineproof._tcp.local.";

/// Looks for others, and makes this kiosk known.
pub struct Finder {
    daemon: ServiceDaemon,
    heard: Receiver<ServiceEvent>,
}

impl Finder {
    /// `None` where the machine has no way to do so: the list of the settings is left.
    pub fn start(own: &DeviceKey, port: u16) -> Option<Self> {
        let started = ServiceDaemon::new().and_then(|daemon| {
            // A name that says nothing: whoever listens learns that there is a kiosk, and where.
            let name = own.short();
            let host = format!("lineproof-{name}.local.");
            daemon.register(ServiceInfo::new(SERVICE, &name, &host, "", port, None)?.enable_addr_auto())?;
            let heard = daemon.browse(SERVICE)?;
            Ok(Self { daemon, heard })
        });
        match started {
            Ok(finder) => Some(finder),
            Err(error) => {
                tracing::warn!(%error, "other kiosks can't be looked for in this network: those of the settings are called");
                None
            }
        }
    }

    /// The next address of a kiosk.
    pub async fn found(&self) -> String {
        while let Ok(event) = self.heard.recv_async().await {
            let ServiceEvent::ServiceResolved(service) = event else { continue };
            let addresses = service.get_addresses();
            // One address a kiosk; a link-local one needs the name of an interface to be called.
            let v4 = addresses.iter().find(|ip| ip.is_ipv4() && !ip.is_loopback());
            let v6 = || addresses.iter().find(|ip| ip.is_ipv6() && !ip.to_ip_addr().to_string().starts_with("fe80"));
            if let Some(ip) = v4.or_else(v6) {
                return std::net::SocketAddr::new(ip.to_ip_addr(), service.get_port()).to_string();
            }
        }
        // The daemon ended: nobody will be found any more.
        std::future::pending().await
    }
}

impl Drop for Finder {
    fn drop(&mut self) {
        // It says goodbye for this kiosk; if it can't, the others' calls find out.
        let _ = self.daemon.shutdown();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, UdpSocket};
    use std::time::Duration;

    const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);

    /// Whether what this machine says to a group comes back to it.
    fn multicast_works() -> std::io::Result<()> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.join_multicast_v4(&GROUP, &Ipv4Addr::UNSPECIFIED)?;
        socket.set_read_timeout(Some(Duration::from_secs(1)))?;
        socket.send_to(b"lineproof", (GROUP, socket.local_addr()?.port()))?;
        socket.recv(&mut [0; 16]).map(drop)
    }

    #[test]
    fn u6_kiosks_of_a_segment_find_each_other() {
        if let Err(why) = multicast_works() {
            return println!("SKIPPED (no multicast on this machine: {why})");
        }
        let start = |key: u8, port| Finder::start(&DeviceKey([key; 32]), port).expect("the machine has multicast");
        let (one, _two) = (start(1, 40_001), start(2, 40_002));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime starts");
        let found = async { while !one.found().await.ends_with(":40002") {} };
        runtime.block_on(async { tokio::time::timeout(Duration::from_secs(60), found).await }).expect("it is found");
    }
}

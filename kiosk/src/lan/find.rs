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

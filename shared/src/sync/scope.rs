//! Which streams go where.

use std::cmp::Ordering;

use crate::id::{KioskName, SiteId};
use crate::kind::Family;
use crate::kind::plant::DeviceEnrolled;
use crate::log::{LogId, Stream};

/// The streams that a kiosk of this name at this site takes part in, plant first. `office` goes to no kiosk, `journal` to no other.
pub fn of_kiosk(site: &SiteId, name: &KioskName) -> Vec<Stream> {
    vec![
        Stream::plant_global(),
        Stream::plant(site),
        Stream::of(Family::Visiting, site.as_str()),
        Stream::record(site),
        Stream::presence(site),
        Stream::journal(name),
    ]
}

/// The scope that an enrolment gives.
pub fn of_enrolment(enrolment: &DeviceEnrolled) -> Vec<Stream> {
    of_kiosk(&enrolment.site, &enrolment.name)
}

/// The streams that an enrolment lets its device write to: none of the server's.
pub fn given_by(enrolment: &DeviceEnrolled) -> impl Iterator<Item = Stream> {
    of_enrolment(enrolment).into_iter().filter(|stream| !stream.family.is_servers_only())
}

/// Where a stream stands in every batch: what kiosks obey first, for enrolments and restrictions travel in it.
pub fn rank(stream: &Stream) -> u8 {
    match stream.family {
        Family::Plant => 0,
        Family::Visiting => 1,
        Family::Record => 2,
        Family::Presence => 3,
        Family::Journal => 4,
        Family::Office => 5,
    }
}

/// Logs in the order of their streams in a batch.
pub fn plant_first(a: &LogId, b: &LogId) -> Ordering {
    (rank(&a.stream), a).cmp(&(rank(&b.stream), b))
}

/// Whether two kiosks exchange the stream between themselves.
pub fn is_shared(stream: &Stream) -> bool {
    !matches!(stream.family, Family::Journal | Family::Office)
}

//! Sites, work units, equipment, shifts.

use std::io;
use std::path::Path;

use chrono_tz::Tz;

use super::sheet::{Dress, Sheet};
use super::{Site, Size};
use crate::cell::{Clock, time_of_day};
use crate::rng::Rng;

/// Work units a site has; their ids come from [`work_unit`].
pub const UNITS_PER_SITE: usize = 4;

pub fn work_unit(site: usize, unit: usize) -> String {
    format!("S{}-U{}", site + 1, unit + 1)
}

pub fn write(folder: &Path, size: &Size, rng: &mut Rng, dress: &Dress) -> io::Result<Vec<Site>> {
    let mut sites_csv = Sheet::new("sites.csv", "site, name, time_zone, [change_time]");
    let mut units_csv = Sheet::new("work_units.csv", "site, area, work_center, work_unit, [name]");
    let mut equipment_csv = Sheet::new("equipment.csv", "equipment, work_unit, name");
    let mut shifts_csv = Sheet::new("shifts.csv", "shift, work_center, start, end");
    let mut sites = Vec::new();
    for index in 0..size.sites {
        let id = format!("SITE{}", index + 1);
        let (zone, name) = *rng.pick(&ZONES[(index % 4) * 2..(index % 4) * 2 + 2]);
        let change = *rng.pick(&["", "", "06:00", "02:30", "00:00", "23:45", "02:15", "14:00"]);
        let starts = *rng.pick(&[&[][..], &["05:45", "13:45", "21:45"][..], &["02:30", "10:30", "18:30"]]);
        sites_csv.row([&id, name, zone, change]);
        let mut equipment = Vec::new();
        for unit in 0..UNITS_PER_SITE {
            let center = work_center(index, unit / 2);
            let name = *rng.pick(&["", "Siegelgerät", "Máy dán", "封口机", "Sealer, left"]);
            units_csv.row([&id, "PACK", &center, &work_unit(index, unit), name]);
            if rng.chance(70) {
                let name = format!("Unit \"{}\"", unit + 1);
                let id = format!("EQ-{}-{}", index + 1, unit + 1);
                equipment_csv.row([&id, &work_unit(index, unit), &name]);
                equipment.push(id);
            }
        }
        let mut shifts = Vec::new();
        for (number, start) in starts.iter().enumerate() {
            let shift = format!("S{}-SHIFT-{}", index + 1, number + 1);
            let end = starts[(number + 1) % starts.len()];
            shifts_csv.row([&shift, &work_center(index, number % 2), start, end]);
            shifts.push(shift);
        }
        let change = match (change, starts.first()) {
            ("", Some(first)) => first,
            ("", None) => "06:00",
            (change, _) => change,
        };
        let zone: Tz = zone.parse().expect("a zone of the list");
        sites.push(Site { id, clock: Clock { zone, change: time_of_day(change) }, shifts, equipment });
    }
    sites_csv.write(folder, rng, dress)?;
    units_csv.write(folder, rng, dress)?;
    equipment_csv.write_optional(folder, rng, dress)?;
    shifts_csv.write_optional(folder, rng, dress)?;
    Ok(sites)
}

fn work_center(site: usize, center: usize) -> String {
    format!("S{}-L{}", site + 1, center + 1)
}

/// Two to choose from for each of four sites.
const ZONES: [(&str, &str); 8] = [
    ("Europe/Berlin", "Werk Düren"),
    ("Europe/Berlin", "Werk \"Nord\", Köln"),
    ("America/New_York", "Albany"),
    ("Africa/Cairo", "Cairo"),
    ("Asia/Ho_Chi_Minh", "Nhà máy Thủ Đức"),
    ("Asia/Kolkata", "पुणे"),
    ("Australia/Lord_Howe", "Lord Howe"),
    ("Asia/Kolkata", "Pune"),
];

//! Where things are: sites, work units, equipment, shifts; and the clock that each site's dates go by.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveTime;
use chrono_tz::Tz;
use shared::id::*;
use shared::kind::plant::{EquipmentSet, ShiftSet, SiteSet, WorkUnitSet};
use shared::plant::personnel::parse_minute;
use shared::time::SiteTime;

use super::csv_table::{Row, Spec, Unread};
use super::error::Reported;
use super::references::{Index, Known};
use super::source::Source;
use super::{Located, PlantFolder};

const SITES: Spec =
    Spec { file: "sites.csv", needed: true, columns: &["site", "name", "time_zone"], optional: &["change_time"] };
const WORK_UNITS: Spec = Spec {
    file: "work_units.csv",
    needed: true,
    columns: &["site", "area", "work_center", "work_unit"],
    optional: &["name"],
};
const EQUIPMENT: Spec =
    Spec { file: "equipment.csv", needed: false, columns: &["equipment", "work_unit", "name"], optional: &[] };
const SHIFTS: Spec =
    Spec { file: "shifts.csv", needed: false, columns: &["shift", "work_center", "start", "end"], optional: &[] };

/// The minute of the day at which dates begin where neither a change time nor a shift says otherwise.
const DEFAULT_CHANGE_MINUTE: u16 = 6 * 60;

/// The clock of every site of a folder.
pub(super) struct SiteTimes {
    of: HashMap<SiteId, SiteTime>,
    /// The first site's: for what belongs to no site.
    pub first: SiteTime,
}

impl Default for SiteTimes {
    fn default() -> Self {
        Self { of: HashMap::new(), first: site_time(Tz::UTC, DEFAULT_CHANGE_MINUTE) }
    }
}

impl SiteTimes {
    pub fn of(&self, site: Option<&SiteId>) -> &SiteTime {
        site.and_then(|site| self.of.get(site)).unwrap_or(&self.first)
    }
}

fn site_time(zone: Tz, minute: u16) -> SiteTime {
    let change_time =
        NaiveTime::from_hms_opt(u32::from(minute) / 60 % 24, u32::from(minute) % 60, 0).unwrap_or_default();
    SiteTime { zone, change_time }
}

/// A site as its row says it; the change time may come from the shifts.
struct Site {
    line: u64,
    site: SiteId,
    name: String,
    zone: Tz,
    change_minute: Option<u16>,
}

/// Reads sites, work units, equipment and shifts, and works out when each site's day begins.
pub(super) fn read(source: &Source<'_>, index: &mut Index, folder: &mut PlantFolder) {
    let sites = sites(source, index);
    let site_of = work_units(source, index, folder);
    equipment(source, index, folder);
    shifts(source, index, folder);
    let mut first_shift: BTreeMap<&SiteId, u16> = BTreeMap::new();
    for shift in &folder.shifts {
        for site in site_of.get(&shift.row.work_center).into_iter().flatten() {
            let first = first_shift.entry(site).or_insert(shift.row.start_minute);
            *first = (*first).min(shift.row.start_minute);
        }
    }
    for (place, site) in sites.into_iter().enumerate() {
        let first = first_shift.get(&site.site).copied().unwrap_or(DEFAULT_CHANGE_MINUTE);
        let change_minute = site.change_minute.unwrap_or(first);
        let time = site_time(site.zone, change_minute);
        if place == 0 {
            index.times.first = time;
        }
        index.times.of.insert(site.site.clone(), time);
        let row = SiteSet { site: site.site, name: site.name, zone: site.zone.name().to_owned(), change_minute };
        folder.sites.push(Located { line: site.line, row });
    }
}

fn sites(source: &Source<'_>, index: &mut Index) -> Vec<Site> {
    let mut sites = Vec::new();
    let known = &mut index.sites;
    let unread = source.table(&SITES, |row| {
        let site: Result<SiteId, _> = row.id("site");
        let defined = site.as_ref().map_or(Err(Reported), |site| known.define(row, "site", site));
        let (name, zone, change_minute) = (row.text("name"), zone(row), optional_minute(row, "change_time"));
        defined?;
        sites.push(Site {
            line: row.line,
            site: site?,
            name: name?.to_owned(),
            zone: zone?,
            change_minute: change_minute?,
        });
        Ok(())
    });
    known.unread(unread);
    sites
}

fn zone(row: &Row<'_>) -> Result<Tz, Reported> {
    let name = row.text("time_zone")?;
    name.parse().map_err(|_| row.bad("time_zone", "is no time zone", "write an IANA name such as `Europe/Berlin`"))
}

fn optional_minute(row: &Row<'_>, column: &str) -> Result<Option<u16>, Reported> {
    row.optional(column).map(|_| minute(row, column)).transpose()
}

fn minute(row: &Row<'_>, column: &str) -> Result<u16, Reported> {
    let text = row.text(column)?;
    // Spreadsheets add seconds.
    parse_minute(text.strip_suffix(":00").filter(|minutes| minutes.contains(':')).unwrap_or(text))
        .ok_or_else(|| row.bad(column, "is no time of day", "write hours and minutes, 00:00 to 23:59, such as 06:00"))
}

/// Reads the work units; gives the sites of each work center.
fn work_units(source: &Source<'_>, index: &mut Index, folder: &mut PlantFolder) -> BTreeMap<WorkCenterId, Vec<SiteId>> {
    let mut site_of: BTreeMap<WorkCenterId, Vec<SiteId>> = BTreeMap::new();
    let Index { sites, work_centers, work_units, places, .. } = index;
    sites.ids().for_each(|site| places.add(site.to_string()));
    let unread = source.table(&WORK_UNITS, |row| {
        let work_unit: Result<WorkUnitId, _> = row.id("work_unit");
        let defined = work_unit.as_ref().map_or(Err(Reported), |unit| work_units.define(row, "work_unit", unit));
        let work_center: Result<WorkCenterId, _> = row.id("work_center");
        if let Ok(work_center) = &work_center {
            work_centers.add(work_center.clone());
        }
        let (site, area, name) = (row.known("site", sites), row.text("area"), row.optional_text("name"));
        defined?;
        let (site, area, work_center, work_unit) = (site?, area?.to_owned(), work_center?, work_unit?);
        add_places(places, &site, &area, &work_center, &work_unit);
        let at = site_of.entry(work_center.clone()).or_default();
        if !at.contains(&site) {
            if let Some(other) = at.first() {
                row.warn(format!(
                    "work center `{work_center}` also stands at site `{other}`: their shifts are one and the same"
                ));
            }
            at.push(site.clone());
        }
        let name = name?.unwrap_or_else(|| work_unit.to_string());
        folder
            .work_units
            .push(Located { line: row.line, row: WorkUnitSet { work_unit, site, area, work_center, name } });
        Ok(())
    });
    // A path names four ids: whichever row couldn't be read, it may have meant this one.
    let whole = unread.whole || !unread.words.is_empty() || sites.misses_some();
    places.unread(Unread { whole, ..Unread::default() });
    work_centers.unread(unread.clone());
    work_units.unread(unread);
    site_of
}

/// The names under which a role's scope may mean these places.
fn add_places(places: &mut Known<String>, site: &SiteId, area: &str, center: &WorkCenterId, unit: &WorkUnitId) {
    [area, center.as_str(), unit.as_str()].iter().for_each(|name| places.add((*name).to_owned()));
    let mut path = site.to_string();
    for below in [area, center.as_str(), unit.as_str()] {
        path = format!("{path}/{below}");
        places.add(path.clone());
    }
}

fn equipment(source: &Source<'_>, index: &mut Index, folder: &mut PlantFolder) {
    let Index { work_units, equipment, .. } = index;
    let unread = source.table(&EQUIPMENT, |row| {
        let id: Result<EquipmentId, _> = row.id("equipment");
        let defined = id.as_ref().map_or(Err(Reported), |id| equipment.define(row, "equipment", id));
        let (work_unit, name) = (row.known("work_unit", work_units), row.text("name"));
        defined?;
        let body = EquipmentSet { equipment: id?, work_unit: work_unit?, name: name?.to_owned() };
        folder.equipment.push(Located { line: row.line, row: body });
        Ok(())
    });
    equipment.unread(unread);
}

fn shifts(source: &Source<'_>, index: &mut Index, folder: &mut PlantFolder) {
    let Index { work_centers, shifts, .. } = index;
    let unread = source.table(&SHIFTS, |row| {
        // A shift has no type of its own; it obeys the rules of every other id.
        let shift = row.id::<KioskName>("shift").map(|id| id.to_string());
        let defined = shift.as_ref().map_or(Err(Reported), |id| shifts.define(row, "shift", id));
        let work_center = row.known("work_center", work_centers);
        let (start, end) = (minute(row, "start"), minute(row, "end"));
        defined?;
        let body = ShiftSet { shift: shift?, work_center: work_center?, start_minute: start?, end_minute: end? };
        folder.shifts.push(Located { line: row.line, row: body });
        Ok(())
    });
    shifts.unread(unread);
}

//! What merging costs: each record that news touches is judged once in a step, however many entries came with it.

mod common;

use common::pen::{Pen, Stage, demo};
use shared::id::*;
use shared::kind::record::{About, Read};
use shared::log::Stream;

fn read() -> Read {
    let about = About {
        requirement: RequirementId::new("R-0042").unwrap(),
        document: Some(DocumentId::new("SOP-0042").unwrap()),
        version: Some(VersionId::new("v6").unwrap()),
    };
    Read { about, content: None, language: Language::new("en").unwrap(), seconds: 412, reached_end: true }
}

#[test]
fn r6_each_touched_record_is_judged_once_a_step() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T06:00:00Z"));
    let core = demo(home.path(), &stage);
    let judged = || core.ledger().world().judged;
    let people = core.plant().people.len() as u64;
    assert!((1..=people).contains(&judged()), "an import of {people} people's history judged {} records", judged());

    let mut kiosk = Pen::enrol(&core, "K3", "SEAL", 3);
    kiosk.log.stream = Stream::record(&SiteId::new("SITE1").unwrap());
    let before = judged();
    let mut batch: Vec<_> = (0..40).map(|_| kiosk.write_about(&core, "maria", read())).collect();
    batch.extend((0..3).map(|_| kiosk.write_about(&core, "ana", read())));
    kiosk.call(&core, &batch);
    assert_eq!(core.watermark(None).unwrap().complete, 1, "all 43 are held");
    assert_eq!(judged() - before, 2, "Maria's record and Ana's");
    kiosk.call(&core, &batch);
    assert_eq!(judged() - before, 2, "nothing new, nothing judged");
}

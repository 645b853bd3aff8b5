//! A competency check signed by two: from two unlocked keys to COMMIT, beside a bare commit of the same bytes.

use std::time::Instant;

use shared::kind::plant::ActivityKind;
use shared::kind::record::{About, CriterionResult, Outcome};
use shared::plant::InForce;

use crate::Trouble;
use crate::figure::{Figure, Samples};
use crate::full::{FullPlant, HERE, at_kiosk, duties};
use crate::limit::Bare;

/// Signatures wanted for a median that stands still.
const SIGN_OFFS: usize = 200;

pub fn measure(full: &mut FullPlant) -> Result<Figure, Trouble> {
    let plant = full.plant.kiosk(HERE).plant().clone();
    let asks_check = |set: &&&shared::kind::plant::RequirementSet| {
        let kinds: Vec<ActivityKind> = set.activities.iter().map(|activity| activity.kind()).collect();
        kinds.ends_with(&[ActivityKind::Quiz, ActivityKind::Check])
    };
    let requirement =
        *duties(&plant, full.now).requirements.iter().find(asks_check).ok_or("no requirement asks a check")?;
    let version = match plant.in_force(requirement, full.now) {
        InForce::Version(version) => version.id().clone(),
        _ => return Err("the requirement's document has no version in force".into()),
    };
    let about = About {
        requirement: requirement.requirement.clone(),
        document: requirement.document.clone(),
        version: Some(version),
    };
    let assessor = at_kiosk(&full.lead);
    let people: Vec<_> = full.keys.keys().cloned().collect();
    let mut bare = Bare::open(&full.plant.path(HERE))?;
    let kiosk = full.plant.kiosk(HERE);
    let check = kiosk.check_of(&about)?;
    let results: Vec<CriterionResult> =
        (0..check.criteria.len()).map(|_| CriterionResult { passed: true, measured: None }).collect();
    let (mut ours, mut limits, mut bytes) = (Vec::new(), Vec::new(), 0);
    for person in people.iter().cycle().take(SIGN_OFFS * 4) {
        let operator = at_kiosk(person);
        let Ok(sign_off) = kiosk.prepare_check(person, &about, results.clone(), Outcome::Passed) else { continue };
        let Ok(keys) = kiosk.unlock_both(person, &about, (&operator, &assessor)) else { continue };
        let began = Instant::now();
        let entry = kiosk.countersign(sign_off, keys)?;
        ours.push(began.elapsed());
        limits.push(bare.commit([entry.bytes()])?);
        bytes = entry.bytes().len();
        if ours.len() == SIGN_OFFS {
            break;
        }
    }
    if ours.len() < SIGN_OFFS {
        return Err(format!("only {} sign-offs could be made", ours.len()).into());
    }
    let (figure, limit) = (Samples::of(ours).median_ms(), Samples::of(limits).median_ms());
    Ok(Figure {
        name: "signoff",
        figure,
        unit: "ms",
        limit,
        ratio: figure / limit,
        promise: "durable ≤ 1.5 × a bare commit of the same bytes",
        held: figure <= 1.5 * limit,
        size: format!("{}; {SIGN_OFFS} sign-offs of {bytes} bytes, medians", full.sized()),
        seed: full.size.seed,
    })
}

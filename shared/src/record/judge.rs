//! From a person's entries to verdicts and evidence: form, device, signatures, authority, corrections, order, contradictions, rulings,
//! each a step of its own. Same entries, same plant → same record, whatever the order of arrival.

use std::collections::{BTreeMap, BTreeSet};

use super::causality::Pasts;
use super::day_pass::DayPass;
use super::topic::Topic;
use super::training_record::{Evidence, TrainingRecord};
use crate::id::*;
use crate::kind::plant::{ActivityKind, KeyStoreKind, RequirementSet};
use crate::kind::record::{About, Outcome, SigningSetUp};
use crate::kind::{BadBody, Body, Statement};
use crate::log::effect::{Cause, Doubt, Verdict};
use crate::log::entry::Credential;
use crate::log::{Block, Entry};
use crate::part11::authority::{Held, Reach, Right, authority_check};
use crate::part11::strength::SecretKind;
use crate::plant::Plant;
use crate::time::Timestamp;

/// What a log's state says of one of its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Good,
    BehindFork,
    DeviceRevoked,
}

/// What verdicts rest on, besides the person's own entries.
pub struct Knowledge<'a> {
    pub plant: &'a Plant,
    /// Whose key it is, by signing set-ups that have effect.
    pub keys: &'a BTreeMap<PersonKey, PersonId>,
    /// Devices that are, or were, the server.
    pub servers: &'a dyn Fn(&DeviceKey) -> bool,
    pub standing: &'a dyn Fn(&Entry) -> Standing,
}

/// What follows from a person's entries.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Judgement {
    pub verdicts: BTreeMap<EntryId, Verdict>,
    /// Each requirement's rows by (activity, done_at).
    pub evidence: BTreeMap<RequirementId, Vec<Evidence>>,
}

impl Judgement {
    pub fn into_record(self) -> TrainingRecord {
        let mut record = TrainingRecord::default();
        self.evidence.into_values().for_each(|rows| record.append(rows));
        record
    }
}

/// Judges all record entries about one person. `entries` must be in fold order; see [`fold_sort`].
pub fn judge(entries: &[Entry], knowledge: &Knowledge<'_>) -> Judgement {
    let said: Vec<Said<'_>> = entries.iter().map(Said::of).collect();
    let mut judgement = Judgement::default();
    // The person first: a correction counts as it is judged beside what it corrects.
    for topic in topics(&said, knowledge) {
        let about: Vec<&Said<'_>> = said.iter().filter(|said| said.bears_on(&topic)).collect();
        let Judgement { verdicts, evidence } = judge_said(&topic, &about, knowledge);
        judgement.verdicts.extend(verdicts);
        judgement.evidence.extend(evidence);
    }
    judgement
}

/// Judges one topic of a person's record from its entries and those of [`Topic::Person`], in fold order: what [`judge`] says of them.
pub fn judge_topic(topic: &Topic, entries: &[Entry], knowledge: &Knowledge<'_>) -> Judgement {
    let said: Vec<Said<'_>> = entries.iter().map(Said::of).collect();
    judge_said(topic, &said.iter().collect::<Vec<_>>(), knowledge)
}

/// An entry, and what it says.
struct Said<'e> {
    entry: &'e Entry,
    statement: Result<Option<Statement>, BadBody>,
    topic: Topic,
}

impl<'e> Said<'e> {
    fn of(entry: &'e Entry) -> Self {
        let statement = entry.statement();
        let readable = statement.as_ref().ok().and_then(Option::as_ref);
        let topic = readable.map_or(Topic::Rest, |statement| Topic::of_body(&statement.body));
        Self { entry, statement, topic }
    }

    fn id(&self) -> EntryId {
        self.entry.id()
    }
    fn statement(&self) -> Option<&Statement> {
        self.statement.as_ref().ok().and_then(Option::as_ref)
    }
    fn body(&self) -> Option<&Body> {
        self.statement().map(|statement| &statement.body)
    }
    fn bears_on(&self, topic: &Topic) -> bool {
        self.topic == *topic || self.topic == Topic::Person
    }
}

/// Every topic of a record, the person's first. Only the server's history opens one for each of its rows: a terminal's counts for nothing.
fn topics(said: &[Said<'_>], knowledge: &Knowledge<'_>) -> BTreeSet<Topic> {
    let by_server = said.iter().filter(|said| (knowledge.servers)(&said.entry.log().device));
    let legacy = by_server.filter_map(|said| said.body()).flat_map(|body| match body {
        Body::LegacyBatch(batch) => batch.rows.as_slice(),
        _ => &[],
    });
    let legacy = legacy.map(|row| Topic::Requirement(row.requirement.clone()));
    said.iter().map(|said| said.topic.clone()).chain(legacy).collect()
}

fn judge_said(topic: &Topic, entries: &[&Said<'_>], knowledge: &Knowledge<'_>) -> Judgement {
    let mut verdicts: Vec<Verdict> = entries
        .iter()
        .map(|said| match &said.statement {
            Ok(Some(statement)) => by_itself(said.entry, &statement.body, knowledge),
            Ok(None) => Verdict::NotUnderstood,
            Err(_) => Verdict::SetAside(Cause::Unreadable),
        })
        .collect();
    set_aside_duplicates(entries, &mut verdicts);
    let corrected = corrected(entries);
    annul(entries, &corrected, &mut verdicts, knowledge);
    doubt_day_passes(entries, &mut verdicts, knowledge.plant);
    rule(entries, &mut verdicts, knowledge.plant);
    let mut evidence = BTreeMap::new();
    if let Topic::Requirement(requirement) = topic {
        let pasts = Pasts::of(entries.iter().map(|said| said.entry));
        let mut rows = gather(requirement, entries, &verdicts, knowledge.plant);
        if let Some(requirement) = knowledge.plant.requirements.get(requirement) {
            judge_order(requirement, &mut rows, entries, &mut verdicts, &pasts, knowledge.plant);
        }
        contradict(&mut rows, entries, &mut verdicts, &pasts, knowledge.plant);
        if !rows.is_empty() {
            evidence.insert(requirement.clone(), rows);
        }
    }
    // An entry is judged in its own topic, a correction in that of what it corrects.
    let judged = entries.iter().zip(verdicts).zip(ends(&corrected));
    let own = judged.filter(|(_, end)| entries[*end].topic == *topic);
    Judgement { verdicts: own.map(|((said, verdict), _)| (said.id(), verdict)).collect(), evidence }
}

/// Where that stands which each entry corrects, if it corrects one of these.
fn corrected(entries: &[&Said<'_>]) -> Vec<Option<usize>> {
    if !entries.iter().any(|said| matches!(said.body(), Some(Body::Correction(_)))) {
        return vec![None; entries.len()];
    }
    let places: BTreeMap<EntryId, usize> = entries.iter().enumerate().map(|(place, said)| (said.id(), place)).collect();
    let target = |said: &&Said<'_>| match said.body() {
        Some(Body::Correction(body)) => places.get(&body.entry).copied(),
        _ => None,
    };
    entries.iter().map(target).collect()
}

/// Where the corrections that begin with each entry end: at what they are about in the end. Each step is taken once, however long somebody makes
/// a chain of them.
fn ends(corrected: &[Option<usize>]) -> Vec<usize> {
    let mut ends: Vec<Option<usize>> = vec![None; corrected.len()];
    for start in 0..corrected.len() {
        let (mut place, mut way) = (start, Vec::new());
        // An entry is named by its hash: corrections of corrections come to an end.
        while ends[place].is_none()
            && let Some(target) = corrected[place]
        {
            way.push(place);
            place = target;
        }
        let end = ends[place].unwrap_or(place);
        way.iter().chain([&place]).for_each(|passed| ends[*passed] = Some(end));
    }
    ends.into_iter().enumerate().map(|(place, end)| end.unwrap_or(place)).collect()
}

/// Puts entries into the order that every replica computes alike and that never puts an effect before its cause.
pub fn fold_sort(entries: &mut [Entry]) {
    entries.sort_by(|a, b| {
        let (x, y) = (a.header(), b.header());
        (x.hybrid, &x.log, x.counter, a.id()).cmp(&(y.hybrid, &y.log, y.counter, b.id()))
    });
}

/// The verdict that an entry deserves on its own.
fn by_itself(entry: &Entry, body: &Body, knowledge: &Knowledge<'_>) -> Verdict {
    match (knowledge.standing)(entry) {
        Standing::Good => {}
        Standing::BehindFork => return Verdict::SetAside(Cause::BehindFork),
        Standing::DeviceRevoked => return Verdict::SetAside(Cause::DeviceRevoked),
    }
    if !entry.blocks_verify() {
        return Verdict::SetAside(Cause::BadSignature);
    }
    let by_server = (knowledge.servers)(&entry.log().device);
    if let Some(cause) = wrong_signers(entry, body, by_server) {
        return Verdict::SetAside(cause);
    }
    if let Body::SigningSetUp(set_up) = body {
        return set_up_verdict(entry, set_up, knowledge);
    }
    let worst = entry.blocks().iter().map(|block| signer_verdict(block, entry, body, knowledge));
    worst.max_by_key(severity).unwrap_or(Verdict::Effective)
}

fn severity(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Effective => 0,
        Verdict::OnHold(_) => 1,
        Verdict::NotUnderstood => 2,
        Verdict::SetAside(_) => 3,
    }
}

/// Which people a kind needs: the person it is about first, then whoever stands for it.
fn wrong_signers(entry: &Entry, body: &Body, by_server: bool) -> Option<Cause> {
    let subject = entry.subject().as_person();
    let own = subject.as_ref().and_then(|person| entry.block_of(person)).is_some();
    let others = entry.blocks().len() - usize::from(own);
    let fits = match body {
        Body::AccountabilitySigned(_) | Body::Identified(_) | Body::Read(_) | Body::QuizAttempt(_) => {
            own && others == 0
        }
        Body::RunObserved(_) | Body::CheckSigned(_) | Body::SupervisedStart(_) | Body::Coaching(_) => {
            if own && others == 0 {
                return Some(Cause::SelfSigned);
            }
            own && others == 1
        }
        // The first key of a plant is set up at the server, whose operator is its verifier; there, too, two verify for whoever lost a secret.
        Body::SigningSetUp(_) => own && (others == 1 || (by_server && others <= 2)),
        Body::DayPass(_) if own => return Some(Cause::SelfSigned),
        Body::CoSigned(_) | Body::DayPass(_) => !own && others == 1,
        Body::BadgeLost(_) => entry.blocks().len() == 1,
        Body::LockoutLifted(_) if own => return Some(Cause::SelfSigned),
        Body::Correction(_) | Body::LockoutLifted(_) => !entry.blocks().is_empty(),
        Body::LegacyBatch(_) => return (!by_server).then_some(Cause::NotTheServer),
        Body::SheetEdit(_) => true,
        _ => true,
    };
    (!fits).then_some(Cause::WrongSigners)
}

/// Who names a key has it, and shows so by signing with it. The secret is judged by the profile that the terminal knew: a plant that turns to a
/// stricter one later changes what may be used, not what was.
fn set_up_verdict(entry: &Entry, set_up: &SigningSetUp, knowledge: &Knowledge<'_>) -> Verdict {
    let subject = entry.subject().as_person();
    let own = subject.as_ref().and_then(|person| entry.block_of(person));
    if own.is_none_or(|block| block.key != set_up.key) {
        return Verdict::SetAside(Cause::UnknownKey);
    }
    let key_store = knowledge.plant.devices.get(&entry.log().device).map_or(KeyStoreKind::File, |set| set.key_store);
    if !SecretKind::chosen_in(set_up).is_enough_where(SecretKind::of(key_store, set_up.profile)) {
        return Verdict::SetAside(Cause::WeakSecret);
    }
    let verifiers = entry.blocks().iter().filter(|block| Some(&block.signer) != subject.as_ref());
    let verdicts = verifiers.map(|block| match whose(block, knowledge).or_else(|| for_another(block)) {
        Some(verdict) => verdict,
        None => right_verdict(entry, knowledge, block, &Right::Lead),
    });
    verdicts.max_by_key(severity).unwrap_or(Verdict::Effective)
}

fn signer_verdict(block: &Block, entry: &Entry, body: &Body, knowledge: &Knowledge<'_>) -> Verdict {
    if let Some(verdict) = whose(block, knowledge) {
        return verdict;
    }
    if entry.subject().as_person().as_ref() == Some(&block.signer) {
        return Verdict::Effective;
    }
    if let Some(verdict) = for_another(block) {
        return verdict;
    }
    let right = match body {
        Body::RunObserved(b) => Right::Assess(&b.about.requirement),
        Body::CheckSigned(b) => Right::Assess(&b.about.requirement),
        Body::SupervisedStart(_) | Body::Coaching(_) => Right::Train,
        Body::LockoutLifted(_) | Body::DayPass(_) | Body::BadgeLost(_) => Right::Lead,
        // Whoever signed the entry may correct it; quality may correct any: judged with the entry itself.
        _ => return Verdict::Effective,
    };
    right_verdict(entry, knowledge, block, &right)
}

/// What is wrong with a block's key, or with whose hands it was given by, if anything is.
fn whose(block: &Block, knowledge: &Knowledge<'_>) -> Option<Verdict> {
    if knowledge.keys.get(&block.key) != Some(&block.signer) {
        return Some(Verdict::SetAside(Cause::UnknownKey));
    }
    let revoked = knowledge.plant.key_revocations.get(&block.key);
    if revoked.is_some_and(|r| r.from <= block.signed_at) {
        return Some(Verdict::OnHold(Doubt::KeyRevoked));
    }
    let Some(Credential::Badge(badge)) = block.credential else { return None };
    let lost = knowledge.plant.disabled_badges.get(&badge);
    lost.is_some_and(|lost| lost.since <= block.signed_at).then_some(Verdict::OnHold(Doubt::BadgeLost))
}

/// A day pass says who somebody is, and gives them no word in what is another's.
fn for_another(block: &Block) -> Option<Verdict> {
    matches!(block.credential, Some(Credential::DayPass(_))).then_some(Verdict::SetAside(Cause::ByDayPass))
}

fn right_verdict(entry: &Entry, knowledge: &Knowledge<'_>, block: &Block, right: &Right<'_>) -> Verdict {
    let (plant, device, about) = (knowledge.plant, &entry.log().device, entry.subject().as_person());
    let reach = Reach::of_device(plant, device, (knowledge.servers)(device), about.as_ref());
    match authority_check(plant, &block.signer, right, block.signed_at, reach) {
        Held::Yes => Verdict::Effective,
        Held::Withdrawn => Verdict::OnHold(Doubt::AuthorityWithdrawn),
        Held::Never => Verdict::SetAside(Cause::NoAuthority),
    }
}

/// The same act twice about one topic is one record: the first in fold order counts.
fn set_aside_duplicates(entries: &[&Said<'_>], verdicts: &mut [Verdict]) {
    let mut first: BTreeMap<(ActId, &str), EntryId> = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        let Some(statement) = entry.statement() else { continue };
        if !matches!(verdicts[index], Verdict::Effective | Verdict::OnHold(_)) {
            continue;
        }
        match first.get(&(statement.act, statement.body.kind())) {
            Some(earlier) => verdicts[index] = Verdict::SetAside(Cause::Duplicate(*earlier)),
            None => drop(first.insert((statement.act, statement.body.kind()), entry.id())),
        }
    }
}

/// Corrections by a signer of the entry, or by quality, annul it; both stay visible (R24). Not a signing set-up: a key ends by being revoked, and who
/// takes back what their signature rests on has signed nothing.
fn annul(entries: &[&Said<'_>], corrected: &[Option<usize>], verdicts: &mut [Verdict], knowledge: &Knowledge<'_>) {
    for (index, correction) in entries.iter().enumerate() {
        let Some(target) = corrected[index].map(|target| entries[target]) else { continue };
        if !verdicts[index].is_effective() {
            continue;
        }
        // People sign a statement, and not the entry around it: whoever puts it into another brings nothing back.
        let same = |other: &Said<'_>| other.id() == target.id() || other.statement() == target.statement();
        let is_set_up = matches!(target.body(), Some(Body::SigningSetUp(_)));
        let may = !is_set_up
            && correction.entry.blocks().iter().any(|block| {
                let signed_it = target.entry.block_of(&block.signer).is_some();
                signed_it || right_verdict(correction.entry, knowledge, block, &Right::Quality).is_effective()
            });
        if may {
            let annulled = entries.iter().zip(verdicts.iter_mut()).filter(|(other, _)| same(other));
            annulled.for_each(|(_, verdict)| *verdict = Verdict::SetAside(Cause::Annulled(correction.id())));
        } else {
            verdicts[index] = Verdict::SetAside(Cause::NoAuthority);
        }
    }
}

/// What people signed by a day pass is as good as the pass: who gave it must have had the right, and it must have reached so far (S6).
fn doubt_day_passes(entries: &[&Said<'_>], verdicts: &mut [Verdict], plant: &Plant) {
    let mut passes = BTreeMap::new();
    for (said, verdict) in entries.iter().zip(verdicts.iter()) {
        if let Some(pass) = DayPass::of(said.entry)
            && ruled(&said.id(), verdict, plant).is_effective()
        {
            passes.insert(said.id(), pass);
        }
    }
    for (said, verdict) in entries.iter().zip(verdicts).filter(|(_, verdict)| verdict.is_effective()) {
        let doubtful = |block: &Block| match block.credential {
            Some(Credential::DayPass(pass)) => {
                passes.get(&pass).is_none_or(|pass: &DayPass| block.signed_at >= pass.until)
            }
            _ => false,
        };
        if said.entry.blocks().iter().any(doubtful) {
            *verdict = Verdict::OnHold(Doubt::DayPass);
        }
    }
}

/// Rulings lift or confirm holds for exactly the entries they name. A rejected statement is rejected in whatever entry it comes again.
fn rule(entries: &[&Said<'_>], verdicts: &mut [Verdict], plant: &Plant) {
    let rejection = |said: &&&Said<'_>| plant.ruling_on(&said.id()).is_some_and(|ruling| !ruling.accepted);
    let rejected: Vec<&&Said<'_>> = entries.iter().filter(rejection).collect();
    for (entry, verdict) in entries.iter().zip(verdicts) {
        let again = rejected.iter().find(|other| entry.statement().is_some() && other.statement() == entry.statement());
        *verdict = ruled(&again.map_or(entry.id(), |other| other.id()), verdict, plant);
    }
}

fn ruled(entry: &EntryId, verdict: &Verdict, plant: &Plant) -> Verdict {
    match plant.rulings.get(entry) {
        Some((ruling, said)) if !said.accepted => Verdict::SetAside(Cause::Rejected(*ruling)),
        Some(_) if verdict.is_on_hold() => Verdict::Effective,
        _ => verdict.clone(),
    }
}

fn gather(requirement: &RequirementId, entries: &[&Said<'_>], verdicts: &[Verdict], plant: &Plant) -> Vec<Evidence> {
    let of = |(said, verdict): (&&Said<'_>, &Verdict)| {
        said.body().map_or_else(Vec::new, |body| evidence_of(said.entry, body, verdict, plant))
    };
    let mut evidence: Vec<Evidence> = entries.iter().zip(verdicts).flat_map(of).collect();
    evidence.retain(|row| row.requirement == *requirement);
    evidence.sort_by_key(|row| (row.activity, row.done_at, row.part));
    evidence
}

fn evidence_of(entry: &Entry, body: &Body, verdict: &Verdict, plant: &Plant) -> Vec<Evidence> {
    let subject = entry.subject().as_person();
    let one = |about: &About, activity, outcome, score_percent| {
        let assessor = entry.blocks().iter().find(|block| Some(&block.signer) != subject.as_ref());
        let done_at = entry.blocks().iter().map(|block| block.signed_at).max().unwrap_or(entry.header().wall);
        vec![Evidence {
            entry: entry.id(),
            part: 0,
            requirement: about.requirement.clone(),
            activity,
            version: about.version.clone(),
            done_at,
            outcome,
            score_percent,
            legacy: false,
            assessor: assessor.map(|block| block.signer.clone()),
            verdict: verdict.clone(),
            ended_by: Vec::new(),
        }]
    };
    match body {
        Body::Read(b) => {
            let outcome = if b.reached_end { Outcome::Passed } else { Outcome::Aborted };
            one(&b.about, ActivityKind::Read, outcome, None)
        }
        Body::QuizAttempt(b) => one(&b.about, ActivityKind::Quiz, b.outcome, Some(b.score_percent)),
        Body::RunObserved(b) => one(&b.about, ActivityKind::Runs, b.outcome, None),
        Body::CheckSigned(b) => one(&b.about, ActivityKind::Check, b.outcome, None),
        Body::LegacyBatch(b) => {
            let rows = b.rows.iter().enumerate();
            rows.map(|(part, row)| legacy_evidence(entry.id(), part as u32, row, verdict, plant)).collect()
        }
        _ => Vec::new(),
    }
}

fn legacy_evidence(
    entry: EntryId,
    part: u32,
    row: &crate::kind::record::LegacyRow,
    verdict: &Verdict,
    plant: &Plant,
) -> Evidence {
    let pass_percent = || {
        let requirement = plant.requirements.get(&row.requirement)?;
        requirement.activities.iter().find_map(|activity| match activity {
            crate::kind::plant::Activity::Quiz(quiz) => plant.quizzes.get(quiz).map(|q| q.pass_percent),
            _ => None,
        })
    };
    let failed = row.activity == ActivityKind::Quiz
        && row.score_percent.is_some_and(|score| pass_percent().is_some_and(|pass| score < pass));
    Evidence {
        entry,
        part,
        requirement: row.requirement.clone(),
        activity: row.activity,
        version: row.version.clone(),
        done_at: row.completed_at,
        outcome: if failed { Outcome::Failed } else { Outcome::Passed },
        score_percent: row.score_percent,
        legacy: true,
        assessor: row.assessor.clone(),
        verdict: verdict.clone(),
        ended_by: Vec::new(),
    }
}

/// R6, over the whole: an activity counts when those listed before it were done, at any kiosk, not after it. Legacy rows count in
/// whatever order they were imported.
fn judge_order(
    requirement: &RequirementSet,
    evidence: &mut [Evidence],
    entries: &[&Said<'_>],
    verdicts: &mut [Verdict],
    pasts: &Pasts,
    plant: &Plant,
) {
    // Activities are judged in the order listed: one that is out of order can't support the next.
    let mut order: Vec<usize> = (0..evidence.len()).collect();
    let place = |e: &Evidence| requirement.activities.iter().position(|a| a.kind() == e.activity).unwrap_or(0);
    order.sort_by_key(|index| place(&evidence[*index]));
    for index in order {
        let candidate = &evidence[index];
        if candidate.legacy || !candidate.passed() || !candidate.verdict.is_effective() {
            continue;
        }
        let before = requirement.activities.iter().take_while(|a| a.kind() != candidate.activity);
        let in_order = before.into_iter().all(|activity| {
            let supports = |e: &&Evidence| {
                e.activity == activity.kind()
                    && e.passed()
                    && e.verdict.is_effective()
                    && supports_version(requirement, e, candidate, plant)
                    && !follows(e, candidate, pasts)
            };
            let asked = activity.count() as usize;
            // No more are looked for than are asked: somebody may have signed thousands.
            evidence.iter().filter(supports).take(asked).count() == asked
                || exempt(requirement, entries, candidate, plant)
        });
        if !in_order {
            set_verdict(&mut evidence[index], entries, verdicts, &Verdict::SetAside(Cause::OutOfOrder));
        }
    }
}

fn exempt(requirement: &RequirementSet, entries: &[&Said<'_>], candidate: &Evidence, plant: &Plant) -> bool {
    let person = entries.first().and_then(|said| said.entry.subject().as_person());
    person.is_some_and(|person| {
        plant.exemption(&person, &requirement.requirement, candidate.version.as_ref(), candidate.done_at).is_some()
    })
}

fn follows(earlier: &Evidence, later: &Evidence, pasts: &Pasts) -> bool {
    if earlier.legacy { earlier.done_at > later.done_at } else { pasts.precedes(&later.entry, &earlier.entry) }
}

/// Whether earlier evidence holds for the version the later one was done on, whenever either becomes effective.
fn supports_version(requirement: &RequirementSet, earlier: &Evidence, later: &Evidence, plant: &Plant) -> bool {
    let document = requirement.document.as_ref().and_then(|id| plant.documents.get(id));
    let (Some(document), Some(to)) = (document, &later.version) else { return true };
    let Some(from) = version_of(earlier, requirement, plant) else { return false };
    if from == *to {
        return true;
    }
    let Some(current) = document.version(to) else { return false };
    document.holds_for(&from, current, earlier.activity, Timestamp::MAX)
}

/// The version evidence was done on; imported rows without one mean the version in force at that moment.
pub fn version_of(evidence: &Evidence, requirement: &RequirementSet, plant: &Plant) -> Option<VersionId> {
    match &evidence.version {
        Some(version) => Some(version.clone()),
        None => match plant.in_force(requirement, evidence.done_at) {
            crate::plant::InForce::Version(version) => Some(version.id().clone()),
            _ => None,
        },
    }
}

/// A failed or not-yet result that follows a pass ends it; one that is concurrent puts both on hold, unless a ruling named both (U8).
fn contradict(
    evidence: &mut [Evidence],
    entries: &[&Said<'_>],
    verdicts: &mut [Verdict],
    pasts: &Pasts,
    plant: &Plant,
) {
    let counts = |fail: &usize| evidence[*fail].failed() && evidence[*fail].verdict.is_effective();
    let failures: Vec<usize> = (0..evidence.len()).filter(counts).collect();
    let mut holds: BTreeMap<usize, EntryId> = BTreeMap::new();
    for pass in 0..evidence.len() {
        if !evidence[pass].passed() {
            continue;
        }
        let mut ended_by = Vec::new();
        for fail in failures.iter().copied() {
            let (p, f) = (&evidence[pass], &evidence[fail]);
            if p.activity != f.activity {
                continue;
            }
            match relation(p, f, pasts) {
                Relation::Follows => ended_by.push(fail as u32),
                Relation::Precedes => {}
                Relation::Concurrent if !ruled_together(p, f, plant) => {
                    holds.insert(pass, f.entry);
                    holds.insert(fail, p.entry);
                }
                Relation::Concurrent => {}
            }
        }
        evidence[pass].ended_by = ended_by;
    }
    for (index, other) in holds {
        set_verdict(&mut evidence[index], entries, verdicts, &Verdict::OnHold(Doubt::Contradicted(other)));
    }
}

enum Relation {
    /// The failure follows the pass.
    Follows,
    /// The failure precedes the pass, or the pass counts for nothing anyway: nobody looks for what that knew of.
    Precedes,
    Concurrent,
}

fn relation(pass: &Evidence, fail: &Evidence, pasts: &Pasts) -> Relation {
    if pass.legacy || fail.legacy {
        let after = (fail.done_at, fail.part) > (pass.done_at, pass.part);
        return if after { Relation::Follows } else { Relation::Precedes };
    }
    if pasts.precedes(&pass.entry, &fail.entry) {
        Relation::Follows
    } else if !pass.verdict.is_effective() || pasts.precedes(&fail.entry, &pass.entry) {
        Relation::Precedes
    } else {
        Relation::Concurrent
    }
}

fn ruled_together(pass: &Evidence, fail: &Evidence, plant: &Plant) -> bool {
    plant.ruling_on(&pass.entry).is_some_and(|ruling| ruling.accepted && ruling.entries.contains(&fail.entry))
}

fn set_verdict(evidence: &mut Evidence, entries: &[&Said<'_>], verdicts: &mut [Verdict], verdict: &Verdict) {
    evidence.verdict = verdict.clone();
    if let Some(index) = entries.iter().position(|entry| entry.id() == evidence.entry) {
        verdicts[index] = verdict.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::record::{Correction, LegacyBatch, LegacyRow, QuizAttempt, Read};
    use crate::log::entry::seal;
    use crate::log::{Draft, LogId, Position, Stream, Subject};
    use crate::part11::signature::DeviceSecret;
    use crate::time::{ClockReading, HybridTime};

    fn requirement() -> RequirementId {
        RequirementId::new("R-0042").unwrap()
    }

    /// The first entry of a log of its own, signed by nobody.
    fn unsigned(number: u32, body: impl Into<Body>) -> Entry {
        let device = DeviceSecret::from_seed([7; 32]);
        let mut own = [0; 16];
        own[..4].copy_from_slice(&number.to_be_bytes());
        let stream = Stream::record(&SiteId::new("SITE1").unwrap());
        let position = Position {
            log: LogId { device: device.key(), incarnation: Incarnation(own), stream },
            counter: 1,
            prev: None,
            hybrid: HybridTime { ms: 1_772_400_000_000, tick: number },
            clock: ClockReading { wall: Timestamp(1_772_400_000_000), uncertainty_ms: 250 },
            plant: Vec::new(),
        };
        let statement = Statement { act: ActId(own), body: body.into() };
        let draft = Draft::new(Subject::person(&PersonId::new("maria").unwrap()), statement);
        seal(&draft, &position, &device).unwrap()
    }

    fn about() -> About {
        About { requirement: requirement(), document: None, version: None }
    }

    fn read() -> Read {
        Read { about: about(), content: None, language: "en".parse().unwrap(), seconds: 240, reached_end: true }
    }

    fn quiz(outcome: Outcome) -> QuizAttempt {
        QuizAttempt {
            about: about(),
            quiz: "Q-0042".parse().unwrap(),
            paper: Digest32([6; 32]),
            drawn: vec![0],
            answers: vec![vec![0]],
            score_percent: 0,
            outcome,
        }
    }

    fn corrects(entry: EntryId) -> Correction {
        let said = |text: &str| text.to_owned();
        Correction { entry, what: said("outcome"), old: said("passed"), new: said("failed"), reason: said("mixed up") }
    }

    fn judged(topic: &Topic, entries: &[Entry]) -> Judgement {
        let (plant, keys) = (Plant::default(), BTreeMap::new());
        let (servers, standing) = (|_: &DeviceKey| false, |_: &Entry| Standing::Good);
        let knowledge = Knowledge { plant: &plant, keys: &keys, servers: &servers, standing: &standing };
        judge_topic(topic, entries, &knowledge)
    }

    #[test]
    fn safe11_history_that_a_terminal_makes_up_opens_no_topics() {
        let row = |number: u32| LegacyRow {
            requirement: RequirementId::new(&format!("R-{number}")).unwrap(),
            version: None,
            activity: ActivityKind::Read,
            completed_at: Timestamp(0),
            assessor: None,
            score_percent: None,
            source: None,
            line: number.into(),
        };
        let batch = LegacyBatch { batch: ActId([1; 16]), rows: (1..=200).map(row).collect() };
        let entry = unsigned(1, batch);
        let (plant, keys) = (Plant::default(), BTreeMap::new());
        let standing = |_: &Entry| Standing::Good;
        let topics = |by_server: bool| {
            let servers = move |_: &DeviceKey| by_server;
            let knowledge = Knowledge { plant: &plant, keys: &keys, servers: &servers, standing: &standing };
            super::topics(&[Said::of(&entry)], &knowledge).len()
        };
        assert_eq!((topics(false), topics(true)), (1, 201));
    }

    #[test]
    fn r24_a_correction_is_judged_beside_what_it_corrects_in_the_end() {
        let read = unsigned(3, read());
        let first = unsigned(2, corrects(read.id()));
        let second = unsigned(1, corrects(first.id()));
        let beside = unsigned(4, corrects(first.id()));
        let stray = unsigned(5, corrects(EntryId([9; 32])));
        let of_stray = unsigned(6, corrects(stray.id()));
        let entries = [second.clone(), first.clone(), read.clone(), beside.clone(), stray.clone(), of_stray.clone()];
        let names = |topic: &Topic| judged(topic, &entries).verdicts.into_keys().collect::<BTreeSet<_>>();
        let of_read = BTreeSet::from([read.id(), first.id(), second.id(), beside.id()]);
        assert_eq!(names(&Topic::Requirement(requirement())), of_read);
        assert_eq!(names(&Topic::Person), BTreeSet::from([stray.id(), of_stray.id()]));
    }

    /// Following each chain anew, and searching for each of its steps, takes minutes for as many.
    #[test]
    fn safe11_a_long_chain_of_corrections_is_judged_at_once() {
        let mut entries = vec![unsigned(0, read())];
        for number in 1..10_000 {
            let corrected = entries[entries.len() - 1].id();
            entries.push(unsigned(number, corrects(corrected)));
        }
        let judgement = judged(&Topic::Requirement(requirement()), &entries);
        assert_eq!(judgement.verdicts.len(), entries.len());
        let set_aside = Verdict::SetAside(Cause::WrongSigners);
        assert!(judgement.verdicts.values().all(|verdict| *verdict == set_aside));
        assert_eq!(judged(&Topic::Person, &entries).verdicts.len(), 0);
    }

    #[test]
    fn safe11_what_a_pass_that_counts_for_nothing_knew_of_is_not_looked_for() {
        let passes: Vec<Entry> = (0..3).map(|number| unsigned(number, quiz(Outcome::Passed))).collect();
        let failure = unsigned(3, quiz(Outcome::Failed));
        let said: Vec<Said<'_>> = passes.iter().chain([&failure]).map(Said::of).collect();
        let entries: Vec<&Said<'_>> = said.iter().collect();
        let asked = |verdict_of_passes: Verdict| {
            let mut verdicts = vec![verdict_of_passes; 3];
            verdicts.push(Verdict::Effective);
            let (plant, pasts) = (Plant::default(), Pasts::of(said.iter().map(|said| said.entry)));
            let mut rows = gather(&requirement(), &entries, &verdicts, &plant);
            contradict(&mut rows, &entries, &mut verdicts, &pasts, &plant);
            (pasts.looked_through(), verdicts.iter().filter(|verdict| verdict.is_on_hold()).count())
        };
        assert_eq!(asked(Verdict::SetAside(Cause::WrongSigners)), (1, 0), "the failure's alone");
        assert_eq!(asked(Verdict::Effective), (4, 4));
    }
}

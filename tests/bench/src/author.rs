//! Another kiosk's pen: what people did in a year, signed by them and by a kiosk that is enrolled, in any number.

use std::collections::BTreeMap;

use shared::id::*;
use shared::kind::journal::{DecidedVersion, Decision};
use shared::kind::plant::{ActivityKind, Profile, RequirementSet};
use shared::kind::presence::{SessionEnd, StartedUnder, TaskEnded, TaskStarted};
use shared::kind::record::{About, Outcome, QuizAttempt, Read, SigningSetUp};
use shared::kind::{Body, Meaning, Role, Statement};
use shared::log::entry::{Signing, seal};
use shared::log::{Draft, Entry, LogId, Position, Stream, Subject};
use shared::part11::signature::{DeviceSecret, PersonSecret};
use shared::plant::{InForce, Plant};
use shared::time::{ClockReading, DAY_MS, HOUR_MS, HybridTime, Timestamp};

use crate::Trouble;

/// A kiosk that writes far faster than people act.
pub struct Author {
    pub secret: DeviceSecret,
    pub incarnation: Incarnation,
    pub site: SiteId,
    pub kiosk: KioskName,
    heads: BTreeMap<Stream, (u64, EntryId)>,
    hybrid: HybridTime,
    acts: u64,
}

/// Who signs, with their key.
pub struct Signer<'s> {
    pub person: &'s PersonId,
    pub key: &'s PersonSecret,
}

impl Author {
    pub fn new(secret: DeviceSecret, incarnation: Incarnation, site: SiteId, kiosk: KioskName) -> Self {
        let (heads, hybrid) = (BTreeMap::new(), HybridTime::default());
        Self { secret, incarnation, site, kiosk, heads, hybrid, acts: 0 }
    }

    /// Goes on behind what the kiosk itself has written.
    pub fn go_on_behind(&mut self, stream: Stream, counter: u64, last: EntryId) {
        self.heads.insert(stream, (counter, last));
    }

    pub fn log(&self, stream: &Stream) -> LogId {
        LogId { device: self.secret.key(), incarnation: self.incarnation, stream: stream.clone() }
    }

    /// The next entry of the log.
    pub fn write(&mut self, stream: &Stream, draft: &Draft, at: Timestamp) -> Result<Entry, Trouble> {
        let log = self.log(stream);
        let last = self.heads.get(stream).copied();
        self.hybrid = self.hybrid.next(at);
        let position = Position {
            log,
            counter: last.map_or(1, |(counter, _)| counter + 1),
            prev: last.map(|(_, id)| id),
            hybrid: self.hybrid,
            clock: ClockReading::exact(at),
            plant: Vec::new(),
        };
        let entry = seal(draft, &position, &self.secret)?;
        self.heads.insert(stream.clone(), (position.counter, entry.id()));
        Ok(entry)
    }

    fn act(&mut self) -> ActId {
        self.acts += 1;
        let digest = Digest32::of_parts(&[b"bench act", &self.incarnation.0, &self.acts.to_be_bytes()]);
        let mut act = [0; 16];
        act.copy_from_slice(&digest.0[..16]);
        ActId(act)
    }

    pub fn draft(&mut self, subject: Subject, body: impl Into<Body>) -> Draft {
        Draft::new(subject, Statement { act: self.act(), body: body.into() })
    }

    fn signed(&mut self, person: &Signer<'_>, body: impl Into<Body>, meaning: Meaning, at: Timestamp) -> Draft {
        countersigned(self.draft(Subject::person(person.person), body), person, Role::Operator, meaning, at)
    }

    /// A person's signing set-up, verified by `verifier`.
    pub fn set_up(
        &mut self,
        person: &Signer<'_>,
        box_digest: Digest32,
        verifier: &Signer<'_>,
        at: Timestamp,
    ) -> Result<Entry, Trouble> {
        let identity_proof = "identity card".into();
        let body = SigningSetUp {
            key: person.key.key(),
            box_digest,
            identity_proof,
            profile: Profile::UsPart11,
            secret: None,
        };
        let draft = self.signed(person, body, Meaning::SigningAccepted, at);
        let draft = countersigned(draft, verifier, Role::Supervisor, Meaning::IdentityVerified, at);
        let stream = Stream::record(&self.site);
        self.write(&stream, &draft, at)
    }

    /// What the person read and answered about a requirement, on the version in force at `at`; nothing when none is.
    pub fn learn(
        &mut self,
        plant: &Plant,
        person: &Signer<'_>,
        requirement: &RequirementSet,
        at: Timestamp,
    ) -> Result<Vec<Entry>, Trouble> {
        let (Some(document), InForce::Version(version)) = (&requirement.document, plant.in_force(requirement, at))
        else {
            return Ok(Vec::new());
        };
        let draft = plant.documents.get(document).and_then(|d| d.draft(version.id()));
        let Some(content) = draft.and_then(|draft| draft.contents.first()) else { return Ok(Vec::new()) };
        let about = About {
            requirement: requirement.requirement.clone(),
            document: Some(document.clone()),
            version: Some(version.id().clone()),
        };
        let read = Read {
            about: about.clone(),
            content: Some(content.hash),
            language: content.language.clone(),
            seconds: 200,
            reached_end: true,
        };
        let stream = Stream::record(&self.site);
        let draft = self.signed(person, read, Meaning::ReadAndUnderstood, at);
        let mut entries = vec![self.write(&stream, &draft, at)?];
        let quiz = requirement.activities.iter().find(|activity| activity.kind() == ActivityKind::Quiz);
        if let Some(shared::kind::plant::Activity::Quiz(quiz)) = quiz
            && let Some(set) = plant.quizzes.get(quiz)
        {
            let (outcome, score_percent) = (Outcome::Passed, 100);
            let (paper, answers, drawn) = (set.paper, vec![vec![0]], vec![0]);
            let attempt = QuizAttempt { about, quiz: quiz.clone(), paper, drawn, answers, score_percent, outcome };
            let draft = self.signed(person, attempt, Meaning::Answered, at.plus_ms(60_000));
            entries.push(self.write(&stream, &draft, at.plus_ms(60_000))?);
        }
        Ok(entries)
    }

    /// A start at a work unit, an hour of work, and the decision before it.
    pub fn work(
        &mut self,
        plant: &Plant,
        person: &PersonId,
        (task, unit): (&TaskId, &WorkUnitId),
        at: Timestamp,
    ) -> Result<Vec<Entry>, Trouble> {
        let (journal, presence) = (Stream::journal(&self.kiosk), Stream::presence(&self.site));
        let governed = plant.tasks.get(task).and_then(|t| t.requirements.first());
        let set = governed.and_then(|requirement| plant.requirements.get(requirement));
        let version = set.and_then(|set| match (plant.in_force(set, at), &set.document) {
            (InForce::Version(version), Some(document)) => Some((document.clone(), version.id().clone())),
            _ => None,
        });
        let decision = Decision {
            rule_version: 1,
            task: task.clone(),
            work_unit: unit.clone(),
            lot: None,
            earliest: at,
            latest: at,
            answer: "go".into(),
            evidence: vec![EntryId::of(b"a"), EntryId::of(b"b"), EntryId::of(b"c")],
            versions: version.iter().map(|(d, v)| DecidedVersion { document: d.clone(), version: v.clone() }).collect(),
            policy: None,
            offline_ms: 0,
            reasons: Vec::new(),
            trainer: None,
            records: None,
            visiting: None,
        };
        let draft = self.draft(Subject::person(person), decision);
        let decided = self.write(&journal, &draft, at)?;
        let session = self.act();
        let started = TaskStarted {
            session,
            task: task.clone(),
            work_unit: unit.clone(),
            lot: None,
            decision: decided.id(),
            trainer: None,
            versions: version.map(|(document, version)| StartedUnder { document, version }).into_iter().collect(),
        };
        let draft = self.draft(Subject::person(person), started);
        let started = self.write(&presence, &draft, at)?;
        let draft = self.draft(Subject::new("session", session), TaskEnded { session, how: SessionEnd::Tap });
        let ended = self.write(&presence, &draft, at.plus_ms(HOUR_MS))?;
        Ok(vec![decided, started, ended])
    }

    /// A person's last year: at least `count` entries of learning and working, two parts of work to one of learning.
    pub fn life(
        &mut self,
        plant: &Plant,
        person: &Signer<'_>,
        duties: &Duties<'_>,
        now: Timestamp,
        count: usize,
    ) -> Result<Vec<Entry>, Trouble> {
        let mut entries = Vec::new();
        for turn in 0.. {
            let at = now.plus_ms(-(300 - turn as i64 % 299) * DAY_MS);
            if turn % 3 == 0 {
                let requirement = duties.requirements[turn / 3 % duties.requirements.len()];
                entries.extend(self.learn(plant, person, requirement, at)?);
            } else {
                let place = &duties.places[turn % duties.places.len()];
                entries.extend(self.work(plant, person.person, (&place.0, &place.1), at)?);
            }
            if entries.len() >= count {
                break;
            }
        }
        Ok(entries)
    }
}

/// What people of the bench plant are asked to know, and where they work.
pub struct Duties<'p> {
    pub requirements: Vec<&'p RequirementSet>,
    pub places: Vec<(TaskId, WorkUnitId)>,
}

fn countersigned(draft: Draft, signer: &Signer<'_>, role: Role, meaning: Meaning, at: Timestamp) -> Draft {
    let printed_name = signer.person.to_string();
    let signing = Signing {
        signer: signer.person.clone(),
        printed_name,
        role,
        meaning,
        signed_at: at,
        shown: None,
        credential: None,
    };
    draft.signed_by(signing, signer.key)
}

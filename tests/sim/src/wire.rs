//! Messages on their way: calls, answers, peers and bundles; and, for a mutant, the same with something left out or made up.

use minicbor::bytes::ByteVec;
use shared::id::{Digest32, EntryId};
use shared::kind::plant::ServerRecovered;
use shared::kind::{Family, Meaning, Role};
use shared::log::entry::{Position, Signing, seal};
use shared::log::{Draft, Held, LogId, Shelf, Stream, Subject, Unverified};
use shared::sync::message::{Down, Have, SignedUp, Up};
use shared::sync::terminal::{Event, Gift, Outcome, PeerAnswer, Terminal};
use shared::sync::{OrderHead, ServerShelf, SignedHead};
use shared::time::{HybridTime, Timestamp};

use crate::check::Violation;
use crate::disk::KioskDisk;
use crate::model::Medium;
use crate::mutant::Mutant;
use crate::world::{Crash, World, sure, text, transaction};

/// A message that is under way.
#[derive(Debug, Clone)]
pub enum Flight {
    Up { from: usize, bytes: Vec<u8> },
    Down { to: usize, bytes: Vec<u8> },
}

/// Most calls in one exchange before the simulator says that two sides talk for ever.
const LONGEST_EXCHANGE: usize = 60;

impl World {
    /// The kiosk calls now.
    pub fn call(&mut self, kiosk: usize) -> Option<Vec<u8>> {
        let (now, crash) = (self.now_at(kiosk), self.mishap());
        let bytes = self.at_kiosk(kiosk, crash, |terminal, disk| {
            terminal.handle_bell(now);
            sure(terminal.poll_up(disk, now))
        })??;
        Some(self.altered_up(kiosk, bytes))
    }

    /// The server answers, unless it crashes.
    pub fn answer(&mut self, bytes: &[u8], crash: Crash) -> Option<Vec<u8>> {
        let up = SignedUp::open(bytes).ok()?;
        if self.mutant == Some(Mutant::RevokedMayNotGive) && self.is_from_revoked(&up) {
            return None;
        }
        let (clock, fresh) = (self.clock(), self.rng.incarnation());
        self.swallow_foreign_entries(&up);
        self.disk.entries.clock = clock;
        let ignored = self.mutant == Some(Mutant::ContradictionIgnored);
        let (disk, server) = (&mut self.disk, &self.server);
        let answer = transaction(disk, crash, |tx| {
            let was_stopped = sure(tx.stopped());
            let answer = sure(server.handle_up(tx, &up, clock, fresh)).ok()?;
            if ignored && !was_stopped {
                // The answer stays; the stop and the epoch don't.
                sure(tx.set_stopped(false));
            }
            Some(answer)
        });
        self.look_at(Medium::Server);
        let answer = answer.filter(|_| crash != Crash::Before)?;
        if sure(self.disk.stopped()) && self.server_restores == 0 {
            self.violate(Violation::StoppedOnALie);
        }
        if crash == Crash::After {
            return None;
        }
        let bytes = self.server.sign(answer);
        Some(self.altered_down(bytes))
    }

    /// The kiosk hears an answer.
    pub fn hear(&mut self, kiosk: usize, bytes: &[u8], crash: Crash) -> Option<bool> {
        let (now, fresh) = (self.now_at(kiosk), self.rng.fresh());
        let before = self.kiosks[kiosk].disk.reach();
        let past_gaps = self.mutant == Some(Mutant::CursorPastGaps);
        let heard = self.at_kiosk(kiosk, crash, |terminal, disk| {
            let outcome = sure(terminal.handle_down(disk, bytes, now, fresh));
            let contradicted = terminal.is_contradicted();
            while let Some(event) = terminal.poll_event() {
                if past_gaps && let Event::Waits { entry, .. } = event {
                    move_past(disk, bytes, &entry);
                }
            }
            (outcome, contradicted)
        });
        self.tend_key_store(kiosk);
        let (outcome, contradicted) = heard?;
        let Outcome::Taken(taken) = outcome else { return Some(false) };
        self.check_taking(kiosk, &before, bytes, contradicted);
        Some(taken.again)
    }

    /// A whole exchange; crashes are all that can befall it. `false` when it never ends.
    pub fn exchange(&mut self, kiosk: usize) -> bool {
        for _ in 0..LONGEST_EXCHANGE {
            let Some(up) = self.call(kiosk) else { return true };
            let crashes = [self.mishap(), self.mishap()];
            let Some(down) = self.answer(&up, crashes[0]) else { return true };
            if self.hear(kiosk, &down, crashes[1]) != Some(true) {
                return true;
            }
        }
        false
    }

    /// Over the LAN one kiosk calls another, gives what that lacks and takes what it lacks itself.
    pub fn give_to_peer(&mut self, caller: usize, called: usize) {
        for _ in 0..LONGEST_EXCHANGE {
            if self.talk_to_peer(caller, called) != Some(true) {
                return;
            }
        }
    }

    /// The three words of one conversation; whether another may bring more.
    fn talk_to_peer(&mut self, caller: usize, called: usize) -> Option<bool> {
        let (fresh, crash) = (self.rng.fresh(), self.mishap());
        let word = self.at_kiosk(caller, crash, |terminal, disk| sure(terminal.have(disk, fresh)))?;
        let heard = self.on_the_way(word.clone())?;
        let PeerAnswer::Have(tips) = self.hear_peer(called, &heard, None)? else { return None };
        let heard = self.on_the_way(tips.clone())?;
        let (gift, wants) = match self.hear_peer(caller, &heard, Some(&word))? {
            PeerAnswer::Give(gift, wants) => (Some(gift), wants),
            PeerAnswer::Have(wants) => (None, Some(wants)),
            PeerAnswer::Nothing | PeerAnswer::NoPeer => return None,
        };
        let gift = gift.and_then(|gift| self.on_the_way(gift));
        let mut news = gift.is_some_and(|gift| self.take_gift(called, &gift));
        let wants = wants.and_then(|wants| self.on_the_way(wants));
        if let Some(wants) = wants
            && let Some(PeerAnswer::Give(back, _)) = self.hear_peer(called, &wants, Some(&tips))
            && let Some(back) = self.on_the_way(back)
        {
            news |= self.take_gift(caller, &back);
        }
        Some(news)
    }

    /// A kiosk hears a peer's word; `said` is what it had said before. `None` when it refuses it.
    pub fn hear_peer(&mut self, kiosk: usize, word: &[u8], said: Option<&[u8]>) -> Option<PeerAnswer> {
        let (fresh, crash, said) = (self.rng.fresh(), self.mishap(), said.map(Digest32::of));
        let from = Have::open(word).ok()?.device;
        let heard = |terminal: &mut Terminal, disk: &mut KioskDisk| {
            sure(terminal.handle_have(disk, word, &from, said.as_ref(), fresh))
        };
        self.at_kiosk(kiosk, crash, heard)?.ok()
    }

    /// Takes what a peer or a bundle gives; whether anything of it was news.
    pub fn take_gift(&mut self, kiosk: usize, gift: &[u8]) -> bool {
        let (fresh, crash) = (self.rng.fresh(), self.mishap());
        let taken = self.at_kiosk(kiosk, crash, |terminal, disk| sure(terminal.handle_give(disk, gift, fresh)));
        self.tend_key_store(kiosk);
        matches!(taken, Some(Ok(taken)) if !taken.held.is_empty())
    }

    /// Writes all a kiosk holds to a stick.
    pub fn make_bundle(&mut self, kiosk: usize) -> Vec<Vec<u8>> {
        let (mut pieces, mut gift) = (Vec::new(), Gift::default());
        loop {
            let crash = self.mishap();
            let piece = self.at_kiosk(kiosk, crash, |terminal, disk| sure(terminal.bundle_piece(disk, &mut gift)));
            let Some(piece) = piece else { return pieces };
            pieces.push(piece.to_bytes());
            if !piece.more {
                return pieces;
            }
        }
    }

    pub fn bundle_to_server(&mut self, bundle: &[Vec<u8>]) {
        for piece in bundle {
            let (clock, fresh, crash) = (self.clock(), self.rng.incarnation(), self.mishap());
            self.disk.entries.clock = clock;
            let (disk, server) = (&mut self.disk, &self.server);
            let _taken = transaction(disk, crash, |tx| sure(server.handle_give(tx, piece, clock, fresh)));
            self.look_at(Medium::Server);
        }
    }

    // ---- what mutants do to the wire ----

    fn altered_up(&mut self, kiosk: usize, bytes: Vec<u8>) -> Vec<u8> {
        let Some(mutant) = self.mutant else { return bytes };
        let Ok(mut up) = Up::open(&bytes) else { return bytes };
        match mutant {
            Mutant::NoBeyond => up.beyond.clear(),
            Mutant::NoReissue => up.enrolments.clear(),
            Mutant::SentOnSend => up.entries.retain(|entry| self.sent.insert(EntryId::of(entry))),
            Mutant::ComparesNumbers => self.make_hashes_agree(&mut up),
            _ => return bytes,
        }
        let altered = up.seal(&self.kiosks[kiosk].key_store.secret);
        self.answered.insert(Digest32::of(&altered), Digest32::of(&bytes));
        altered
    }

    fn is_from_revoked(&self, up: &Up) -> bool {
        self.disk.entries.revocation_reason(&up.device).is_some()
    }

    fn make_hashes_agree(&self, up: &mut Up) {
        for cursor in &mut up.cursors {
            for segment in &mut cursor.path {
                let page = sure(self.disk.ordered(&cursor.stream, &segment.epoch, segment.end.saturating_sub(1), 1));
                if let Some(here) = page.first() {
                    segment.hash = here.chain;
                }
            }
        }
    }

    fn altered_down(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        let Some(mutant) = self.mutant else { return bytes };
        let Ok(mut down) = Down::open(&bytes) else { return bytes };
        match self.answered.get(&down.answers) {
            Some(original) => down.answers = *original,
            None if !matches!(mutant, Mutant::RecoveredInsideTheOrder | Mutant::TakesAnyway) => return bytes,
            None => {}
        }
        match mutant {
            Mutant::RecoveredInsideTheOrder => down.recovered.clear(),
            Mutant::TakesAnyway => down.recovered.extend(self.invented_recovery(&down)),
            _ => {}
        }
        down.seal(&self.secret)
    }

    /// A recovery that nobody signed off, so that a kiosk takes from whatever order it is shown.
    fn invented_recovery(&mut self, down: &Down) -> Option<ByteVec> {
        let epoch = down.paths.first()?.path.last()?.epoch;
        let log = LogId { device: self.secret.key(), incarnation: epoch, stream: Stream::plant_global() };
        let statement = self.statement(ServerRecovered { epoch, reason: "invented".into() });
        let mut draft = Draft::new(Subject::new("server", self.secret.key()), statement);
        for (index, secret) in self.quality.clone().iter().enumerate() {
            draft = draft.signed_by(nobody(index, self.now_ms), secret);
        }
        let hybrid = HybridTime::default();
        let position = Position { log, counter: 1, prev: None, hybrid, clock: self.clock(), plant: vec![] };
        seal(&draft, &position, &self.secret).ok().map(|entry| ByteVec::from(entry.bytes().to_vec()))
    }

    /// The mutant without S5 holds entries of its own epoch that it didn't write, and thinks nothing of it.
    fn swallow_foreign_entries(&mut self, up: &Up) {
        let gaps = self.mutant == Some(Mutant::AcceptsGaps);
        let silent = self.mutant == Some(Mutant::NoNewEpochForForeignEntries);
        if !gaps && !silent {
            return;
        }
        let epoch = sure(self.disk.epochs()).last().copied();
        for entry in up.entries.iter().filter_map(|bytes| Unverified::read(bytes).ok()?.signed()) {
            let own = entry.log().device == self.secret.key() && Some(entry.log().incarnation) == epoch;
            if (gaps || own) && !self.disk.entries.holds(&entry.id()) {
                self.swallow(entry);
            }
        }
    }

    fn swallow(&mut self, entry: shared::log::Entry) {
        let Some(epoch) = sure(self.disk.epochs()).last().copied() else { return };
        let (stream, id) = (entry.log().stream.clone(), entry.id());
        sure(self.disk.put(&Held::own(entry.clone())));
        if let Some(fork) = sure(shared::log::standing::fork_at(&entry, &self.disk)) {
            sure(shared::sync::Replica::raise(&mut self.disk, &fork));
        }
        let before = sure(self.disk.last_ordered(&stream, &epoch));
        let number = before.as_ref().map_or(1, |last| last.number + 1);
        let start = shared::sync::order::chain_start(&epoch, &stream);
        let chain = shared::sync::order::chain_next(&before.map_or(start, |last| last.chain), &id);
        sure(self.disk.order(&stream, &epoch, &shared::sync::store::Ordered { number, chain, entry: id }));
    }

    // ---- what a hostile device does ----

    /// An enrolled device shows heads that the server never signed, and entries that nobody may hold.
    pub fn hostile_call(&mut self) -> Vec<u8> {
        let entries = self.forgeries();
        let epochs = sure(self.disk.epochs());
        let stream = Stream::plant_global();
        let epoch = if self.rng.chance(50) { epochs.last().copied() } else { None };
        let epoch = epoch.unwrap_or_else(|| self.rng.incarnation());
        let (end, hash) = (1 + self.rng.below(50) as u64, Digest32(self.rng.bytes()));
        let path = vec![shared::sync::Segment { epoch, end, hash }];
        let before = shared::sync::order::digest_of_path(&[]);
        let head =
            OrderHead { server: self.secret.key(), stream: stream.clone(), epoch, number: end, chain: hash, before };
        let believed = self.mutant == Some(Mutant::BelievesUnsignedHeads);
        let signed = head.sign(if believed { &self.secret } else { &self.hostile });
        let witness: Option<SignedHead> = (believed || self.rng.chance(70)).then_some(signed);
        let up = Up {
            number: self.rng.bits(),
            server: self.secret.key(),
            device: self.hostile.key(),
            incarnation: self.rng.incarnation(),
            wall: Timestamp(self.now_ms),
            uncertainty_ms: 0,
            as_of: Timestamp(self.now_ms),
            cursors: vec![shared::sync::message::CursorShown { stream, path, witness }],
            heads: vec![],
            beyond: vec![],
            entries,
            enrolments: vec![],
            box_mark: None,
            boxes: vec![],
            peppers: None,
        };
        up.seal(&self.hostile)
    }

    /// One in the server's own stream, one from a stranger, one that names an entry of another log as previous, one in a stream that nobody gave its
    /// device, and a damaged one.
    pub fn forgeries(&mut self) -> Vec<ByteVec> {
        let stranger = shared::part11::signature::DeviceSecret::from_seed(self.rng.bytes());
        let elsewhere = self.kiosks.first().and_then(|kiosk| {
            let logs = sure(kiosk.disk.logs());
            logs.iter().find(|log| log.device == kiosk.key()).map(|log| sure(kiosk.disk.tips(log)))
        });
        let elsewhere = elsewhere.and_then(|tips| tips.first().copied());
        let mut forged = Vec::new();
        let record = self.record();
        for (secret, stream, prev) in [
            (self.hostile.clone(), Stream::plant_global(), None),
            (stranger, record.clone(), None),
            (self.hostile.clone(), record.clone(), elsewhere),
            (self.hostile.clone(), Stream::of(Family::Presence, "ELSEWHERE"), None),
            (self.hostile.clone(), record, None),
        ] {
            let statement = self.statement(shared::kind::presence::BadgeIn { day_pass: true });
            let log = LogId { device: secret.key(), incarnation: self.rng.incarnation(), stream };
            let counter = prev.map_or(1, |(counter, _)| counter + 1);
            let prev = prev.map(|(_, id)| id);
            let hybrid = HybridTime::default();
            let position = Position { log, counter, prev, hybrid, clock: self.clock(), plant: vec![] };
            let Ok(entry) = seal(&Draft::new(Subject::new("person", "maria"), statement), &position, &secret) else {
                continue;
            };
            forged.push(entry.bytes().to_vec());
        }
        // The last is good but for its signature.
        if let Some(byte) = forged.last_mut().and_then(|bytes| bytes.last_mut()) {
            *byte ^= 1;
        }
        // Without a log to name, the third is a proper first entry and no forgery.
        if elsewhere.is_none() {
            forged.remove(2);
        }
        self.forged.extend(forged.iter().map(|bytes| EntryId::of(bytes)));
        forged.into_iter().map(ByteVec::from).collect()
    }

    /// Whether the kiosk's cursors say the same as the server's order does now.
    pub fn follows_order(&self, kiosk: usize) -> bool {
        let epochs = sure(self.disk.epochs());
        let receipts = self.kiosks[kiosk].disk.receipts().iter();
        receipts.flat_map(|(stream, steps)| steps.iter().map(move |step| (stream, step))).all(|(stream, step)| {
            let page = sure(self.disk.ordered(stream, &step.epoch, step.number.saturating_sub(1), 1));
            epochs.contains(&step.epoch)
                && page.first().is_some_and(|here| here.chain == step.chain && here.entry == step.entry)
        })
    }
}

fn nobody(index: usize, now_ms: i64) -> Signing {
    let signer: shared::id::PersonId = text(&format!("nobody-{index}"));
    let printed_name = signer.to_string();
    let (role, meaning, signed_at) = (Role::Quality, Meaning::Ruled, Timestamp(now_ms));
    Signing { signer, printed_name, role, meaning, signed_at, shown: None, credential: None }
}

/// The mutant that waits for nothing: its cursor goes on past what an answer brought and couldn't be held.
fn move_past(disk: &mut KioskDisk, answer: &[u8], entry: &EntryId) {
    let Ok(down) = Down::open(answer) else { return };
    if let Some(item) = down.items.iter().find(|item| item.given.id() == *entry) {
        disk.move_past(item);
    }
}

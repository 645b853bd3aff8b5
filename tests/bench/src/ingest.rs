//! The server takes in what a kiosk gathered while it was alone: verified, judged, ordered and durable.

use std::time::{Duration, Instant};

use shared::id::*;
use shared::log::{Entry, Stream};
use shared::part11::signature::PersonSecret;
use shared::sync::TerminalShelf;
use shared::time::{ClockReading, DAY_MS};

use crate::Trouble;
use crate::author::Signer;
use crate::figure::Figure;
use crate::full::{ELSEWHERE, FullPlant, duties, put};
use crate::limit::{Bare, verifying};

const PEOPLE: usize = 100;
const EACH: usize = 200;

pub fn measure(full: &mut FullPlant) -> Result<Figure, Trouble> {
    let entries = gather(full)?;
    let server = &full.plant.server;
    let mut bare = Bare::open(&full.plant.path(ELSEWHERE))?;
    // The kiosk's calls, each answered before the next is made; only the server's part counts.
    let (mut took, mut calls, mut bare_took) = (Duration::ZERO, 0, Duration::ZERO);
    let before = held(server)?;
    loop {
        let up = full.plant.kiosk(ELSEWHERE).poll_up()?;
        let Some(up) = up else { break };
        let server = &full.plant.server;
        let began = Instant::now();
        let down = server.exchange(&up)?;
        took += began.elapsed();
        calls += 1;
        let news = full.plant.kiosk(ELSEWHERE).handle_down(&down, 0)?;
        if let Some(why) = news.dropped {
            return Err(format!("the kiosk dropped an answer: {why}").into());
        }
    }
    let taken = held(&full.plant.server)? - before;
    if taken < entries.len() {
        return Err(format!("the server took {taken} of {} entries", entries.len()).into());
    }
    // The same rows in as many commits.
    for batch in entries.chunks(entries.len().div_ceil(calls.max(1))) {
        bare_took += bare.commit(batch.iter().map(Entry::bytes))?;
    }
    let verify_took = verifying(&entries);
    let signatures: usize = entries.iter().map(|entry| 1 + entry.blocks().len()).sum();
    let count = entries.len() as f64;
    let (figure, limit) = (count / took.as_secs_f64(), count / verify_took.max(bare_took).as_secs_f64());
    Ok(Figure {
        name: "ingest",
        figure,
        unit: "entries/s",
        limit,
        ratio: figure / limit,
        promise: "≥ 50 % of the slower of bare verifications and bare rows, on one core",
        held: figure >= 0.5 * limit,
        size: format!(
            "{} entries of {PEOPLE} people in {calls} calls, {signatures} signatures; verifying alone {:.2} s, rows alone {:.2} s, ours {:.2} s",
            entries.len(),
            verify_took.as_secs_f64(),
            bare_took.as_secs_f64(),
            took.as_secs_f64()
        ),
        seed: full.size.seed,
    })
}

fn held(server: &sync_server::core::Core) -> Result<usize, Trouble> {
    let count: i64 = server.ledger().connection().query_row("SELECT count(*) FROM entry", [], |row| row.get(0))?;
    Ok(count as usize)
}

/// Writes people's work into the other kiosk's own logs, as it would have come to lie there: in the order of the clock, people mixed.
fn gather(full: &mut FullPlant) -> Result<Vec<Entry>, Trouble> {
    let plant = full.plant.kiosk(ELSEWHERE).plant().clone();
    let (people, leads_key) = (full.active_people(), full.leads_key()?);
    let mut ledger = kiosk::store::open(&full.plant.path(ELSEWHERE).join("kiosk.sqlite"))?;
    let clock = ClockReading::exact(full.now);
    let incarnation = kiosk::store::step(&mut ledger, clock, |step| step.incarnation())?;
    let mut author = full.author(incarnation.ok_or("the kiosk has no incarnation")?)?;
    full.plant.stop(ELSEWHERE);
    for stream in [Stream::record(&author.site), Stream::presence(&author.site), Stream::journal(&author.kiosk)] {
        let tips = store::shelf::tips(ledger.connection(), &author.log(&stream))?;
        if let Some((counter, last)) = tips.into_iter().max() {
            author.go_on_behind(stream, counter, last);
        }
    }
    let duties = duties(&plant, full.now);
    let lead = Signer { person: &full.lead, key: &leads_key };
    let keys: Vec<(&PersonId, PersonSecret)> = people
        .iter()
        .rev()
        .take(PEOPLE)
        .map(|person| (person, PersonSecret::from_seed(Digest32::of_parts(&[b"ingest", person.as_str().as_bytes()]).0)))
        .collect();
    let mut entries = Vec::new();
    for (person, key) in &keys {
        let mine = Signer { person, key };
        entries.push(author.set_up(&mine, Digest32::of(b"no box"), &lead, full.now.plus_ms(-400 * DAY_MS))?);
    }
    // A little of everybody, round by round.
    const ROUND: usize = 10;
    for round in 0..(EACH - 1) / ROUND {
        for (person, key) in &keys {
            let now = full.now.plus_ms(round as i64 * DAY_MS);
            entries.extend(author.life(&plant, &Signer { person, key }, &duties, now, ROUND)?);
        }
    }
    put(&mut ledger, clock, &entries, None)?;
    drop(ledger);
    full.plant.start(ELSEWHERE);
    full.plant.kiosk(ELSEWHERE).call_soon();
    Ok(entries)
}

//! A conversation between two kiosks, from both ends. Each takes what it is given in durable steps of its own; whoever breaks off loses nothing.

use shared::id::Digest32;
use shared::sync::message::Give;
use shared::sync::terminal::PeerAnswer;

use super::book::Spoke;
use super::line::{Broken, Coming, Frame, Line};
use crate::core::Core;
use crate::core::peer::Brought;
use crate::runtime::Reach;

/// Most rounds of one conversation; what is left waits for the next.
const MOST_ROUNDS: usize = 16;
/// Most documents asked for in one conversation.
const MOST_BLOBS: usize = 8;

/// Calls: gives what the other lacks, takes what is lacking here, round after round until both hold the same.
pub async fn call(core: &impl Reach, line: &mut Line) -> Result<Spoke, Broken> {
    let (mut brought, mut last, mut stuck) = (Brought::default(), None, false);
    for _ in 0..MOST_ROUNDS {
        let Some(round) = one_round(core, line).await? else { break };
        brought.add(round.brought);
        // Neither side got on: what is refused or waits is the same the next time.
        stuck = round.brought.held == 0 && (round.gift.is_none() || round.gift == last);
        if stuck {
            break;
        }
        last = round.gift;
    }
    brought.add(fetch_blobs(core, line).await?);
    line.say(&Frame::Nothing).await?;
    Ok(match brought {
        Brought { held: 0, blobs: 0, .. } if stuck => Spoke::Failed,
        Brought { held: 0, blobs: 0, .. } => Spoke::Same,
        _ => Spoke::Brought,
    })
}

struct Round {
    brought: Brought,
    /// Digest of what was given, when anything was.
    gift: Option<Digest32>,
}

/// One round; `None` when both hold the same.
async fn one_round(core: &impl Reach, line: &mut Line) -> Result<Option<Round>, Broken> {
    let word = core.with(Core::first_word).await??;
    line.say(&Frame::Have(word.clone())).await?;
    let tips = match line.hear(Coming::Word).await? {
        Frame::Have(tips) => tips,
        Frame::Nothing => return Ok(None),
        _ => return Err(Broken::OutOfTurn),
    };
    let mut round = Round { brought: Brought::default(), gift: None };
    let wants = match hear(core, line, tips, Some(Digest32::of(&word))).await? {
        PeerAnswer::Nothing => return Ok(None),
        PeerAnswer::NoPeer => return Err(Broken::NoPeer),
        PeerAnswer::Have(wants) => Some(wants),
        PeerAnswer::Give(gift, wants) => {
            if Give::read(&gift).is_ok_and(|give| !give.entries.is_empty()) {
                round.gift = Some(Digest32::of(&gift));
                line.say(&Frame::Give(gift)).await?;
            }
            wants
        }
    };
    if let Some(wants) = wants {
        line.say(&Frame::Have(wants)).await?;
        match line.hear(Coming::Message).await? {
            Frame::Give(gift) => round.brought = core.with(move |core| core.take_gift(&gift)).await??,
            Frame::Nothing => {}
            _ => return Err(Broken::OutOfTurn),
        }
    }
    Ok(Some(round))
}

/// Asks for documents that are lacking here. Somebody who isn't enrolled isn't even told which.
async fn fetch_blobs(core: &impl Reach, line: &mut Line) -> Result<Brought, Broken> {
    let (mut brought, peer) = (Brought::default(), line.peer);
    if !core.with(move |core| core.knows(&peer)).await?? {
        return Ok(brought);
    }
    for digest in core.with(Core::wanted_blobs).await?.into_iter().take(MOST_BLOBS) {
        line.say(&Frame::AskBlob(digest)).await?;
        match line.hear(Coming::Blob).await? {
            Frame::Blob(bytes) => brought.add(core.with(move |core| core.take_blob(&bytes)).await??),
            Frame::Nothing => {}
            _ => return Err(Broken::OutOfTurn),
        }
    }
    Ok(brought)
}

/// Answers a call until the other has nothing more to say.
pub async fn answer(core: &impl Reach, line: &mut Line) -> Result<Brought, Broken> {
    let (mut brought, mut said, mut known) = (Brought::default(), None, false);
    // A round has two words and a gift.
    for _ in 0..3 * MOST_ROUNDS + MOST_BLOBS {
        // Who says nothing holds no place that another could have.
        let frame = match known {
            true => line.hear(Coming::Message).await?,
            false => soon(line.hear(Coming::Word)).await?,
        };
        match frame {
            Frame::Nothing => return Ok(brought),
            Frame::Have(word) => {
                let answer = hear(core, line, word, said.take()).await?;
                known = true;
                let frame = match answer {
                    PeerAnswer::NoPeer => return Err(Broken::NoPeer),
                    PeerAnswer::Nothing => Frame::Nothing,
                    PeerAnswer::Give(gift, _) => Frame::Give(gift),
                    PeerAnswer::Have(next) => {
                        said = Some(Digest32::of(&next));
                        Frame::Have(next)
                    }
                };
                line.say(&frame).await?;
            }
            // From somebody enrolled, be they revoked meanwhile; a stranger was sent away at the first word.
            Frame::Give(gift) if known => brought.add(core.with(move |core| core.take_gift(&gift)).await??),
            Frame::AskBlob(digest) if known => {
                let peer = line.peer;
                let blob = core.with(move |core| core.blob_for(&peer, &digest)).await??;
                line.say(&blob.map_or(Frame::Nothing, Frame::Blob)).await?;
            }
            _ => return Err(Broken::OutOfTurn),
        }
    }
    Ok(brought)
}

async fn soon(frame: impl Future<Output = Result<Frame, Broken>>) -> Result<Frame, Broken> {
    tokio::time::timeout(super::OPENING_TIMEOUT, frame).await.unwrap_or(Err(Broken::TooSlow))
}

async fn hear(core: &impl Reach, line: &Line, word: Vec<u8>, said: Option<Digest32>) -> Result<PeerAnswer, Broken> {
    let peer = line.peer;
    Ok(core.with(move |core| core.hear_peer(&word, &peer, said.as_ref())).await???)
}

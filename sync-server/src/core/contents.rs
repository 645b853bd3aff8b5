//! Contents that the plant names and that are not here: a server that was put back asks kiosks for them.

use std::sync::PoisonError;

use shared::id::Digest32;

use super::Core;

impl Core {
    /// The blobs that procedures and quizzes name and that aren't here.
    pub fn lacking_blobs(&self) -> Vec<Digest32> {
        let mut lacking = self.lacking.lock().unwrap_or_else(PoisonError::into_inner);
        lacking.retain(|digest| !self.blobs.has(digest));
        lacking.clone()
    }

    /// Looks at everything that is named. Done at the start, and whenever a kiosk has brought plant entries: only a server that lost them is brought
    /// any. What is written here itself has its contents first.
    pub(super) fn look_for_lacking_blobs(&self) {
        let plant = self.plant();
        let drafts = plant
            .documents
            .values()
            .flat_map(|document| document.versions.iter().filter_map(|v| document.draft(v.id())));
        let contents = drafts.flat_map(|draft| draft.contents.iter().map(|content| content.hash));
        let mut named: Vec<Digest32> = contents.chain(plant.quizzes.values().map(|quiz| quiz.paper)).collect();
        named.sort_unstable();
        named.dedup();
        named.retain(|digest| !self.blobs.has(digest));
        *self.lacking.lock().unwrap_or_else(PoisonError::into_inner) = named;
    }
}

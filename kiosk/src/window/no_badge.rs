//! Without a badge.

use kiosk_ui as ui;
use slint::ComponentHandle;

use super::convert::{Rows, ToUi, codes, structs};
use crate::presenter::view;

codes! {
    NoBadgeStep { Person, What, Identification, Until, Loss, Since, Done }
    NoBadgeRefusal { None, NotAllowed, SamePerson, Inactive, OtherSite, LockedOut, NoSecret, RuledOut, NoBadge }
}

structs! {
    HolderRow { number, name, until }
}

pub(super) struct Adapter {
    holders: Rows<view::HolderRow>,
    found: Rows<String>,
    untils: Rows<String>,
    signatures: Rows<view::SignatureRow>,
}

impl Adapter {
    pub fn on(app: &ui::App) -> Self {
        let screen = app.global::<ui::NoBadge>();
        Self {
            holders: Rows::new(|rows| screen.set_holders(rows)),
            found: Rows::new(|rows| screen.set_found(rows)),
            untils: Rows::new(|rows| screen.set_untils(rows)),
            signatures: Rows::new(|rows| screen.set_signatures(rows)),
        }
    }

    pub fn show(&mut self, app: &ui::App, now: &view::NoBadge) {
        let view::NoBadge {
            helper,
            able,
            holders,
            page,
            pages,
            step,
            refusal,
            typed,
            found,
            more,
            person,
            untils,
            shift_ends,
            until,
            signatures,
            entry,
        } = now;
        let screen = app.global::<ui::NoBadge>();
        screen.set_helper(helper.ui());
        screen.set_able(able.ui());
        self.holders.follow(holders);
        screen.set_page(page.ui());
        screen.set_pages(pages.ui());
        screen.set_step(step.ui());
        screen.set_refusal(refusal.ui());
        screen.set_typed(typed.ui());
        self.found.follow(found);
        screen.set_more(more.ui());
        screen.set_person(person.ui());
        self.untils.follow(untils);
        screen.set_shift_ends(shift_ends.ui());
        screen.set_until(until.ui());
        self.signatures.follow(signatures);
        screen.set_entry(entry.ui());
    }
}

//! The on-screen keyboard and the language it and the screen speak.

use super::Presenter;
use super::id::KeyTap;
use super::view::{self, KeyLayer, KeyLayout};

impl Presenter {
    pub(super) fn next_language(&mut self) {
        let languages = &self.settings.languages;
        let here = languages.iter().position(|language| *language == self.language);
        let next = here.map_or(0, |place| (place + 1) % languages.len());
        if let Some(language) = languages.get(next) {
            self.language = language.clone();
            self.keyboard.layout = layout_for(&self.language);
        }
    }

    /// Speaks a person's language if the screens have it, by its primary part.
    pub(super) fn speak(&mut self, language: &str) {
        let primary = |tag: &str| tag.split('-').next().unwrap_or(tag).to_lowercase();
        let found = self.settings.languages.iter().find(|known| primary(known) == primary(language));
        let own = found.or(self.settings.languages.first()).cloned();
        self.language = own.unwrap_or_else(|| "en".into());
        self.keyboard = keyboard_for(&self.language);
    }

    /// Applies a key of a pad or the on-screen keyboard to a text.
    pub(super) fn press(keyboard: &mut view::Keyboard, text: &mut String, key: KeyTap, most: usize) {
        match key {
            KeyTap::Character(c) if text.chars().count() < most => {
                text.push(c);
                // Shift holds for one letter.
                if keyboard.layer == KeyLayer::Upper {
                    keyboard.layer = KeyLayer::Lower;
                }
            }
            KeyTap::Back => drop(text.pop()),
            KeyTap::Clear => text.clear(),
            KeyTap::Shift => keyboard.layer = toggled(keyboard.layer, KeyLayer::Upper),
            KeyTap::Symbols => keyboard.layer = toggled(keyboard.layer, KeyLayer::Symbols),
            KeyTap::Character(_) | KeyTap::Letters | KeyTap::Minus | KeyTap::Point => {}
        }
    }
}

fn toggled(layer: KeyLayer, other: KeyLayer) -> KeyLayer {
    if layer == other { KeyLayer::Lower } else { other }
}

fn layout_for(language: &str) -> KeyLayout {
    if language.starts_with("de") { KeyLayout::Qwertz } else { KeyLayout::Qwerty }
}

pub(super) fn keyboard_for(language: &str) -> view::Keyboard {
    view::Keyboard { layer: KeyLayer::Lower, layout: layout_for(language) }
}

//! The rules, measured on what is really shown.

use std::collections::HashMap;
use std::ops::ControlFlow;

use i_slint_core::accessibility::AccessibleStringProperty;
use i_slint_core::item_tree::{ItemRc, ParentItemTraversalMode};
use i_slint_core::items::{ComplexText, SimpleText, StyledTextItem, TextWrap, TouchArea};
use i_slint_core::layout::Orientation;
use i_slint_core::lengths::LogicalRect;
use i_slint_core::window::WindowInner;
use kiosk_ui::Screen;
use slint::platform::{PointerEventButton, WindowEvent};
use slint::{ComponentHandle, LogicalPosition, Rgba8Pixel, SharedPixelBuffer};

use crate::stage::Shown;

const TARGET: f32 = 72.0;
const PIN_KEY: f32 = 96.0;
const GAP: f32 = 12.0;
const HALF: f32 = 0.5;

pub fn faults(shown: &Shown) -> Vec<String> {
    let mut faults = Vec::new();
    targets(shown, &mut faults);
    texts(shown, &mut faults);
    faults
}

struct Target {
    id: String,
    label: String,
    enabled: bool,
    rect: LogicalRect,
}

/// Sizes, gaps and ids of what can be touched, and that a tap in its middle arrives.
fn targets(shown: &Shown, faults: &mut Vec<String>) {
    let (found, areas) = find_targets(shown);
    if areas != found.len() {
        faults.push(format!("{areas} touch areas, but {} accessible ids", found.len()));
    }
    let window = shown.app.window();
    let size = window.size().to_logical(shown.scale);
    let whole = LogicalRect::from_size((size.width, size.height).into()).inflate(HALF, HALF);
    for (index, Target { id, label, enabled, rect }) in found.iter().enumerate() {
        let least = if id.starts_with("key:") && shown.screen == Screen::Secret { PIN_KEY } else { TARGET };
        if rect.width() < least - HALF || rect.height() < least - HALF {
            faults.push(format!("{id} is {} × {}, less than {least}", rect.width(), rect.height()));
        }
        if !whole.contains_rect(rect) {
            faults.push(format!("{id} leaves the window: {rect:?}"));
        }
        if label.is_empty() {
            faults.push(format!("{id} has no label"));
        }
        for other in &found[..index] {
            if other.id == *id {
                faults.push(format!("{id} stands twice"));
            }
            let apart_x = (other.rect.min_x() - rect.max_x()).max(rect.min_x() - other.rect.max_x());
            let apart_y = (other.rect.min_y() - rect.max_y()).max(rect.min_y() - other.rect.max_y());
            if apart_x.max(apart_y) < GAP - HALF {
                faults.push(format!("{id} and {} are only {:.1} apart", other.id, apart_x.max(apart_y)));
            }
        }
        shown.taps.borrow_mut().clear();
        let position = LogicalPosition::new(rect.center().x, rect.center().y);
        let button = PointerEventButton::Left;
        window.dispatch_event(WindowEvent::PointerPressed { position, button });
        window.dispatch_event(WindowEvent::PointerReleased { position, button });
        let expected: &[String] = if *enabled { std::slice::from_ref(id) } else { &[] };
        if *shown.taps.borrow() != expected {
            faults.push(format!("a tap on {id} gave {:?}", shown.taps.borrow()));
        }
    }
}

/// Everything with an accessible id, and how many touch areas there are.
fn find_targets(shown: &Shown) -> (Vec<Target>, usize) {
    let root = ItemRc::new_root(WindowInner::from_pub(shown.app.window()).component());
    let mut found = Vec::new();
    let mut areas = 0;
    root.visit_descendants(|item| -> ControlFlow<()> {
        if !item.is_visible() {
            return ControlFlow::Continue(());
        }
        areas += usize::from(item.downcast::<TouchArea>().is_some());
        let said = |what| item.accessible_string_property(what).unwrap_or_default().to_string();
        let id = said(AccessibleStringProperty::Id);
        if !id.is_empty() {
            let geometry = item.geometry();
            found.push(Target {
                id,
                label: said(AccessibleStringProperty::Label),
                enabled: said(AccessibleStringProperty::Enabled) != "false",
                rect: LogicalRect::new(item.map_to_window(geometry.origin), geometry.size),
            });
        }
        ControlFlow::Continue(())
    });
    (found, areas)
}

struct Line {
    text: String,
    rect: LogicalRect,
}

/// That every text is whole: inside everything that holds it, no word broken, none over another, and readable.
fn texts(shown: &Shown, faults: &mut Vec<String>) {
    let root = ItemRc::new_root(WindowInner::from_pub(shown.app.window()).component());
    let mut lines: Vec<Line> = Vec::new();
    let mut measure = Measure::default();
    root.visit_descendants(|item| -> ControlFlow<()> {
        if !item.is_visible() {
            return ControlFlow::Continue(());
        }
        let Some(text) = Text::of(item) else {
            return ControlFlow::Continue(());
        };
        if text.words.trim().is_empty() {
            return ControlFlow::Continue(());
        }
        let geometry = item.geometry();
        let rect = LogicalRect::new(item.map_to_window(geometry.origin), geometry.size);
        let adapter = item.window_adapter().expect("the item is in a window");
        let vertical = item.borrow().as_ref().layout_info(Orientation::Vertical, geometry.width(), &adapter, item);
        let horizontal = item.borrow().as_ref().layout_info(Orientation::Horizontal, -1.0, &adapter, item);
        if vertical.preferred > geometry.height() + HALF {
            faults.push(format!("«{}» needs height {} and has {}", text.words, vertical.preferred, geometry.height()));
        }
        if horizontal.min > geometry.width() + HALF {
            faults.push(format!("«{}» needs width {} and has {}", text.words, horizontal.min, geometry.width()));
        }
        if let Some((size, weight)) = text.font {
            // A line may break after a hyphen.
            for word in text.words.split_whitespace().flat_map(|word| word.split_inclusive('-')) {
                let width = measure.width(word, size, weight);
                if width > geometry.width() + 1.0 {
                    faults.push(format!("«{word}» is {width} wide and has {}", geometry.width()));
                }
            }
        }
        let mut holder = item.parent_item(ParentItemTraversalMode::StopAtPopups);
        while let Some(parent) = holder {
            let g = parent.geometry();
            let around = LogicalRect::new(parent.map_to_window(g.origin), g.size);
            if around.area() > 0.0 && !around.inflate(1.0, 1.0).contains_rect(&rect) {
                faults.push(format!("«{}» {rect:?} leaves its place {around:?}", text.words));
                break;
            }
            holder = parent.parent_item(ParentItemTraversalMode::StopAtPopups);
        }
        for other in &lines {
            let both = rect.inflate(-1.0, -1.0).intersection(&other.rect.inflate(-1.0, -1.0));
            if both.is_some_and(|both| both.width() > 1.0 && both.height() > 1.0) {
                faults.push(format!("«{}» lies over «{}»", text.words, other.text));
            }
        }
        let contrast = shown.picture.as_ref().map_or(f32::MAX, |picture| contrast(picture, shown.scale, rect));
        if contrast < 4.5 {
            faults.push(format!("«{}» has contrast {contrast:.1}", text.words));
        } else if contrast < 7.0 && shown.screen == Screen::Verdict && text.font.is_some_and(|(size, _)| size > 25.0) {
            faults.push(format!("«{}» has contrast {contrast:.1} on a verdict", text.words));
        }
        lines.push(Line { text: text.words, rect });
        ControlFlow::Continue(())
    });
}

struct Text {
    words: String,
    /// Size and weight; none for text that mixes them.
    font: Option<(f32, i32)>,
}

impl Text {
    fn of(item: &ItemRc) -> Option<Self> {
        if let Some(text) = item.downcast::<ComplexText>() {
            let text = text.as_pin_ref();
            return Some(Self {
                words: text.text().to_string(),
                // Text that may break anywhere has no words to keep whole.
                font: (text.wrap() != TextWrap::CharWrap).then(|| (text.font_size().get(), text.font_weight())),
            });
        }
        if let Some(text) = item.downcast::<SimpleText>() {
            let text = text.as_pin_ref();
            return Some(Self {
                words: text.text().to_string(),
                font: Some((text.font_size().get(), text.font_weight())),
            });
        }
        let text = item.downcast::<StyledTextItem>()?;
        let words = i_slint_core::styled_text::get_raw_text(&text.as_pin_ref().text()).into_owned();
        Some(Self { words, font: None })
    }
}

mod ruler {
    slint::slint! {
        export component Ruler inherits Window {
            in property <string> words;
            in property <length> size;
            in property <int> weight;
            out property <length> extent: line.preferred-width;
            default-font-family: "Inter";
            line := Text {
                text: root.words;
                font-size: root.size;
                font-weight: root.weight;
            }
        }
    }
}

thread_local! {
    /// Words measured once: the same few hundred come back in every picture.
    static WIDTHS: std::cell::RefCell<HashMap<(String, u32, i32), f32>> = std::cell::RefCell::default();
}

#[derive(Default)]
struct Measure {
    ruler: Option<ruler::Ruler>,
}

impl Measure {
    fn width(&mut self, word: &str, size: f32, weight: i32) -> f32 {
        let key = (word.to_owned(), size.to_bits(), weight);
        if let Some(width) = WIDTHS.with(|widths| widths.borrow().get(&key).copied()) {
            return width;
        }
        let ruler = self.ruler.get_or_insert_with(|| ruler::Ruler::new().expect("the testing backend opens windows"));
        ruler.set_words(word.into());
        ruler.set_size(size);
        ruler.set_weight(weight);
        let width = ruler.get_extent();
        WIDTHS.with(|widths| widths.borrow_mut().insert(key, width));
        width
    }
}

/// Highest contrast between the background of a text and any pixel in its place.
fn contrast(picture: &SharedPixelBuffer<Rgba8Pixel>, scale: f32, rect: LogicalRect) -> f32 {
    let (width, height) = (picture.width() as i64, picture.height() as i64);
    let pixels = picture.as_slice();
    let scaled = |value: f32| (value * scale).round() as i64;
    let mut counts: HashMap<(u8, u8, u8), u32> = HashMap::new();
    for y in scaled(rect.min_y()).clamp(0, height)..scaled(rect.max_y()).clamp(0, height) {
        for x in scaled(rect.min_x()).clamp(0, width)..scaled(rect.max_x()).clamp(0, width) {
            let pixel = pixels[(y * width + x) as usize];
            *counts.entry((pixel.r, pixel.g, pixel.b)).or_default() += 1;
        }
    }
    let Some((&background, _)) = counts.iter().max_by_key(|(_, count)| **count) else {
        return 0.0;
    };
    counts.keys().map(|&ink| ratio(ink, background)).fold(0.0, f32::max)
}

/// WCAG 2.2 contrast ratio.
fn ratio(a: (u8, u8, u8), b: (u8, u8, u8)) -> f32 {
    let luminance = |(r, g, b): (u8, u8, u8)| {
        let linear = |value: u8| {
            let value = f32::from(value) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

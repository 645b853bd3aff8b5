//! Golden pictures: how each state looked when somebody last looked at it, a quarter as wide and as high.
//!
//! A picture that differs is written in full into the folder for temporary files, and named. After a look at it
//! `KIOSK_UI_GOLDEN=renew` puts it in the golden one's place.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};

use slint::{Rgba8Pixel, SharedPixelBuffer};

use crate::stage::write_png;

/// So many pixels of a picture, in each direction, are one of its golden picture.
const SHRUNK: usize = 4;
/// Golden pixels are compared by squares of so many in each direction.
const SQUARE: usize = 8;
/// How far a colour may be off in a square, of 255, in the mean: edges of letters, and nothing that anybody sees.
const MOST_OFF: u64 = 4;

/// A picture without transparency.
#[derive(PartialEq)]
struct Picture {
    width: usize,
    height: usize,
    /// Red, green and blue, row by row.
    colours: Vec<u8>,
}

pub struct Golden {
    folder: PathBuf,
    renew: bool,
    seen: BTreeSet<String>,
}

impl Golden {
    pub fn open() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        let renew = std::env::var("KIOSK_UI_GOLDEN").is_ok_and(|how| how == "renew");
        Self { folder, renew, seen: BTreeSet::new() }
    }

    /// What is wrong with the picture of that name, beside its golden one.
    pub fn fault(&mut self, name: &str, picture: &SharedPixelBuffer<Rgba8Pixel>) -> Option<String> {
        self.seen.insert(format!("{name}.png"));
        let (path, now) = (self.folder.join(format!("{name}.png")), shrunk(picture));
        let difference = match read(&path) {
            Some(golden) => difference(&golden, &now),
            None => Some("there is no golden picture".to_owned()),
        }?;
        if self.renew {
            write(&path, &now);
            return None;
        }
        let here = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png"));
        write_png(&here, picture);
        Some(format!("{difference}: look at {}, then KIOSK_UI_GOLDEN=renew takes it", here.display()))
    }

    /// Golden pictures of states that are no more.
    pub fn left_over(&self) -> Vec<String> {
        let names = fs::read_dir(&self.folder).expect("there are golden pictures");
        let names = names.map(|file| file.expect("the folder can be read").file_name().to_string_lossy().into_owned());
        names.filter(|name| !self.seen.contains(name)).collect()
    }
}

fn shrunk(picture: &SharedPixelBuffer<Rgba8Pixel>) -> Picture {
    let (width, height) = (picture.width() as usize / SHRUNK, picture.height() as usize / SHRUNK);
    let (pixels, row) = (picture.as_slice(), picture.width() as usize);
    let mut colours = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            let square =
                (0..SHRUNK * SHRUNK).map(|n| pixels[(y * SHRUNK + n / SHRUNK) * row + x * SHRUNK + n % SHRUNK]);
            let sums = square.fold([0u32; 3], |sums, pixel| {
                [sums[0] + u32::from(pixel.r), sums[1] + u32::from(pixel.g), sums[2] + u32::from(pixel.b)]
            });
            colours.extend(sums.map(|sum| (sum / (SHRUNK * SHRUNK) as u32) as u8));
        }
    }
    Picture { width, height, colours }
}

fn difference(golden: &Picture, now: &Picture) -> Option<String> {
    if (golden.width, golden.height) != (now.width, now.height) {
        return Some("its size differs from the golden picture's".to_owned());
    }
    for top in (0..golden.height).step_by(SQUARE) {
        for left in (0..golden.width).step_by(SQUARE) {
            let rows = top..(top + SQUARE).min(golden.height);
            let wide = 3 * (left..(left + SQUARE).min(golden.width)).len();
            let (mut off, mut count) = (0, 0);
            for y in rows {
                let from = 3 * (y * golden.width + left);
                let pairs = golden.colours[from..from + wide].iter().zip(&now.colours[from..from + wide]);
                off += pairs.map(|(one, other)| u64::from(one.abs_diff(*other))).sum::<u64>();
                count += wide as u64;
            }
            if off > MOST_OFF * count {
                let (x, y) = (left * SHRUNK, top * SHRUNK);
                return Some(format!("differs from the golden picture around {x}, {y}"));
            }
        }
    }
    None
}

fn read(path: &Path) -> Option<Picture> {
    let mut reader = png::Decoder::new(BufReader::new(File::open(path).ok()?)).read_info().ok()?;
    let mut colours = vec![0; reader.output_buffer_size()?];
    let info = reader.next_frame(&mut colours).ok()?;
    let is_ours = info.color_type == png::ColorType::Rgb && info.bit_depth == png::BitDepth::Eight;
    is_ours.then_some(Picture { width: info.width as usize, height: info.height as usize, colours })
}

fn write(path: &Path, picture: &Picture) {
    let file = File::create(path).expect("the folder for golden pictures can be written");
    let mut encoder = png::Encoder::new(BufWriter::new(file), picture.width as u32, picture.height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header().expect("the header is valid");
    writer.write_image_data(&picture.colours).expect("the picture has the size it says");
}

#[test]
fn a_golden_picture_is_missed_and_a_difference_that_anybody_sees_is_named() {
    let plain = |colour: u8| Picture { width: 20, height: 10, colours: vec![colour; 600] };
    let mut one_letter = plain(255);
    for y in 8..10 {
        one_letter.colours[3 * (y * 20 + 17)..3 * (y * 20 + 20)].fill(0);
    }
    assert_eq!(difference(&plain(255), &plain(253)), None);
    let named = difference(&plain(255), &one_letter);
    assert_eq!(named.as_deref(), Some("differs from the golden picture around 64, 32"));
    assert!(difference(&plain(255), &Picture { width: 10, height: 20, colours: vec![255; 600] }).is_some());
    assert!(read(Path::new("nowhere.png")).is_none());
}

//! Content files: Markdown in steps, and PDF files of one page.

/// A procedure with the sections `## Step 1: …` to `## Step n: …`.
pub fn markdown(title: &str, version: &str, language: &str, steps: usize) -> String {
    let mut text = format!("# {}\n\nVersion {version}, {language}.\n", title.replace(['\n', '\r'], " "));
    for step in 1..=steps {
        let what = STEPS[(step + title.len()) % STEPS.len()];
        text.push_str(&format!("\n## Step {step}: {what}\n\n{what} as shown, see version {version}.\n"));
    }
    text
}

/// A PDF file with one empty page and a right cross-reference table.
pub fn pdf() -> Vec<u8> {
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
    ];
    let mut text = String::from("%PDF-1.4\n");
    let mut offsets = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        offsets.push(text.len());
        text.push_str(&format!("{} 0 obj\n{object}\nendobj\n", index + 1));
    }
    let table = text.len();
    text.push_str("xref\n0 4\n0000000000 65535 f \n");
    for offset in offsets {
        text.push_str(&format!("{offset:010} 00000 n \n"));
    }
    text.push_str(&format!("trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n"));
    text.into_bytes()
}

const STEPS: [&str; 6] =
    ["Prüfen", "Clear the line", "Niêm phong túi", "清洁设备", "Set the pressure", "Sign the label"];

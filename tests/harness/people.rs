//! What people know in tests.

/// A person's passphrase.
pub fn secret_of(person: &str) -> String {
    format!("{person}-secret-1")
}

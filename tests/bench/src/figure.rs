//! What a benchmark says.

use std::time::Duration;

use serde::Serialize;

/// One figure beside its limit.
#[derive(Debug, Serialize)]
pub struct Figure {
    pub name: &'static str,
    pub figure: f64,
    pub unit: &'static str,
    /// Measured in the same run, in the same unit.
    pub limit: f64,
    pub ratio: f64,
    /// What is promised, in words.
    pub promise: &'static str,
    pub held: bool,
    pub size: String,
    pub seed: u64,
}

impl Figure {
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("numbers and texts become JSON")
    }

    pub fn line(&self) -> String {
        let Self { name, figure, unit, limit, ratio, promise, size, .. } = self;
        let verdict = if self.held { "held" } else { "NOT HELD" };
        format!(
            "{name}: {figure:.3} {unit}, limit measured here {limit:.3} {unit}, ratio {ratio:.2}; {promise}: {verdict} ({size})"
        )
    }
}

/// Durations, sorted once.
pub struct Samples(Vec<Duration>);

impl Samples {
    pub fn of(mut durations: Vec<Duration>) -> Self {
        durations.sort();
        Self(durations)
    }

    /// The duration below which this share of the samples lies; zero when there are none.
    pub fn quantile(&self, share: f64) -> Duration {
        let place = (self.0.len() as f64 * share) as usize;
        self.0.get(place.min(self.0.len().saturating_sub(1))).copied().unwrap_or_default()
    }

    pub fn median_ms(&self) -> f64 {
        ms(self.quantile(0.5))
    }
}

pub fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

//! How are systems compared on a machine whose speed changes within minutes? In turn, several times, by medians.

use std::time::Duration;

use crate::figure::Figure;
use crate::report::Report;

/// How often each system has its turn.
pub const ROUNDS: usize = 5;

/// How long a turn is measured, after a warm-up of a quarter of it.
pub const MEASURED: Duration = Duration::from_millis(2_400);

/// Lets the server write out what the turn before left in its memory, so that it is not paid for by the next.
pub async fn rest() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}

/// What `N` systems did in each round; the first is the one that the others are compared with.
pub struct Rounds<const N: usize> {
    names: [&'static str; N],
    rounds: Vec<[Figure; N]>,
}

impl<const N: usize> Rounds<N> {
    /// No round yet.
    pub const fn new(names: [&'static str; N]) -> Self {
        Self {
            names,
            rounds: Vec::new(),
        }
    }

    /// A round of all of them.
    pub fn add(&mut self, round: [Figure; N]) {
        self.rounds.push(round);
    }

    /// A table: of each system the round of its median rate, and the first system's rate over its own in the same
    /// round, median and extremes.
    pub fn print(&self, report: &mut Report, what: &str) {
        let (first, count) = (self.names[0], self.rounds.len());
        report.line(&format!(
            "| {what}, {count} rounds in turn | median | {first} over it, median (least to most) |"
        ));
        report.line("|---|---|---|");
        for (place, name) in self.names.into_iter().enumerate() {
            let mut figures: Vec<Figure> = self.rounds.iter().map(|round| round[place]).collect();
            figures.sort_by(|one, other| one.per_second.total_cmp(&other.per_second));
            let mut ratios: Vec<f64> = self
                .rounds
                .iter()
                .map(|round| round[0].per_second / round[place].per_second)
                .collect();
            ratios.sort_by(f64::total_cmp);
            let (Some(figure), Some(ratio)) = (figures.get(count / 2), ratios.get(count / 2)) else {
                continue;
            };
            let compared = if place == 0 {
                String::new()
            } else {
                let (least, most) = (ratios[0], ratios[count - 1]);
                format!("{ratio:.2} ({least:.2} to {most:.2})")
            };
            report.line(&format!("| {name} | {} | {compared} |", figure.cell()));
        }
        report.line("");
    }
}

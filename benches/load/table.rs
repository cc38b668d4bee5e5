//! Figures of one run as a table of rates and ratios.

use std::time::Duration;

/// Lines of one database.
pub struct Table {
    title: String,
    one: f64,
    lines: Vec<(String, f64, String)>,
}

impl Table {
    pub fn new(title: &str) -> Self {
        Self { title: title.to_owned(), one: 0.0, lines: Vec::new() }
    }

    /// Sets the rate that ratios refer to.
    pub fn one(&mut self, rate: f64) {
        self.one = rate;
    }

    /// Adds a line: so many operations in so long.
    pub fn add(&mut self, name: &str, count: usize, took: Duration) -> f64 {
        self.add_against(name, count, took, None)
    }

    /// Adds a line that also says its ratio to another rate.
    pub fn add_against(&mut self, name: &str, count: usize, took: Duration, other: Option<(&str, f64)>) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "counts of a few seconds")]
        let rate = count as f64 / took.as_secs_f64();
        let note = other.map_or(String::new(), |(what, base)| format!("{:.2} x {what}", rate / base));
        println!("  {name}: {rate:.0}/s {note}");
        self.lines.push((name.to_owned(), rate, note));
        rate
    }

    pub fn print(&self) {
        println!("\n{}\n{:<52} {:>10} {:>9}", self.title, "", "per second", "x one");
        for (name, rate, note) in &self.lines {
            println!("{name:<52} {rate:>10.0} {:>9.1}  {note}", rate / self.one);
        }
        println!();
    }
}

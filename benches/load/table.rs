//! Figures of one run as a table of rates and ratios.

use std::time::Duration;

/// Lines of one database.
pub struct Table {
    title: String,
    one: f64,
    /// Process whose processor time is counted, and what it had used at the last line.
    watched: (u32, f64),
    lines: Vec<(String, f64, f64, String)>,
}

/// Processor time that a process has used, in seconds.
fn processor_time(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // Behind the name, which may hold spaces: user and system time are the 12th and 13th, in hundredths.
    let fields: Vec<&str> = stat.rsplit_once(") ").map_or(Vec::new(), |(_, rest)| rest.split(' ').collect());
    let ticks = |place: usize| fields.get(place).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

impl Table {
    pub fn new(title: &str) -> Self {
        Self { title: title.to_owned(), one: 0.0, watched: (std::process::id(), 0.0), lines: Vec::new() }
    }

    /// Counts the processor time of this process from now on.
    pub fn watch(&mut self, process: u32) {
        self.watched = (process, processor_time(process));
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
        let used = processor_time(self.watched.0);
        #[allow(clippy::cast_precision_loss, reason = "counts of a few seconds")]
        let each = (used - self.watched.1) * 1e6 / count as f64;
        self.watched.1 = used;
        println!("  {name}: {rate:.0}/s, {each:.0} us of processor time each {note}");
        self.lines.push((name.to_owned(), rate, each, note));
        rate
    }

    pub fn print(&self) {
        println!("\n{}\n{:<52} {:>10} {:>9} {:>9}", self.title, "", "per second", "x one", "us each");
        for (name, rate, each, note) in &self.lines {
            println!("{name:<52} {rate:>10.0} {:>9.1} {each:>9.0}  {note}", rate / self.one);
        }
        println!();
    }
}

//! The page of a benchmark.

use std::fmt::Write as _;
use std::time::Duration;

use super::measure::Case;

/// What must be reached, and what would be better.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    AtLeast(f64, f64),
    AtMost(f64, f64),
    /// There is no bar: it says what another number means.
    None,
}

/// A number and its limit.
pub(crate) struct Bar {
    pub(crate) what: String,
    /// From the least and from the median times; the same number twice where there is only one.
    values: [f64; 2],
    limit: Limit,
}

impl Bar {
    pub(crate) fn ratio(what: &str, one: [Duration; 2], other: [Duration; 2], limit: Limit) -> Self {
        let [low, middle] = [(one[0], other[0]), (one[1], other[1])].map(|(one, other)| one.as_secs_f64() / other.as_secs_f64());
        Bar { what: what.to_owned(), values: [low, middle], limit }
    }

    pub(crate) fn pair(what: &str, values: [f64; 2], limit: Limit) -> Self {
        Bar { what: what.to_owned(), values, limit }
    }

    pub(crate) fn one(what: &str, value: f64, limit: Limit) -> Self {
        Bar::pair(what, [value, value], limit)
    }

    /// Whether the least and the median both reach it.
    pub(crate) fn is_met(&self) -> bool {
        match self.limit {
            Limit::AtLeast(bar, _) => self.values.iter().all(|value| *value >= bar),
            Limit::AtMost(bar, _) => self.values.iter().all(|value| *value <= bar),
            Limit::None => true,
        }
    }
}

/// The whole page.
pub(crate) fn write(cases: &[Case], bars: &[Bar], tools: &[String], runs: usize, load: Option<f64>) -> String {
    let mut text = String::from("<!-- Written by `cargo xtask bench`. -->\n# Benchmarks\n\n");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let _ = writeln!(
        text,
        "`cargo xtask bench`, {runs} runs of each process in turn after one to warm up, all policies on, built as what is given away (`cargo xtask shipped`), {} on {cores} cores{}.\n",
        std::env::consts::ARCH,
        processor()
    );
    if let Some(load) = load.filter(|load| *load > 0.3 * cores as f64) {
        let _ = writeln!(text, "**The machine was busy** (load {load:.1}): wall times, and what compares threads, say little.\n");
    }
    for tool in tools {
        let _ = writeln!(text, "* {tool}");
    }
    text.push_str(
        "\nThe bench writes its own inputs: **A** is one file of 12 MB with 10,000 Deployments, **B** 5,000 small files in 50 folders (with `--no-argocd`: what looking for Applications costs, E says), **C** one \
         Deployment, **D** 1,000 and 10,000 Deployments in one namespace with a federated service account, or one each, so that every rule on \
         relations runs, **E** repositories with 100 and 1,000 Applications, without `--cache` and with it, empty and after a run, and **F** a chart such as `helm create` makes, one with 11 such charts in it, and 100 overlays of Kustomize over one base, with a patch (where Kustomize reads Kubernetes' API first) and without. \
         Of F, one `fedward render` process is compared with one `helm template` process, and one `fedward check` of a repository with an Application for each overlay, which also judges what it renders, with 100 `kustomize build` processes, as many at a time as there are cores. \
         The set of 20 policies has the suite for all objects, fourteen single policies for a namespace each, and five with a condition each. The findings are 10,000 labels \
         of the wrong type in a file of Deployments and their service accounts; without findings the same labels are right.\n\n## Bars\n\n",
    );
    text.push_str("| what | of least times | of medians | bar | goal | |\n|---|---|---|---|---|---|\n");
    for bar in bars {
        let limit = |sign: &str, must: f64, better: f64| {
            let met = if bar.is_met() { "reached" } else { "**missed**" };
            format!("{sign} {} | {sign} {} | {met}", short(must), short(better))
        };
        let limit = match bar.limit {
            Limit::AtLeast(must, goal) => limit("≥", must, goal),
            Limit::AtMost(must, goal) => limit("≤", must, goal),
            Limit::None => "– | – | no bar".to_owned(),
        };
        let [low, middle] = bar.values;
        let _ = writeln!(text, "| {} | {low:.2} | {middle:.2} | {limit} |", bar.what);
    }
    text.push_str(
        "\n## Times\n\n| process | wall, least | wall, median | CPU, least | CPU, median | peak memory |\n|---|---|---|---|---|---|\n",
    );
    for case in cases {
        let ([wall, wall_middle], [cpu, cpu_middle]) = (case.wall().map(milliseconds), case.cpu().map(milliseconds));
        let _ = writeln!(text, "| {} | {wall} | {wall_middle} | {cpu} | {cpu_middle} | {} MiB |", case.name, case.peak() >> 20);
    }
    text
}

/// At most two digits after the point.
fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// The processor's name, where the system says it.
fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or_else(String::new, |(_, name)| format!(" ({})", name.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_values_must_reach_the_bar() {
        assert!(Bar::pair("", [3.5, 4.0], Limit::AtLeast(3.5, 6.0)).is_met());
        assert!(!Bar::pair("", [3.6, 3.4], Limit::AtLeast(3.5, 6.0)).is_met());
        assert!(!Bar::pair("", [24.0, 26.0], Limit::AtMost(25.0, 10.0)).is_met());
    }
}

//! What discovery costs: `discovery FOLDER URL` discovers and checks the repository in a folder that Applications call by a URL, without any
//! renderer, and prints times and memory.

use std::path::Path;
use std::time::Instant;

use fedward_gitops::{Fixtures, Limits, Mapping, NoRenderer, Options, Repositories, discover, rules};

fn main() -> Result<(), String> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [folder, url] = args.as_slice() else { return Err("usage: discovery FOLDER URL".to_owned()) };
    let limits = Limits::default();
    let start = Instant::now();
    let mapping = Mapping { url: url.clone(), revision: None, path: folder.into(), shown: String::new() };
    let repositories = Repositories::open(Path::new(folder), "", &[mapping], &[], &limits)?;
    println!("listed after {:?}", start.elapsed());
    let discovery = discover(Options {
        repositories: &repositories,
        renderer: &NoRenderer,
        scopes: &|_, _| None,
        clusters: None,
        fixtures: &Fixtures::default(),
        settings: None,
        takes: &|_| true,
        limits: &limits,
    });
    println!("discovered after {:?}: {:?}", start.elapsed(), discovery.summary());
    let findings = rules::check(&discovery, &repositories);
    println!("checked after {:?}: {} findings", start.elapsed(), findings.len());
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("no peak of memory here"));
    Ok(())
}

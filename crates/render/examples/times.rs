//! How long renders take: `cargo run --release -p fedward-render --example times -- ROOT PATH...`, each path a chart or an overlay.

#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::time::Instant;

use fedward_render::{Helm, Kind, Kustomize, Outcome, Renderer, SIZES, Source};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [wasm, compiled] = SIZES;
    println!("module {} KB, compiled {} KB", wasm / 1000, compiled / 1000);
    let mut arguments = std::env::args().skip(1);
    let root = arguments.next().ok_or("the root is missing")?;
    let renderer = Renderer::open(root.as_ref())?;
    for path in arguments {
        let source = match renderer.detect(&path) {
            Some(Kind::Helm) => Source::Helm(Helm { chart: path.clone(), ..Helm::default() }),
            Some(Kind::Kustomize) => Source::Kustomize(Kustomize { folder: path.clone(), ..Kustomize::default() }),
            _ => return Err(format!("{path} is no chart and has no kustomization").into()),
        };
        // The first one of all unpacks the module.
        let times: Vec<String> = (0..8)
            .map(|_| {
                let start = Instant::now();
                let outcome = renderer.render(&source);
                let note = if matches!(outcome, Outcome::Rendered(_)) { "" } else { "!" };
                format!("{:.1}{note}", start.elapsed().as_secs_f64() * 1000.0)
            })
            .collect();
        println!("{path}: {} ms", times.join(", "));
    }
    Ok(())
}

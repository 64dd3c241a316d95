//! What reading costs, against the parser's bare event loop over the same bytes:
//! `cargo run --release -p fedward-manifest --example measure`
#![allow(clippy::unwrap_used, reason = "an example")]

use std::{fmt::Write, hint::black_box, sync::Arc, time::Instant};

use fedward_manifest::{Document, Limits, Source, parse, split};

const RUNS: usize = 7;

fn main() {
    let text = match std::env::args().nth(1) {
        Some(path) => std::fs::read_to_string(path).unwrap(),
        None => deployments(10_000),
    };
    let source = Arc::new(Source::from_text("measure.yaml", text).unwrap());
    let limits = Limits::default();
    println!("{} bytes, {} documents", source.text().len(), split(&source, &limits).chunks.len());
    let resident = status_kib("VmRSS:");
    let documents = read(&source, &limits);
    let ratio = |kib: u64| kib.saturating_sub(resident) as f64 * 1024.0 / source.text().len() as f64;
    println!("trees take {:.2} x the input, {:.2} x at the peak", ratio(status_kib("VmRSS:")), ratio(status_kib("VmHWM:")));

    let bare = best(|| {
        for event in granit_parser::Parser::new_from_str(source.text()) {
            black_box(event.unwrap());
        }
    });
    println!("bare events       {bare:>8.1} ms");
    let report = |what: &str, ms: f64| println!("{what:<17} {ms:>8.1} ms  {:.2} x", ms / bare);
    report("split", best(|| drop(black_box(split(&source, &limits)))));
    report("split, parse", best(|| drop(black_box(read(&source, &limits)))));
    let mut out = Vec::new();
    report(
        "write_json",
        best(|| {
            out.clear();
            documents.iter().for_each(|document| document.root().write_json(&mut out));
        }),
    );
    report("walk", best(|| _ = black_box(documents.iter().map(|document| walk(document.root())).sum::<usize>())));
    report(
        "100,000 positions",
        best(|| {
            let step = (source.text().len() / 100_000).max(1);
            (0..source.text().len()).step_by(step).for_each(|at| _ = black_box(source.position(at as u32)));
        }),
    );
    println!("JSON: {} bytes", out.len());
}

fn walk(node: fedward_manifest::Node<'_>) -> usize {
    node.as_str().map_or(1, str::len) + node.items().map(|child| child.key().map_or(0, str::len) + walk(child)).sum::<usize>()
}

fn read(source: &Arc<Source>, limits: &Limits) -> Vec<Document> {
    split(source, limits).chunks.into_iter().filter_map(|chunk| parse(source, chunk, limits).document).collect()
}

fn best(mut work: impl FnMut()) -> f64 {
    let times = (0..RUNS).map(|_| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64() * 1000.0
    });
    times.fold(f64::INFINITY, f64::min)
}

fn status_kib(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or_default()
}

/// Deployments of about 1.2 KB each.
fn deployments(count: usize) -> String {
    let mut text = String::new();
    for index in 0..count {
        let namespace = index % 200;
        write!(
            text,
            r#"---
# workload {index}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-{index}
  namespace: team-{namespace}
  labels:
    app.kubernetes.io/name: web-{index}
    app.kubernetes.io/part-of: shop
    azure.workload.identity/use: "true"
spec:
  replicas: {replicas}
  selector:
    matchLabels:
      app.kubernetes.io/name: web-{index}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: web-{index}
        azure.workload.identity/use: "true"
    spec:
      serviceAccountName: web-{account}
      containers:
        - name: main
          image: example.invalid/shop/web:{index}
          env:
            - name: LOG_LEVEL
              value: info
            - name: REGION
              value: 'west-{account}'
          ports:
            - containerPort: 8080
              name: http
          resources:
            limits: {{cpu: 500m, memory: 256Mi}}
        - name: sidecar
          image: example.invalid/shop/sidecar:1.0
          args: ["--listen", ":9090", "--quiet"]
"#,
            replicas = index % 5 + 1,
            account = index % 50,
        )
        .unwrap();
        if index % 3 == 0 {
            text.push_str(
                r"          volumeMounts:
            - name: token
              mountPath: /var/run/secrets/tokens
      volumes:
        - name: token
          projected:
            sources:
              - serviceAccountToken:
                  audience: api://AzureADTokenExchange
                  expirationSeconds: 3600
                  path: token
",
            );
        }
    }
    text
}

//! Workload identity federation checks for Kubernetes manifests, with the modules that a cluster runs.

fn main() {}

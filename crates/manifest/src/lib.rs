//! YAML and JSON text to objects in which every node knows its place.

//! No cluster-admin, or its equivalents, for federated subjects.

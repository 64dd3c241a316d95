//! Token audiences, issuers and subjects are right and agree with each other.

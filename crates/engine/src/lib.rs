//! Policies and objects to findings with places.

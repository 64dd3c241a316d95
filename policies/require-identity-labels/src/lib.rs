//! Pods that use a cloud identity carry the labels that its provider needs.

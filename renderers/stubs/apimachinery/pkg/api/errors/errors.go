// Package errors stands in for the one that tells which answer of a cluster means "not found". There is no cluster.
package errors

// IsNotFound says of every error that it is another one.
func IsNotFound(error) bool { return false }

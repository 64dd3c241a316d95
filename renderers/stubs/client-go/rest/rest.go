// Package rest holds how to reach a cluster.
package rest

// Config has nothing in it: no cluster is reached.
type Config struct{}

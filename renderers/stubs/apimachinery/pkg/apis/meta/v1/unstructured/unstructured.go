// Package unstructured is named by Helm's own tests, which `go mod tidy` wants to find.
package unstructured

// Package kubernetes is named by Helm so that its build knows the version of client-go, which is Kubernetes' own.
package kubernetes

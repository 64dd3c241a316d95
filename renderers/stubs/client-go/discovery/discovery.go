// Package discovery asks a cluster what it serves.
package discovery

import (
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// DiscoveryClient has no cluster to ask.
type DiscoveryClient struct{}

// NewDiscoveryClientForConfig always fails: templates are rendered without a cluster, and this is never called then.
func NewDiscoveryClientForConfig(*rest.Config) (*DiscoveryClient, error) {
	return nil, errors.New("no cluster can be reached from here")
}

// ServerResourcesForGroupVersion cannot be called, for want of a client.
func (*DiscoveryClient) ServerResourcesForGroupVersion(string) (*metav1.APIResourceList, error) {
	return nil, errors.New("no cluster can be reached from here")
}

// Package v1 holds what Helm's `lookup` names of requests to a cluster.
package v1

type (
	// GetOptions of a request for one object.
	GetOptions struct{}
	// ListOptions of a request for several.
	ListOptions struct{}
	// APIResource is a kind that a cluster serves.
	APIResource struct {
		Group, Version, Name, Kind string
		Namespaced                 bool
	}
	// APIResourceList is what a cluster serves of one group.
	APIResourceList struct{ APIResources []APIResource }
)

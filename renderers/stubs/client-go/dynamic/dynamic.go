// Package dynamic reads objects of a cluster.
package dynamic

import (
	"context"
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

type (
	// Content is an object, or a list.
	Content map[string]any
	// ResourceInterface reads objects of a kind in one namespace.
	ResourceInterface interface {
		Get(ctx context.Context, name string, options metav1.GetOptions, sub ...string) (Content, error)
		List(ctx context.Context, options metav1.ListOptions) (Content, error)
	}
	// NamespaceableResourceInterface reads objects of a kind.
	NamespaceableResourceInterface interface {
		ResourceInterface
		Namespace(name string) ResourceInterface
	}
	// Client has no cluster to read from.
	Client struct{}
)

// UnstructuredContent is the object.
func (c Content) UnstructuredContent() map[string]any { return c }

// NewForConfig always fails.
func NewForConfig(*rest.Config) (*Client, error) {
	return nil, errors.New("no cluster can be reached from here")
}

// Resource cannot be called, for want of a client.
func (*Client) Resource(schema.GroupVersionResource) NamespaceableResourceInterface { return nil }

// Package schema holds names of kinds.
package schema

import "strings"

type (
	// GroupVersion is what stands in `apiVersion`.
	GroupVersion struct{ Group, Version string }
	// GroupVersionKind names a kind.
	GroupVersionKind struct{ Group, Version, Kind string }
	// GroupVersionResource names a kind as requests do.
	GroupVersionResource struct{ Group, Version, Resource string }
)

// String is the form that stands in `apiVersion`.
func (gv GroupVersion) String() string {
	if gv.Group == "" {
		return gv.Version
	}
	return gv.Group + "/" + gv.Version
}

// GroupVersion is the kind's `apiVersion`.
func (gvk GroupVersionKind) GroupVersion() GroupVersion { return GroupVersion{gvk.Group, gvk.Version} }

// String is for messages.
func (gvk GroupVersionKind) String() string {
	return gvk.GroupVersion().String() + ", Kind=" + gvk.Kind
}

// FromAPIVersionAndKind reads both fields of a manifest.
func FromAPIVersionAndKind(apiVersion, kind string) GroupVersionKind {
	group, version, found := strings.Cut(apiVersion, "/")
	if !found {
		group, version = "", apiVersion
	}
	return GroupVersionKind{group, version, kind}
}

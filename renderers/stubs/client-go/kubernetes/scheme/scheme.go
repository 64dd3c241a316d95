// Package scheme knows the API versions that a chart may ask for in `.Capabilities.APIVersions`.
package scheme

// GroupVersion is what stands in `apiVersion`.
type GroupVersion struct{ Group, Version string }

// String is the form that stands there.
func (gv GroupVersion) String() string {
	if gv.Group == "" {
		return gv.Version
	}
	return gv.Group + "/" + gv.Version
}

// Known is the versions, in order.
type Known struct{ versions []GroupVersion }

// Scheme is the versions of client-go.
var Scheme = &Known{versions}

// Add makes another version known.
func (k *Known) Add(group, version string) {
	k.versions = append(k.versions, GroupVersion{group, version})
}

// PrioritizedVersionsAllGroups is all of them.
func (k *Known) PrioritizedVersionsAllGroups() []GroupVersion { return k.versions }

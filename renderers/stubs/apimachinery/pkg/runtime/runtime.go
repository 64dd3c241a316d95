// Package runtime holds what a release's record names of live objects.
package runtime

// Object is a live object, of which there are none.
type Object any

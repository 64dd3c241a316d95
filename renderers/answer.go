package main

import "errors"

// answer has documents, texts of templates, or an error.
type answer struct {
	Documents []document `json:"documents"`
	Texts     []filled   `json:"texts,omitempty"`
	Error     *failure   `json:"error,omitempty"`
}

// document is a part of the output. The texts of all, one after the other, are what the command line of that renderer prints.
type document struct {
	Text   string `json:"text"`
	Origin origin `json:"origin"`
}

// What kind of failure it is; crates/render words each for people.
const (
	// The renderer says that the input is wrong.
	kindFailed = "failed"
	// Something must be fetched first.
	kindDeferred = "deferred"
	// The input asks for something that is never done here, such as running a program.
	kindRefused = "refused"
	// A renderer broke down.
	kindPanic = "panic"
)

// failure is an error with its kind.
type failure struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

func (f *failure) Error() string { return f.Message }

func deferred(message string) error { return &failure{Kind: kindDeferred, Message: message} }

func refused(message string) error { return &failure{Kind: kindRefused, Message: message} }

// asFailure keeps the kind that an error has, if it has one.
func asFailure(err error) *failure {
	var known *failure
	if errors.As(err, &known) {
		return known
	}
	return &failure{Kind: kindFailed, Message: err.Error()}
}

// origin is where a document comes from.
type origin struct {
	// Path is the file, from the root; empty where there is none.
	Path string `json:"path,omitempty"`
	// Inside is the file in the archive that Path is then.
	Inside string `json:"inside,omitempty"`
	// Name is what the renderer calls it: a chart's `templates/…` with the names of charts before it, a generator's kind.
	Name string `json:"name,omitempty"`
	// Changed is the files of transformers that changed the document, from the root.
	Changed []string `json:"changed,omitempty"`
	// Hook is whether Helm installs it as a hook.
	Hook bool `json:"hook,omitempty"`
}

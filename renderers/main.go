// Command renderers turns charts, kustomizations and Jsonnet files into manifests, with the libraries of Helm, Kustomize and Jsonnet
// themselves. It is built for WebAssembly and run by crates/render, which gives it a root folder to read and nothing else.
//
// A request is one JSON object on standard input, its answer one on standard output.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
)

// request has exactly one of its fields.
type request struct {
	Helm      *helmRequest      `json:"helm"`
	Kustomize *kustomizeRequest `json:"kustomize"`
	Jsonnet   *jsonnetRequest   `json:"jsonnet"`
	Template  *templateRequest  `json:"template"`
}

// serve answers one request. After a panic, which is an answer of its own kind, this instance must not be asked again.
func serve(in io.Reader, out io.Writer) {
	given := answer{}
	func() {
		defer func() {
			if panicked := recover(); panicked != nil {
				given = answer{Error: &failure{Kind: kindPanic, Message: fmt.Sprint(panicked)}}
			}
		}()
		var err error
		if given, err = render(in); err != nil {
			given = answer{Error: asFailure(err)}
		}
	}()
	if err := json.NewEncoder(out).Encode(given); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

func render(in io.Reader) (given answer, err error) {
	var asked request
	if err := json.NewDecoder(in).Decode(&asked); err != nil {
		return answer{}, err
	}
	switch {
	case asked.Helm != nil:
		given.Documents, err = renderHelm(asked.Helm)
	case asked.Kustomize != nil:
		given.Documents, err = renderKustomize(asked.Kustomize)
	case asked.Jsonnet != nil:
		given.Documents, err = renderJsonnet(asked.Jsonnet)
	case asked.Template != nil:
		given.Texts, err = fillTemplates(asked.Template)
	default:
		err = errors.New("the request names no renderer")
	}
	return given, err
}

// garbage is how much of it there may be, in percent of what is in use. Most instances render once and are gone: collecting it early
// costs a small chart more than all the rest.
const garbage = 300

func init() {
	// Endless recursion ends here, long before it has eaten the memory.
	debug.SetMaxStack(64 << 20)
	debug.SetGCPercent(garbage)
	debug.SetMemoryLimit(256 << 20)
	// The host tells people what went wrong; what every goroutine was doing is of no use to them.
	debug.SetTraceback("none")
}

func main() { serve(os.Stdin, os.Stdout) }

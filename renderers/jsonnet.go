package main

import (
	"encoding/json"

	"github.com/google/go-jsonnet"
)

// jsonnetRequest is a file with what Argo CD gives to it. Paths are absolute.
type jsonnetRequest struct {
	File    string        `json:"file"`
	ExtVars []jsonnetArgs `json:"extVars"`
	TLAs    []jsonnetArgs `json:"tlas"`
	// Libs is where imports are looked for after the file's own folder, the first first.
	Libs []string `json:"libs"`
}

// jsonnetArgs is a text, or code.
type jsonnetArgs struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Code  bool   `json:"code"`
}

// renderJsonnet evaluates the file: an array is one document for each of its elements, anything else is one document.
func renderJsonnet(asked *jsonnetRequest) ([]document, error) {
	vm := jsonnet.MakeVM()
	for _, given := range asked.ExtVars {
		if given.Code {
			vm.ExtCode(given.Name, given.Value)
		} else {
			vm.ExtVar(given.Name, given.Value)
		}
	}
	for _, given := range asked.TLAs {
		if given.Code {
			vm.TLACode(given.Name, given.Value)
		} else {
			vm.TLAVar(given.Name, given.Value)
		}
	}
	vm.Importer(&jsonnet.FileImporter{JPaths: asked.Libs})
	text, err := vm.EvaluateFile(asked.File)
	if err != nil {
		return nil, err
	}
	var elements []json.RawMessage
	if err := json.Unmarshal([]byte(text), &elements); err != nil {
		return []document{{Text: text, Origin: origin{Path: asked.File}}}, nil
	}
	var documents []document
	for _, element := range elements {
		documents = append(documents, document{Text: "---\n" + string(element) + "\n", Origin: origin{Path: asked.File}})
	}
	return documents, nil
}

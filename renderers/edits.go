package main

import (
	"fmt"
	"io"

	"sigs.k8s.io/kustomize/api/provider"
	edits "sigs.k8s.io/kustomize/kustomize/v5/commands/edit"
	"sigs.k8s.io/yaml"
)

// edit is one step of what Argo CD does to a kustomization before it builds it (util/kustomize/kustomize.go).
type edit struct {
	// Command is the arguments of `kustomize edit`.
	Command []string `json:"command"`
	// Patches are put behind those that the file has; no command does that.
	Patches []any `json:"patches"`
}

func (e *edit) apply(files *overlay, folder string) error {
	if e.Command != nil {
		providers := provider.NewDefaultDepProvider()
		command := edits.NewCmdEdit(inFolder{files, folder}, providers.GetFieldValidator(), providers.GetResourceFactory(), io.Discard)
		command.SetArgs(e.Command)
		command.SetOut(io.Discard)
		command.SetErr(io.Discard)
		command.SilenceErrors, command.SilenceUsage = true, true
		return command.Execute()
	}
	name, text, err := kustomizationIn(files, folder)
	if err != nil {
		return err
	}
	var content map[string]any
	if err := yaml.Unmarshal(text, &content); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	before, listed := content["patches"].([]any)
	if content["patches"] != nil && !listed {
		return fmt.Errorf("%s: patches must be a list", name)
	}
	if content == nil {
		content = map[string]any{}
	}
	content["patches"] = append(before, e.Patches...)
	if text, err = yaml.Marshal(content); err != nil {
		return err
	}
	return files.WriteFile(name, text)
}

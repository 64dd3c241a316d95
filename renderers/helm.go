package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/loader"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
	release "helm.sh/helm/v4/pkg/release/v1"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
)

// helmRequest is the flags of `helm template`. Paths are absolute.
type helmRequest struct {
	Chart       string   `json:"chart"`
	ReleaseName string   `json:"releaseName"`
	Namespace   string   `json:"namespace"`
	KubeVersion string   `json:"kubeVersion"`
	APIVersions []string `json:"apiVersions"`
	valueSources
	IncludeCRDs          bool `json:"includeCrds"`
	SkipTests            bool `json:"skipTests"`
	SkipSchemaValidation bool `json:"skipSchemaValidation"`
}

// renderHelm follows `helm template` of v4.2.0 (pkg/cmd/template.go, pkg/action/install.go and action.go), whose code needs a
// terminal, a cluster's client and a network to be linked.
func renderHelm(asked *helmRequest) ([]document, error) {
	capabilities := common.DefaultCapabilities.Copy()
	if asked.KubeVersion != "" {
		version, err := common.ParseKubeVersion(asked.KubeVersion)
		if err != nil {
			return nil, fmt.Errorf("invalid kube version '%s': %w", asked.KubeVersion, err)
		}
		capabilities.KubeVersion = *version
	}
	// A new slice: the default one is kept from call to call.
	capabilities.APIVersions = slices.Concat(capabilities.APIVersions, asked.APIVersions)

	values, err := asked.merge()
	if err != nil {
		return nil, err
	}
	loaded, err := load(asked.Chart)
	if err != nil {
		return nil, err
	}
	beside, err := complete(loaded, asked.Chart)
	if err != nil {
		return nil, err
	}
	files := filesOf(loaded, asked.Chart, beside)

	if err := chartutil.ValidateReleaseName(asked.ReleaseName); err != nil {
		return nil, fmt.Errorf("release name %q: %w", asked.ReleaseName, err)
	}
	if err := chartutil.ProcessDependencies(loaded, values); err != nil {
		return nil, fmt.Errorf("chart dependencies processing failed: %w", err)
	}
	options := common.ReleaseOptions{Name: asked.ReleaseName, Namespace: asked.Namespace, Revision: 1, IsInstall: true}
	rendering, err := util.ToRenderValuesWithSchemaValidation(loaded, values, options, capabilities, asked.SkipSchemaValidation)
	if err != nil {
		return nil, err
	}
	if needed := loaded.Metadata.KubeVersion; needed != "" && !chartutil.IsCompatibleRange(needed, capabilities.KubeVersion.String()) {
		return nil, fmt.Errorf("chart requires kubeVersion: %s which is incompatible with Kubernetes %s", needed, capabilities.KubeVersion.Version)
	}
	rendered, err := engine.Engine{}.Render(loaded, rendering)
	if err != nil {
		return nil, err
	}
	for name := range rendered {
		if strings.HasSuffix(name, "NOTES.txt") {
			delete(rendered, name)
		}
	}
	hooks, manifests, err := releaseutil.SortManifests(rendered, nil, releaseutil.InstallOrder)
	if err != nil {
		return nil, err
	}
	files.name(loaded)
	return assemble(asked, loaded, manifests, hooks, files), nil
}

// load reads the chart.
func load(chartPath string) (*chart.Chart, error) {
	if _, err := os.Stat(chartPath); err != nil {
		return nil, err
	}
	any, err := loader.Load(chartPath)
	if err != nil {
		return nil, err
	}
	loaded, ok := any.(*chart.Chart)
	if !ok {
		return nil, errors.New("invalid chart apiVersion")
	}
	if kind := loaded.Metadata.Type; kind != "" && kind != "application" {
		return nil, fmt.Errorf("%s charts are not installable", kind)
	}
	return loaded, nil
}

// assemble puts together what `helm template` prints: custom resource definitions, manifests, hooks.
func assemble(asked *helmRequest, loaded *chart.Chart, manifests []releaseutil.Manifest, hooks []*release.Hook, files chartFiles) []document {
	var documents []document
	add := func(name, text string, hook bool) {
		from := files.origin(name)
		from.Hook = hook
		documents = append(documents, document{Text: fmt.Sprintf("---\n# Source: %s\n%s\n", name, text), Origin: from})
	}
	if asked.IncludeCRDs {
		for _, crd := range loaded.CRDObjects() {
			add(crd.Filename, string(crd.File.Data), false)
		}
	}
	for _, manifest := range manifests {
		add(manifest.Name, manifest.Content, false)
	}
	// The command line trims what it has so far, and ends it with a line end.
	if len(documents) == 0 {
		documents = append(documents, document{})
	}
	last := &documents[len(documents)-1]
	last.Text = strings.TrimSpace(last.Text) + "\n"
	for _, hook := range hooks {
		if !asked.SkipTests || !slices.Contains(hook.Events, release.HookTest) {
			add(hook.Path, hook.Manifest, true)
		}
	}
	return documents
}

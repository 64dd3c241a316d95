package main

import (
	"errors"
	"fmt"
	"os"
	"path"
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
	files := filesOf(loaded, asked.Chart)

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

// load reads the chart, and says what is missing.
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
	var missing []string
	for _, needed := range loaded.Metadata.Dependencies {
		if !slices.ContainsFunc(loaded.Dependencies(), func(have *chart.Chart) bool { return have.Name() == needed.Name }) {
			missing = append(missing, needed.Name)
		}
	}
	if len(missing) > 0 {
		return nil, deferred("charts to fetch, in Chart.yaml but not in charts/: " + strings.Join(missing, ", "))
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

// chartFiles knows which file of the repository each template was read from.
type chartFiles struct {
	// byData finds the file by where its text lies in memory: a subchart's files are slices of what its parent read.
	byData map[*byte]origin
	// byName is filled once subcharts have the names by which templates are called.
	byName map[string]origin
}

// filesOf looks at a chart before aliases and conditions change it.
func filesOf(loaded *chart.Chart, at string) chartFiles {
	files := chartFiles{byData: map[*byte]origin{}, byName: map[string]origin{}}
	files.add(loaded, at, "", strings.HasSuffix(at, ".tgz"))
	return files
}

func (files chartFiles) add(loaded *chart.Chart, at, inside string, archived bool) {
	for _, raw := range loaded.Raw {
		if len(raw.Data) == 0 {
			continue
		}
		if _, known := files.byData[&raw.Data[0]]; known {
			continue
		}
		file := origin{Path: path.Join(at, raw.Name)}
		if archived {
			file = origin{Path: at, Inside: path.Join(inside, raw.Name)}
		}
		files.byData[&raw.Data[0]] = file
	}
	for _, child := range loaded.Dependencies() {
		if slices.ContainsFunc(child.Raw, func(raw *common.File) bool { return len(raw.Data) > 0 && files.byData[&raw.Data[0]].Path != "" }) {
			// A folder: its files are known already, but archives in it may hold more.
			files.add(child, at, inside, archived)
			continue
		}
		archive := path.Join("charts", fmt.Sprintf("%s-%s.tgz", child.Name(), child.Metadata.Version))
		if !archived {
			files.add(child, path.Join(at, archive), "", true)
		} else {
			files.add(child, at, path.Join(inside, archive), true)
		}
	}
}

// name is called after aliases are in force.
func (files chartFiles) name(loaded *chart.Chart) {
	remember := func(name string, data []byte) {
		if len(data) > 0 {
			files.byName[name] = files.byData[&data[0]]
		}
	}
	for _, template := range loaded.Templates {
		remember(path.Join(loaded.ChartFullPath(), template.Name), template.Data)
	}
	for _, child := range loaded.Dependencies() {
		files.name(child)
	}
	if loaded.IsRoot() {
		for _, crd := range loaded.CRDObjects() {
			remember(crd.Filename, crd.File.Data)
		}
	}
}

func (files chartFiles) origin(name string) origin {
	from := files.byName[name]
	from.Name = name
	return from
}

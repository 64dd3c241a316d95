package main

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
)

// chartFiles knows which file of the repository each template was read from.
type chartFiles struct {
	// byData finds the file by where its text lies in memory: a subchart's files are slices of what its parent read.
	byData map[*byte]origin
	// byName is filled once subcharts have the names by which templates are called.
	byName map[string]origin
}

// filesOf looks at a chart before aliases and conditions change it.
func filesOf(loaded *chart.Chart, at string, beside map[*chart.Chart]string) chartFiles {
	files := chartFiles{byData: map[*byte]origin{}, byName: map[string]origin{}}
	for child, at := range beside {
		files.add(child, at, "", false)
	}
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

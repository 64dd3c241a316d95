package main

import (
	"path"
	"path/filepath"

	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// overlay is the files of the root, with changes that are kept in memory.
type overlay struct {
	filesys.FileSystem
	written map[string][]byte
}

func newOverlay() *overlay {
	return &overlay{FileSystem: filesys.MakeFsOnDisk(), written: map[string][]byte{}}
}

// ReadFile returns what was written, if anything was.
func (o *overlay) ReadFile(name string) ([]byte, error) {
	if text, ok := o.written[path.Clean(name)]; ok {
		return text, nil
	}
	return o.FileSystem.ReadFile(name)
}

// WriteFile writes to memory.
func (o *overlay) WriteFile(name string, text []byte) error {
	o.written[path.Clean(name)] = text
	return nil
}

// inFolder is the overlay as a program sees it that runs in a folder.
type inFolder struct {
	*overlay
	folder string
}

func (f inFolder) path(name string) string {
	if path.IsAbs(name) {
		return name
	}
	return path.Join(f.folder, name)
}

func (f inFolder) ReadFile(name string) ([]byte, error) { return f.overlay.ReadFile(f.path(name)) }
func (f inFolder) WriteFile(name string, text []byte) error {
	return f.overlay.WriteFile(f.path(name), text)
}
func (f inFolder) Exists(name string) bool                { return f.overlay.Exists(f.path(name)) }
func (f inFolder) IsDir(name string) bool                 { return f.overlay.IsDir(f.path(name)) }
func (f inFolder) ReadDir(name string) ([]string, error)  { return f.overlay.ReadDir(f.path(name)) }
func (f inFolder) Open(name string) (filesys.File, error) { return f.overlay.Open(f.path(name)) }
func (f inFolder) CleanedAbs(name string) (filesys.ConfirmedDir, string, error) {
	return f.overlay.CleanedAbs(f.path(name))
}

// Glob answers with paths as they were asked for: what is relative stays so.
func (f inFolder) Glob(pattern string) ([]string, error) {
	found, err := f.overlay.Glob(f.path(pattern))
	if err != nil || path.IsAbs(pattern) {
		return found, err
	}
	for index, name := range found {
		if found[index], err = filepath.Rel(f.folder, name); err != nil {
			return nil, err
		}
	}
	return found, nil
}

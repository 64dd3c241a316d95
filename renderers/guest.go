//go:build wasip1

package main

import "os"

// The host calls this export, as often as it likes; 0 means that the instance may be called again.
//
//go:wasmexport render
func exported() int32 {
	if serve(os.Stdin, os.Stdout) {
		return 0
	}
	return 1
}

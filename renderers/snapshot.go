package main

import (
	"runtime"
	"runtime/debug"
)

// The memory of an instance that has rendered is kept when the program is built, and every other instance begins with it
// (crates/renderers/build.rs). What these two are for is that there is little in it.

// prepare is called before the first render.
func prepare() { debug.SetGCPercent(10) }

// settle is called after the last render: garbage becomes zeros, which take no room.
func settle() {
	const page = 8192
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	blank := make([]*[page]byte, 0, stats.HeapIdle/page)
	for len(blank) < cap(blank) {
		blank = append(blank, new([page]byte))
	}
	runtime.KeepAlive(blank)
	runtime.GC()
	debug.SetGCPercent(garbage)
}

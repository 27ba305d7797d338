// Programs that write something else beside their trace: dumps, profiles, reports of the race detector. The first
// argument names one, the second the folder to write to.
package main

import (
	"os"
	"path/filepath"
	"runtime/pprof"
	"runtime/trace"
)

var dir string

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// traced runs f with a trace into dir.
func traced(name string, f func()) {
	out, err := os.Create(filepath.Join(dir, name))
	check(err)
	check(trace.Start(out))
	f()
	trace.Stop()
	check(out.Close())
}

func write(name, profile string, debug int) {
	out, err := os.Create(filepath.Join(dir, name))
	check(err)
	check(pprof.Lookup(profile).WriteTo(out, debug))
	check(out.Close())
}

func main() {
	dir = os.Args[2]
	switch os.Args[1] {
	case "leaks":
		leaks()
	case "orders":
		orders()
	case "race":
		race()
	case "mapwrites":
		mapWrites()
	}
}

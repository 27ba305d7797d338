// Command change is a server, and the same server with a delay in one
// function of its handler, to be compared. It also has programs of other
// shapes that nothing is changed in: of those two recordings must not differ.
//
//	change PROGRAM FILE MILLISECONDS [spin|sleep]
package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"time"
)

// deadline is when the programs stop to begin work.
var deadline time.Time

func main() {
	programs := map[string]func(){"shop": shop, "counter": counter, "crew": crew, "pipe": pipe, "batch": batch}
	if len(os.Args) < 4 || programs[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: change PROGRAM FILE MILLISECONDS [spin|sleep]")
		os.Exit(2)
	}
	if len(os.Args) > 4 {
		delay = os.Args[4]
	}
	ms, err := strconv.Atoi(os.Args[3])
	check(err)
	runtime.GOMAXPROCS(2)
	var out, profile bytes.Buffer
	// The trace has CPU samples only while a CPU profile is taken.
	check(pprof.StartCPUProfile(&profile))
	check(trace.Start(&out))
	deadline = time.Now().Add(time.Duration(ms) * time.Millisecond)
	programs[os.Args[1]]()
	trace.Stop()
	pprof.StopCPUProfile()
	check(os.WriteFile(os.Args[2], out.Bytes(), 0o644))
}

func over() bool { return time.Now().After(deadline) }

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

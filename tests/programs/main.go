// Command programs runs one of a few small programs whose behaviour is known
// beforehand and records its execution trace. ../data/README.md says what each
// trace must show.
//
//	programs NAME FILE
package main

import (
	"bytes"
	"log"
	"os"
	"runtime/trace"
	"time"
)

// unit is the time that programs count in; waits are whole numbers of it, or
// longer on a busy machine.
const unit = time.Millisecond

var programs = map[string]func(){
	"annotations": annotations,
	"chain":       chain,
	"convoy":      convoy,
	"deadline":    deadline,
	"gone":        gone,
	"holdup":      holdup,
	"hostile":     hostile,
	"idle":        idle,
	"knot":        knot,
	"leak":        leak,
	"limit":       limit,
	"locked":      locked,
	"long":        long,
	"makers":      makers,
	"network":     network,
	"path":        path,
	"picker":      picker,
	"pool":        pool,
	"receiver":    receiver,
	"selects":     selects,
	"starved":     starved,
	"sweep":       sweep,
	"sweeplight":  sweeplight,
	"syscall":     syscalls,
	"timer":       timers,
	"waits":       waits,
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 || programs[os.Args[1]] == nil {
		log.Fatal("usage: programs NAME FILE")
	}
	var recorded bytes.Buffer
	check(trace.Start(&recorded))
	programs[os.Args[1]]()
	trace.Stop()
	out := recorded.Bytes()
	if os.Args[1] == "hostile" {
		out = renameHostile(out)
	}
	check(os.WriteFile(os.Args[2], out, 0o644))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

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
	"across":      nil,
	"annotations": annotations,
	"behind":      behind,
	"chain":       chain,
	"condstorm":   condstorm,
	"contexts":    contexts,
	"convoy":      convoy,
	"crew":        crew,
	"deadline":    deadline,
	"deadlock":    deadlock,
	"dismissed":   dismissed,
	"dumped":      dumped,
	"exchange":    exchange,
	"exhausted":   exhausted,
	"filelock":    filelock,
	"flight":      flight,
	"gone":        gone,
	"holdup":      holdup,
	"hostile":     hostile,
	"idle":        idle,
	"keepalive":   keepalive,
	"knot":        knot,
	"leak":        leak,
	"limit":       limit,
	"locked":      locked,
	"long":        long,
	"makers":      makers,
	"network":     network,
	"nil":         nilChannels,
	"once":        once,
	"path":        path,
	"patience":    patience,
	"picker":      picker,
	"pipeline":    pipeline,
	"pipewriters": pipewriters,
	"pool":        pool,
	"readers":     readers,
	"receiver":    receiver,
	"reload":      reload,
	"requests":    requests,
	"restart":     nil,
	"retries":     retries,
	"roles":       roles,
	"slowlock":    slowlock,
	"slowpool":    slowpool,
	"slowserve":   slowserve,
	"selects":     selects,
	"shards":      shards,
	"slots":       slots,
	"starved":     starved,
	"sweep":       sweep,
	"sweeplight":  sweeplight,
	"syscall":     syscalls,
	"timer":       timers,
	"unbuffered":  unbuffered,
	"waits":       waits,
	"wrapped":     wrapped,
}

func main() {
	log.SetFlags(0)
	if _, known := programs[os.Args[min(1, len(os.Args)-1)]]; len(os.Args) != 3 || !known {
		log.Fatal("usage: programs NAME FILE")
	}
	var recorded bytes.Buffer
	switch os.Args[1] {
	case "across":
		across(&recorded)
	case "restart":
		restart(&recorded)
	default:
		check(trace.Start(&recorded))
		programs[os.Args[1]]()
		trace.Stop()
	}
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

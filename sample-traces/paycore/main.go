// Command paycore runs a small payment core under load and records what the
// Go runtime can tell about it: an execution trace with CPU samples in it,
// and the CPU, heap, mutex and block profile of the same seconds.
//
//	paycore -out DIR [-prefix fixed-] [-for 2s] [-fixed]
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"runtime/trace"
	"time"

	"paycore/payment"
)

const (
	shops     = 6    // that send orders, each over its own connection
	orderIDs  = 8    // that a shop uses, again and again
	transfers = 2100 // in an order
	workers   = 3    // that settle
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("paycore: ")
	out := flag.String("out", ".", "folder for the recordings")
	prefix := flag.String("prefix", "", "what the names of the recordings begin with")
	length := flag.Duration("for", 2*time.Second, "how long the load lasts")
	pace := flag.Duration("pace", 19*time.Millisecond, "how often a shop sends an order, if the core keeps up")
	fixed := flag.Bool("fixed", false, "use the cache that came after the defect was found")
	flag.Parse()

	var store payment.Store = payment.NewOrderCache()
	if *fixed {
		store = payment.NewShardedCache(shops * orderIDs * transfers)
	}
	book, err := os.CreateTemp("", "ledger")
	check(err)
	defer os.Remove(book.Name())
	core, err := payment.NewCore(store, serve(bank), workers, payment.NewLedger(book))
	check(err)
	addr := serve(func(l net.Listener) { gateway(l, core) })

	debug.SetGCPercent(400) // as the service runs in production
	runtime.SetMutexProfileFraction(1)
	runtime.SetBlockProfileRate(int(10 * time.Microsecond))
	cpu := create(*out, *prefix+"cpu.pb.gz")
	execution := create(*out, *prefix+"trace.out")
	check(pprof.StartCPUProfile(cpu))
	check(trace.Start(execution))
	orders := load(addr, *length, *pace)
	trace.Stop()
	pprof.StopCPUProfile()
	check(execution.Close())
	check(cpu.Close())

	runtime.GC()
	for _, name := range []string{"heap", "mutex", "block"} {
		f := create(*out, *prefix+name+".pb.gz")
		check(pprof.Lookup(name).WriteTo(f, 0))
		check(f.Close())
	}
	fmt.Printf("%s: %d orders, %d transfers remembered\n", runtime.Version(), orders, store.Len())
}

// serve runs a server on a loopback port and returns its address.
func serve(server func(net.Listener)) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go server(l)
	return l.Addr().String()
}

func create(dir, name string) *os.File {
	f, err := os.Create(filepath.Join(dir, name))
	check(err)
	return f
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

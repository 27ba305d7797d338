package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"sync"
	"time"
)

var keep []chan int // reachable: the runtime cannot mark who waits here
var jobs = make(chan func())

//go:noinline
func forget() {
	ch := make(chan int)
	go func() { ch <- 1 }()
}

//go:noinline
func likely(i int) {
	ch := make(chan int)
	keep = append(keep, ch)
	go waitReply(ch, i)
}

var sink [][]byte
var mu sync.Mutex

func waitReply(ch chan int, i int) {
	b := make([]byte, 64<<10)
	mu.Lock()
	sink = append(sink, b)
	mu.Unlock()
	fmt.Fprint(os.Stderr, "")
	<-ch
}

func worker() {
	for f := range jobs {
		f()
	}
}

func write(name, profile string, debug int) {
	p := pprof.Lookup(profile)
	if p == nil {
		return
	}
	f, _ := os.Create(name)
	p.WriteTo(f, debug)
	f.Close()
}

func main() {
	runtime.MemProfileRate = 4096
	f, _ := os.Create("trace.out")
	trace.Start(f)
	for i := 0; i < 100; i++ {
		go worker()
	}
	var wg sync.WaitGroup
	for i := 0; i < 40; i++ {
		likely(i)
		if i == 10 || i == 20 || i == 30 {
			forget()
			write(fmt.Sprintf("dump%d.txt", i), "goroutine", 2)
		}
		wg.Add(2)
		for k := 0; k < 2; k++ {
			jobs <- func() { time.Sleep(time.Millisecond); wg.Done() }
		}
		time.Sleep(20 * time.Millisecond)
	}
	wg.Wait()
	trace.Stop()
	f.Close()
	write("dump40.txt", "goroutine", 2)
	write("leak.pb.gz", "goroutineleak", 0)
	write("leak1.txt", "goroutineleak", 1)
	write("leak2.txt", "goroutineleak", 2)
	write("g.pb.gz", "goroutine", 0)
	write("g1.txt", "goroutine", 1)
	write("heap.pb.gz", "heap", 0)
}

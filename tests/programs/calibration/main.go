// Programs with one known defect each, in three strengths, and healthy ones of five shapes: what the thresholds of
// `gotrail findings` are held against. Usage: calibration NAME STRENGTH TRACE; the names are the keys of `programs`.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// How long each is recorded.
const length = 1500 * time.Millisecond

// Strengths are 1, 2 and 3; healthy programs have none and get 0.
var programs = map[string]func(strength int){
	"healthy-http":     func(int) { server(4, func() { work(100 * time.Microsecond) }) },
	"healthy-workers":  healthyWorkers,
	"healthy-pipeline": healthyPipeline,
	"healthy-batch":    healthyBatch,
	"healthy-idle":     healthyIdle,

	"map-line":              mapLine,
	"map-growth":            mapGrowth,
	"fresh-map":             freshMap,
	"goroutine-leak":        leak,
	"pool-exhausted":        pool,
	"retry-storm":           retryStorm,
	"slow-receiver":         slowReceiver,
	"slow-sender":           slowSender,
	"lock-starvation":       starvation,
	"writer-behind-readers": writerBehindReaders,
	"lock-holder":           lockHolder,
	"lock-convoy":           convoy,
	"stuck-lock":            stuckLock,
	"timer-storm":           timerStorm,
	"goroutine-churn":       churn,
	"gosched-spinning":      gosched,
	"gc-pressure":           gcPressure,
	"gc-assists":            gcAssists,
	"gc-by-hand":            gcByHand,
	"long-stw":              longStw,
	"saturation":            saturation,
	"long-run":              longRun,
	"syscall-threads":       syscallThreads,
	"slow-sync":             slowSync,
	"small-reads":           smallReads,
	"gomaxprocs":            gomaxprocs,
	"single-goroutine":      single,
	"unbalanced-workers":    unbalanced,
	"wait-cycle":            waitCycle,
	"span-outliers":         outliers,
}

var (
	done = make(chan struct{})
	sink atomic.Int64
	hold atomic.Value
)

func over() bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// work keeps a P busy.
func work(d time.Duration) {
	n := int64(0)
	for end := time.Now().Add(d); time.Now().Before(end); n++ {
	}
	sink.Add(n)
}

// by is the strength's own value.
func by[T any](strength int, values ...T) T { return values[strength-1] }

func main() {
	strength, err := strconv.Atoi(os.Args[2])
	program := programs[os.Args[1]]
	if os.Args[1] == "gomaxprocs" {
		runtime.GOMAXPROCS(1)
	}
	if err != nil || program == nil || strength < 0 || strength > 3 {
		log.Fatal("usage: calibration NAME STRENGTH TRACE")
	}
	f, err := os.Create(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	profile, err := os.Create(os.Args[3] + ".cpu")
	if err != nil {
		log.Fatal(err)
	}
	if err := pprof.StartCPUProfile(profile); err != nil {
		log.Fatal(err)
	}
	if err := trace.Start(f); err != nil {
		log.Fatal(err)
	}
	time.AfterFunc(length, func() { close(done) })
	program(strength)
	<-done
	trace.Stop()
	pprof.StopCPUProfile()
	os.Remove(os.Args[3] + ".cpu")
	if err := f.Close(); err != nil {
		log.Fatal(err)
	}
}

// server answers requests of some clients that pause between two of them.
func server(clients int, handle func()) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		handle()
		fmt.Fprintln(w, "ok")
	}))
	for i := 0; i < clients; i++ {
		go func() {
			for !over() {
				if r, err := http.Get("http://" + l.Addr().String()); err == nil {
					r.Body.Close()
				}
				time.Sleep(5 * time.Millisecond)
			}
		}()
	}
}

func healthyWorkers(int) {
	jobs := make(chan int, 64)
	for i := 0; i < 4; i++ {
		go func() {
			for range jobs {
				work(200 * time.Microsecond)
			}
		}()
	}
	go func() {
		for !over() {
			jobs <- 1
			time.Sleep(time.Millisecond)
		}
	}()
}

func healthyPipeline(int) {
	in, mid, out := make(chan int, 16), make(chan int, 16), make(chan int, 16)
	stage := func(from, to chan int) {
		for v := range from {
			work(100 * time.Microsecond)
			to <- v
		}
	}
	go stage(in, mid)
	go stage(mid, out)
	go func() {
		for v := range out {
			sink.Add(int64(v))
		}
	}()
	go func() {
		for !over() {
			in <- 1
			time.Sleep(500 * time.Microsecond)
		}
	}()
}

func healthyBatch(int) {
	for !over() {
		var wg sync.WaitGroup
		for i := 0; i < runtime.GOMAXPROCS(0); i++ {
			wg.Add(1)
			go func() {
				defer wg.Done()
				work(20 * time.Millisecond)
			}()
		}
		wg.Wait()
	}
}

func healthyIdle(int) {
	server(1, func() {})
	for i := 0; i < 20; i++ {
		go func() {
			t := time.NewTicker(100 * time.Millisecond)
			defer t.Stop()
			for !over() {
				<-t.C
			}
		}()
	}
}

func mapLine(strength int) {
	m := map[int]int{}
	for i := 0; i < 1<<16; i++ {
		m[i] = i
	}
	share := by(strength, 400, 150, 0)
	for i := 0; !over(); i++ {
		for k := 0; k < 100; k++ {
			m[(i*100+k)&0xffff] = k
		}
		work(time.Duration(share) * time.Nanosecond * 10)
	}
}

func mapGrowth(strength int) {
	most, rest := by(strength, 1<<10, 1<<14, 1<<18), by(strength, 100, 50, 0)
	for !over() {
		m := map[int]int{}
		for i := 0; i < most && !over(); i++ {
			m[i] = i
		}
		sink.Add(int64(len(m)))
		work(time.Duration(rest) * time.Microsecond)
	}
}

func freshMap(strength int) {
	rest := by(strength, 1000, 300, 0)
	for !over() {
		m := map[string]int{}
		m["a"], m["b"] = 1, 2
		hold.Store(m)
		work(time.Duration(rest))
	}
}

func leak(strength int) {
	pause := by(strength, 100*time.Millisecond, 10*time.Millisecond, 500*time.Microsecond)
	for !over() {
		answer := make(chan int)
		go func() { answer <- 1 }()
		time.Sleep(pause)
	}
}

func pool(strength int) {
	slots := make(chan struct{}, 2)
	for i := 0; i < by(strength, 4, 8, 40); i++ {
		go func() {
			for !over() {
				slots <- struct{}{}
				time.Sleep(5 * time.Millisecond)
				<-slots
			}
		}()
	}
}

func slowReceiver(strength int) {
	c := make(chan int)
	for i := 0; i < by(strength, 2, 12, 80); i++ {
		go func() {
			for !over() {
				c <- 1
			}
		}()
	}
	go func() {
		for range c {
			work(200 * time.Microsecond)
		}
	}()
}

func slowSender(strength int) {
	c := make(chan int)
	for i := 0; i < by(strength, 4, 24, 150); i++ {
		go func() {
			for range c {
			}
		}()
	}
	go func() {
		for !over() {
			work(200 * time.Microsecond)
			c <- 1
		}
	}()
}

func starvation(strength int) {
	var mu sync.Mutex
	for i := 0; i < by(strength, 1, 4, 20); i++ {
		go func() {
			for !over() {
				mu.Lock()
				mu.Unlock()
				time.Sleep(time.Millisecond)
			}
		}()
	}
	for !over() {
		mu.Lock()
		work(3 * time.Millisecond)
		mu.Unlock()
	}
}

func writerBehindReaders(strength int) {
	var mu sync.RWMutex
	for i := 0; i < 3; i++ {
		go func() {
			for !over() {
				mu.RLock()
				time.Sleep(4 * time.Millisecond)
				mu.RUnlock()
				time.Sleep(time.Millisecond)
			}
		}()
	}
	for i := 0; i < by(strength, 1, 3, 20); i++ {
		go func() {
			for !over() {
				mu.Lock()
				mu.Unlock()
				time.Sleep(2 * time.Millisecond)
			}
		}()
	}
}

func lockHolder(strength int) {
	var mu sync.Mutex
	for i := 0; i < by(strength, 1, 5, 30); i++ {
		go func() {
			for !over() {
				mu.Lock()
				sink.Add(1)
				mu.Unlock()
				time.Sleep(200 * time.Microsecond)
			}
		}()
	}
	go func() {
		for !over() {
			mu.Lock()
			time.Sleep(5 * time.Millisecond)
			mu.Unlock()
			time.Sleep(2 * time.Millisecond)
		}
	}()
}

func stuckLock(strength int) {
	var mu sync.Mutex
	time.Sleep(by(strength, 1400*time.Millisecond, 500*time.Millisecond, 0))
	mu.Lock()
	for i := 0; i < by(strength, 1, 2, 8); i++ {
		go func() {
			mu.Lock()
			mu.Unlock()
		}()
	}
}

func convoy(strength int) {
	var mu sync.Mutex
	for i := 0; i < by(strength, 6, 12, 40); i++ {
		go func() {
			for !over() {
				mu.Lock()
				work(100 * time.Microsecond)
				mu.Unlock()
			}
		}()
	}
}

func timerStorm(strength int) {
	for i := 0; i < by(strength, 10, 60, 400); i++ {
		go func() {
			for !over() {
				time.Sleep(by(strength, 2*time.Millisecond, 2*time.Millisecond, time.Millisecond))
			}
		}()
	}
}

func churn(strength int) {
	pause := by(strength, 100*time.Microsecond, 10*time.Microsecond, 0)
	for !over() {
		for i := 0; i < by(strength, 2, 2, 100); i++ {
			go sink.Add(1)
		}
		work(pause)
		runtime.Gosched()
	}
}

func gosched(strength int) {
	for i := 0; i < by(strength, 1, 2, 4); i++ {
		go func() {
			for !over() {
				work(by(strength, 100*time.Microsecond, 5*time.Microsecond, 0))
				runtime.Gosched()
			}
		}()
	}
}

type node struct{ left, right *node }

func tree(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{tree(depth - 1), tree(depth - 1)}
}

func gcPressure(strength int) {
	kept := tree(by(strength, 16, 17, 18))
	for !over() {
		hold.Store(tree(10))
		work(by(strength, 300*time.Microsecond, 30*time.Microsecond, 0))
	}
	runtime.KeepAlive(kept)
}

func gcAssists(strength int) {
	debug.SetGCPercent(by(strength, 100, 40, 10))
	kept := tree(18)
	for i := 0; i < by(strength, 1, 2, 4); i++ {
		go func() {
			for !over() {
				hold.Store(tree(10))
			}
		}()
	}
	<-done
	runtime.KeepAlive(kept)
}

func gcByHand(strength int) {
	for !over() {
		runtime.GC()
		time.Sleep(by(strength, 600*time.Millisecond, 100*time.Millisecond, 5*time.Millisecond))
	}
}

// A goroutine in a loop without calls and without safe points for a while holds up who stops the world.
func longStw(strength int) {
	debug.SetGCPercent(-1)
	big := make([]byte, by(strength, 64<<20, 256<<20, 1<<30))
	go func() {
		for !over() {
			copy(big[len(big)/2:], big) // memmove cannot be preempted
		}
	}()
	time.Sleep(100 * time.Millisecond)
	for !over() {
		runtime.GC()
		time.Sleep(50 * time.Millisecond)
	}
}

func saturation(strength int) {
	for i := 0; i < runtime.GOMAXPROCS(0)+by(strength, 3, 8, 100); i++ {
		go func() {
			for !over() {
				work(time.Millisecond)
			}
		}()
	}
}

func longRun(strength int) {
	big := make([]byte, by(strength, 128<<20, 512<<20, 1<<30))
	for i := 0; i < runtime.GOMAXPROCS(0); i++ {
		part := big[i*len(big)/runtime.GOMAXPROCS(0):]
		go func() {
			for !over() {
				copy(part, part[1:])
			}
		}()
	}
	for !over() {
		work(100 * time.Microsecond)
		time.Sleep(time.Millisecond)
	}
}

func syscallThreads(strength int) {
	for i := 0; i < by(strength, 12, 100, 1200); i++ {
		go sleepInTheKernel()
	}
}

// Processes take turns at the lock of a file; each of these goroutines stands for one.
func slowSync(strength int) {
	f, err := os.CreateTemp("", "calibration")
	if err != nil {
		log.Fatal(err)
	}
	os.Remove(f.Name())
	f.Close()
	name := f.Name()
	for i := 0; i < by(strength, 3, 4, 12); i++ {
		go func() {
			f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
			if err != nil {
				log.Fatal(err)
			}
			defer f.Close()
			for !over() {
				lockFile(f, true)
				time.Sleep(5 * time.Millisecond)
				lockFile(f, false)
				time.Sleep(by(strength, 8*time.Millisecond, time.Millisecond, 0))
			}
		}()
	}
	<-done
	os.Remove(name)
}

// A header of 16 bytes is read at a time, without a buffer.
func smallReads(strength int) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		c, err := l.Accept()
		if err != nil {
			log.Fatal(err)
		}
		for !over() {
			if _, err := c.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		header := make([]byte, 16)
		for !over() {
			if _, err := c.Read(header); err != nil {
				return
			}
			work(by(strength, 10*time.Microsecond, 4*time.Microsecond, 0))
		}
	}()
	<-done
	c.Close()
}

func gomaxprocs(strength int) {
	pause := by(strength, 2*time.Millisecond, 200*time.Microsecond, 0)
	for i := 0; i < by(strength, 2, 3, 6); i++ {
		go func() {
			for !over() {
				work(200 * time.Microsecond)
				if pause > 0 {
					time.Sleep(pause)
				}
			}
		}()
	}
}

func single(strength int) {
	type request struct{ answer chan int }
	requests := make(chan request)
	go func() {
		for r := range requests {
			work(500 * time.Microsecond)
			r.answer <- 1
		}
	}()
	for i := 0; i < by(strength, 1, 2, 8); i++ {
		go func() {
			for !over() {
				r := request{make(chan int)}
				requests <- r
				<-r.answer
				time.Sleep(by(strength, 100*time.Microsecond, 50*time.Microsecond, 0))
			}
		}()
	}
}

func unbalanced(strength int) {
	for i := 0; i < by(strength, 3, 6, 12); i++ {
		busy := i == 0
		go func() {
			for !over() {
				if busy {
					work(time.Millisecond)
				} else {
					work(20 * time.Microsecond)
					time.Sleep(10 * time.Millisecond)
				}
			}
		}()
	}
}

// Two goroutines that hand a token back and forth, each waiting for the other's work.
// waitCycle: three in a ring, each of which waits for the one before. Two would only hand a value to and fro.
func waitCycle(strength int) {
	var ring [3]chan int
	for i := range ring {
		ring[i] = make(chan int)
	}
	short := by(strength, 20*time.Microsecond, 60*time.Microsecond, 100*time.Microsecond)
	go ringFirst(ring[0], ring[1], by(strength, 300*time.Microsecond, 100*time.Microsecond, 100*time.Microsecond))
	go ringSecond(ring[1], ring[2], short)
	go ringThird(ring[2], ring[0], short)
	ring[0] <- 1
}

func ringFirst(from <-chan int, to chan<- int, d time.Duration) {
	for v := range from {
		work(d)
		to <- v
	}
}

func ringSecond(from <-chan int, to chan<- int, d time.Duration) {
	for v := range from {
		work(d)
		to <- v
	}
}

func ringThird(from <-chan int, to chan<- int, d time.Duration) {
	for v := range from {
		work(d)
		to <- v
	}
}

// retryStorm: clients give a server 2 ms for an answer that takes 50, and ask again at once.
func retryStorm(strength int) {
	requests := make(chan chan<- int, 1<<18)
	go func() {
		for answer := range requests {
			time.Sleep(50 * time.Millisecond)
			answer <- 1
		}
	}()
	ask := func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Millisecond)
		defer cancel()
		answer := make(chan int, 1)
		requests <- answer
		select {
		case <-answer:
		case <-ctx.Done():
		}
	}
	for range by(strength, 2, 8, 80) {
		go func() {
			for !over() {
				ask()
			}
		}()
	}
}

func outliers(strength int) {
	for i := 0; !over(); i++ {
		_, task := trace.NewTask(context.Background(), "request")
		work(20 * time.Microsecond)
		if i%40 == 39 {
			time.Sleep(by(strength, time.Millisecond, 5*time.Millisecond, 60*time.Millisecond))
		}
		task.End()
	}
}

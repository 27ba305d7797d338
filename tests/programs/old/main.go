// Programs with known answers that also old versions of Go compile: old NAME FILE
// records one of them. With ./record.sh they are recorded by several versions.
package main

import (
	"context"
	"os"
	"runtime/trace"
	"sync"
	"time"
)

const ms = time.Millisecond

var programs = map[string]func(*os.File){
	"restart": restart, "reopened": reopened, "unserved": unserved, "heldbefore": heldbefore, "cancelled": cancelled,
}

func main() {
	f, err := os.Create(os.Args[2])
	if err != nil {
		panic(err)
	}
	programs[os.Args[1]](f)
	f.Close()
}

func record(f *os.File, body func()) {
	if err := trace.Start(f); err != nil {
		panic(err)
	}
	body()
	trace.Stop()
}

func spin(d time.Duration) {
	for start := time.Now(); time.Since(start) < d; {
	}
}

// restart records three times, 200 ms apart: main spins for 50 ms and sleeps for 20.
func restart(f *os.File) {
	for i := 0; i < 3; i++ {
		record(f, func() { spin(50 * ms); time.Sleep(20 * ms) })
		time.Sleep(200 * ms)
	}
}

// reopened leaves four senders and four that want a lock behind in each of three recordings.
func reopened(f *os.File) {
	nobody := make(chan int)
	var mu sync.Mutex
	mu.Lock()
	for r := 0; r < 3; r++ {
		record(f, func() {
			for i := 0; i < 4; i++ {
				go func() { nobody <- 1 }()
				go func() { mu.Lock() }()
			}
			spin(20 * ms)
			time.Sleep(10 * ms)
		})
		time.Sleep(50 * ms)
	}
}

// unserved has five that receive what nobody sends.
func unserved(f *os.File) {
	never := make(chan int)
	record(f, func() {
		for i := 0; i < 5; i++ {
			go starving(never)
		}
		spin(20 * ms)
		time.Sleep(10 * ms)
	})
}

func starving(never chan int) { <-never }

// heldbefore: waiter wants the lock for 10 ms of the 30 in which its holder waits for
// sender, which spins for these 10 and waited for early before.
func heldbefore(f *os.File) {
	var mu sync.Mutex
	record(f, func() {
		for i := 0; i < 3; i++ {
			values, early := make(chan int), make(chan int)
			var wg sync.WaitGroup
			wg.Add(2)
			go func() { time.Sleep(20 * ms); early <- 1 }()
			go func() { <-early; spin(12 * ms); values <- 1 }()
			go func() { mu.Lock(); <-values; mu.Unlock(); wg.Done() }()
			time.Sleep(22 * ms)
			go func() { mu.Lock(); mu.Unlock(); wg.Done() }()
			wg.Wait()
		}
	})
}

// cancelled has ten that wait until a context is cancelled, after 30 ms.
func cancelled(f *os.File) {
	record(f, func() {
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		for i := 0; i < 10; i++ {
			wg.Add(1)
			go func() { <-ctx.Done(); wg.Done() }()
		}
		spin(30 * ms)
		cancel()
		wg.Wait()
	})
}

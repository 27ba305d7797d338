package main

import (
	"context"
	"math/rand"
	"runtime/trace"
	"sync"
	"time"
)

// crew has four workers take tasks from a channel as fast as they can.
func crew() {
	jobs := make(chan int)
	var done sync.WaitGroup
	for range 4 {
		done.Add(1)
		go func() {
			defer done.Done()
			crewWorker(jobs)
		}()
	}
	for i := 0; !over(); i++ {
		jobs <- i
	}
	close(jobs)
	done.Wait()
}

func crewWorker(jobs chan int) {
	for n := range jobs {
		_, task := trace.NewTask(context.Background(), "job")
		digest(200 + n%7*100)
		reserve(n)
		task.End()
	}
}

var digested [64]byte

func digest(rounds int) {
	var sum [64]byte
	for range rounds {
		for i := range sum {
			sum[i] = sum[i]*31 + byte(i)
		}
	}
	stock.Lock()
	digested = sum
	stock.Unlock()
}

// pipe has three stages behind a generator that sleeps as long as chance has it.
func pipe() {
	parsed, priced := make(chan []byte, 16), make(chan int, 16)
	var done sync.WaitGroup
	done.Add(2)
	go func() {
		defer done.Done()
		pipeParse(parsed, priced)
	}()
	go func() {
		defer done.Done()
		pipeStore(priced)
	}()
	pipeGenerate(parsed)
	done.Wait()
}

func pipeGenerate(out chan<- []byte) {
	for !over() {
		time.Sleep(time.Duration(rand.ExpFloat64() * float64(400*time.Microsecond)))
		for range 1 + rand.Intn(4) {
			out <- make([]byte, 4096)
		}
	}
	close(out)
}

func pipeParse(in <-chan []byte, out chan<- int) {
	for b := range in {
		digest(300)
		out <- len(b)
	}
	close(out)
}

func pipeStore(in <-chan int) {
	for n := range in {
		reserve(n)
		digest(100)
	}
}

// batch does at every tick what has come together since the one before, in four
// goroutines.
func batch() {
	tick := time.NewTicker(4 * time.Millisecond)
	defer tick.Stop()
	for !over() {
		<-tick.C
		var done sync.WaitGroup
		for i := range 4 {
			done.Add(1)
			go func() {
				defer done.Done()
				batchPart(i)
			}()
		}
		done.Wait()
	}
}

func batchPart(i int) {
	kept := make([][]byte, 0, 64)
	for range 40 + rand.Intn(40) {
		kept = append(kept, make([]byte, 1024))
		digest(10)
	}
	reserve(len(kept) + i)
}

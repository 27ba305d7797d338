package main

import (
	"sync"
	"time"
)

// slots: a pool of two that is counted under a mutex, with a condition for those
// who find it empty. Eight workers take one for four units each, all the time:
// six of them wait for the others.
func slots() {
	p := pool2{free: 2}
	p.some.L = &p.mu
	var done sync.WaitGroup
	for i := 0; i < 8; i++ {
		done.Add(1)
		go func() {
			defer done.Done()
			for j := 0; j < 12; j++ {
				p.take()
				time.Sleep(4 * unit)
				p.give()
			}
		}()
	}
	done.Wait()
}

type pool2 struct {
	mu   sync.Mutex
	some sync.Cond
	free int
}

func (p *pool2) take() {
	p.mu.Lock()
	for p.free == 0 {
		p.some.Wait()
	}
	p.free--
	p.mu.Unlock()
}

func (p *pool2) give() {
	p.mu.Lock()
	p.free++
	p.mu.Unlock()
	p.some.Signal()
}

// flight: six goroutines want one of three values again and again, which the
// first to come makes in four units while the others wait for a channel that it
// closes. There is no pool: nothing is given back.
func flight() {
	var mu sync.Mutex
	made := map[int]chan struct{}{}
	var done sync.WaitGroup
	for i := 0; i < 6; i++ {
		done.Add(1)
		go func() {
			defer done.Done()
			for j := 0; j < 30; j++ {
				key := j % 3
				mu.Lock()
				wait := made[key]
				if wait == nil {
					made[key] = make(chan struct{})
				}
				mu.Unlock()
				if wait != nil {
					<-wait
					continue
				}
				time.Sleep(4 * unit)
				mu.Lock()
				close(made[key])
				delete(made, key)
				mu.Unlock()
			}
		}()
	}
	done.Wait()
}

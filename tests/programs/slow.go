package main

import (
	"context"
	"runtime/trace"
	"sync"
	"time"
)

// slowlock: six clients do 40 tasks "order" each, with a region "price" that
// reads prices under an RWMutex and a millisecond of other work. The refresher
// takes the lock for writing and keeps it over a fetch of 30 ms, by a deferred
// Unlock. Whatever is slow of orders and prices waits for that.
func slowlock() {
	p := &prices{m: map[int]int{}, stop: make(chan struct{})}
	var all, refreshing sync.WaitGroup
	refreshing.Add(1)
	go refresher(p, &refreshing)
	for i := 0; i < 6; i++ {
		all.Add(1)
		go buyer(p, i, &all)
	}
	all.Wait()
	close(p.stop)
	refreshing.Wait()
}

type prices struct {
	mu   sync.RWMutex
	m    map[int]int
	stop chan struct{}
}

func (p *prices) get(k int) int {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.m[k]
}

//go:noinline
func fetch() int {
	time.Sleep(30 * unit)
	return 7
}

//go:noinline
func (p *prices) refresh() {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := fetch()
	for k := 0; k < 8; k++ {
		p.m[k] = n
	}
}

func refresher(p *prices, all *sync.WaitGroup) {
	defer all.Done()
	for {
		select {
		case <-p.stop:
			return
		case <-time.After(15 * unit):
			p.refresh()
		}
	}
}

func buyer(p *prices, k int, all *sync.WaitGroup) {
	defer all.Done()
	for i := 0; i < 40; i++ {
		ctx, task := trace.NewTask(context.Background(), "order")
		trace.WithRegion(ctx, "price", func() { p.get(k) })
		time.Sleep(unit)
		task.End()
	}
}

// slowpool: the same with two locks: a report keeps a lock while it waits for
// one of two connections, which its users hold for 20 ms each. Tasks wait for
// the lock, and by way of that for the pool.
func slowpool() {
	c := &connections{free: make(chan int, 1)}
	c.free <- 1
	var mu sync.Mutex
	var all sync.WaitGroup
	stop := make(chan struct{})
	var busy sync.WaitGroup
	for i := 0; i < 3; i++ {
		busy.Add(1)
		go dumper(c, stop, &busy)
	}
	for i := 0; i < 4; i++ {
		all.Add(1)
		go reporter(c, &mu, i, &all)
	}
	all.Wait()
	close(stop)
	busy.Wait()
}

func dumper(c *connections, stop chan struct{}, all *sync.WaitGroup) {
	defer all.Done()
	for {
		select {
		case <-stop:
			return
		default:
		}
		n := c.get()
		time.Sleep(10 * unit)
		c.put(n)
	}
}

func reporter(c *connections, mu *sync.Mutex, k int, all *sync.WaitGroup) {
	defer all.Done()
	for i := 0; i < 15; i++ {
		_, task := trace.NewTask(context.Background(), "report")
		report(c, mu, i%5 == k)
		task.End()
		time.Sleep(unit)
	}
}

func report(c *connections, mu *sync.Mutex, stored bool) {
	mu.Lock()
	defer mu.Unlock()
	if stored {
		lookUp(c)
	}
}

//go:noinline
func lookUp(c *connections) {
	n := c.get()
	defer c.put(n)
}

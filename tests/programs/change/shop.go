package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime/trace"
	"sync"
	"time"
)

// delay is what price does more than before: nothing, spin or sleep.
var delay string

const more = 200 * time.Microsecond

var stock = struct {
	sync.Mutex
	left map[int]int
}{left: map[int]int{}}

// shop serves requests of two clients in the same process.
func shop() {
	server := httptest.NewServer(http.HandlerFunc(serveOrder))
	var done sync.WaitGroup
	for range 2 {
		done.Add(1)
		go func() {
			defer done.Done()
			buy(server.URL)
		}()
	}
	done.Wait()
	server.Close()
}

func buy(url string) {
	for n := 1; !over(); n++ {
		answer, err := http.Get(url)
		check(err)
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		time.Sleep(time.Duration(n%5) * 300 * time.Microsecond)
	}
}

func serveOrder(w http.ResponseWriter, r *http.Request) {
	spent := price(120 * time.Microsecond)
	reserve(spent)
	io.WriteString(w, "ok")
}

// counter serves orders without a network: small traces of many.
func counter() {
	orders := make(chan int, 64)
	var done sync.WaitGroup
	done.Add(2)
	for range 2 {
		go serveCounter(orders, &done)
	}
	for n := 0; !over(); n += 3 {
		time.Sleep(8 * time.Millisecond)
		for i := range 3 {
			orders <- n + i
		}
	}
	close(orders)
	done.Wait()
}

func serveCounter(orders <-chan int, done *sync.WaitGroup) {
	defer done.Done()
	for n := range orders {
		_, task := trace.NewTask(context.Background(), "order")
		reserve(n + price(60*time.Microsecond))
		task.End()
	}
}

func price(usual time.Duration) int {
	n := 0
	for from := time.Now(); time.Since(from) < usual; {
		n++
	}
	switch delay {
	case "spin":
		for from := time.Now(); time.Since(from) < more; {
			n++
		}
	case "sleep":
		time.Sleep(more)
	}
	return n
}

func reserve(n int) {
	stock.Lock()
	defer stock.Unlock()
	for i := range 200 {
		stock.left[(n+i)%512]++
	}
}

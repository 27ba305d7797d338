package main

import (
	"context"
	"io"
	"net"
	"syscall"
	"time"
)

// network: a client asks, the server thinks for 10 ms and answers; the client
// waits in a read. Three times over one loopback connection.
func network() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	served := make(chan struct{})
	go server(l, served)
	conn, err := net.Dial("tcp", l.Addr().String())
	check(err)
	asked := make(chan struct{})
	go client(conn, asked)
	<-asked
	<-served
	check(l.Close())
}

func server(l net.Listener, served chan<- struct{}) {
	conn, err := l.Accept()
	check(err)
	question := make([]byte, 1)
	for {
		if _, err := io.ReadFull(conn, question); err != nil {
			break
		}
		time.Sleep(10 * unit)
		_, err = conn.Write(question)
		check(err)
	}
	check(conn.Close())
	close(served)
}

func client(conn net.Conn, asked chan<- struct{}) {
	answer := make([]byte, 1)
	for i := 0; i < 3; i++ {
		_, err := conn.Write([]byte("?"))
		check(err)
		_, err = io.ReadFull(conn, answer)
		check(err)
	}
	check(conn.Close())
	close(asked)
}

// timer: four ways to wait 10 ms for a clock.
func timers() {
	done := make(chan struct{})
	go sleeper(done)
	go afterReceiver(done)
	go timeoutSelecter(done)
	go tickReceiver(done)
	for i := 0; i < 4; i++ {
		<-done
	}
}

func sleeper(done chan<- struct{}) {
	time.Sleep(10 * unit)
	done <- struct{}{}
}

func afterReceiver(done chan<- struct{}) {
	<-time.After(10 * unit)
	done <- struct{}{}
}

func timeoutSelecter(done chan<- struct{}) {
	never := make(chan int)
	select {
	case <-never:
	case <-time.After(10 * unit):
	}
	done <- struct{}{}
}

func tickReceiver(done chan<- struct{}) {
	tick := time.NewTicker(5 * unit)
	<-tick.C
	<-tick.C
	tick.Stop()
	done <- struct{}{}
}

// syscalls: a goroutine reads from a pipe, past the poller, for 120 ms; the
// trace advances its generation every 20 ms meanwhile.
func syscalls() {
	var pipe [2]int
	check(syscall.Pipe(pipe[:]))
	done := make(chan struct{})
	go pipeReader(pipe[0], done)
	time.Sleep(120 * unit)
	_, err := syscall.Write(pipe[1], []byte("!"))
	check(err)
	<-done
}

func pipeReader(fd int, done chan<- struct{}) {
	_, err := syscall.Read(fd, make([]byte, 1))
	check(err)
	close(done)
}

// deadline: main waits for a goroutine that time.AfterFunc starts after 10 ms,
// and then for a context whose deadline passes after another 10 ms. Timers
// start both of those who let it go, and nobody else made them.
func deadline() {
	fired := make(chan struct{})
	time.AfterFunc(10*unit, func() { close(fired) })
	<-fired
	ctx, cancel := context.WithTimeout(context.Background(), 10*unit)
	defer cancel()
	// The context's own channel is closed by the goroutine of the timer.
	<-ctx.Done()
}

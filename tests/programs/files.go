package main

import (
	"net"
	"os"
	"sync"
	"syscall"
)

// filelock: three goroutines take turns at the lock of a file, as processes would, each holds it for 5 ms, ten times.
func filelock() {
	dir, err := os.MkdirTemp("", "programs")
	check(err)
	defer os.RemoveAll(dir)
	var all sync.WaitGroup
	all.Add(3)
	for range 3 {
		go turns(dir+"/lock", &all)
	}
	all.Wait()
}

func turns(name string, all *sync.WaitGroup) {
	defer all.Done()
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	check(err)
	for range 10 {
		check(syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
		spin(5 * unit)
		check(syscall.Flock(int(f.Fd()), syscall.LOCK_UN))
	}
	check(f.Close())
}

// unbuffered: what has arrived long ago is read by one byte at a time, 4000 times.
func unbuffered() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go func() {
		conn, err := l.Accept()
		check(err)
		_, err = conn.Write(make([]byte, 4000))
		check(err)
		check(conn.Close())
	}()
	conn, err := net.Dial("tcp", l.Addr().String())
	check(err)
	read := make(chan struct{})
	go bytewise(conn, read)
	<-read
	check(conn.Close())
	check(l.Close())
}

func bytewise(conn net.Conn, read chan<- struct{}) {
	one := make([]byte, 1)
	for range 4000 {
		_, err := conn.Read(one)
		check(err)
	}
	close(read)
}

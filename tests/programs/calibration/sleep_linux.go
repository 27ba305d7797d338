package main

import (
	"os"
	"syscall"
)

// sleepInTheKernel holds a thread.
func sleepInTheKernel() {
	for !over() {
		t := syscall.NsecToTimespec(20_000_000)
		syscall.Nanosleep(&t, nil)
	}
}

// lockFile takes a file's lock, or releases it.
func lockFile(f *os.File, take bool) {
	how := syscall.LOCK_UN
	if take {
		how = syscall.LOCK_EX
	}
	syscall.Flock(int(f.Fd()), how)
}

package main

import "syscall"

// sleepInTheKernel holds a thread.
func sleepInTheKernel() {
	for !over() {
		t := syscall.NsecToTimespec(20_000_000)
		syscall.Nanosleep(&t, nil)
	}
}

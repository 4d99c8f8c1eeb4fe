// A Go program at work: goroutines on many threads, a heap that grows and is given back, deep stacks,
// mapped files, and child processes.
//
// Usage: churn SECONDS FOLDER
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"syscall"
	"time"
)

func deep(n int) int {
	var room [1024]byte
	room[n%1024] = byte(n)
	if n == 0 {
		return int(room[0])
	}
	return deep(n-1) + int(room[n%1024])
}

func allocate(seed int) int {
	held := map[int][]byte{}
	total := 0
	for n := 0; n < 2000; n++ {
		held[n%100] = make([]byte, (n*977+seed)%60_000+1)
		if n%50 == 0 {
			held[1000+n] = make([]byte, 1<<20)
		}
		total += len(held[n%100])
	}
	return total + deep(500+seed%2000)
}

func mapped(path string, size int) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(path)
	defer file.Close()
	if err := file.Truncate(int64(size)); err != nil {
		return err
	}
	bytes, err := syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return err
	}
	for at := 0; at < size; at += 4096 {
		bytes[at] = 1
	}
	return syscall.Munmap(bytes)
}

func run() error {
	if len(os.Args) != 3 {
		return fmt.Errorf("usage: churn SECONDS FOLDER")
	}
	seconds, err := strconv.Atoi(os.Args[1])
	if err != nil {
		return err
	}
	deadline := time.Now().Add(time.Duration(seconds) * time.Second)
	for round := 0; time.Now().Before(deadline); round++ {
		var all sync.WaitGroup
		for n := 0; n < 8; n++ {
			all.Add(1)
			go func(n int) {
				defer all.Done()
				// A locked goroutine that ends takes its thread along.
				if n == 0 {
					runtime.LockOSThread()
				}
				allocate(round*8 + n)
			}(n)
		}
		if err := mapped(filepath.Join(os.Args[2], "file"), (round%7+1)<<20+123); err != nil {
			return err
		}
		if err := exec.Command("true").Run(); err != nil {
			return err
		}
		all.Wait()
		if round%5 == 4 {
			debug.FreeOSMemory()
		}
	}
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "churn:", err)
		os.Exit(1)
	}
}

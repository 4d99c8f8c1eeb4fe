// A Go program at work, in the shapes that memory's course has: leaks, and what only looks like one. A mode goes on
// until somebody ends it. What an expert calls each, and why, stands in cases.py.
//
// Usage: shapes MODE
package main

import (
	"os"
	"time"
)

var kept [][]byte
var last [100][]byte

func filled(size int) []byte {
	got := make([]byte, size)
	for n := range got {
		got[n] = byte(n)
	}
	return got
}

func main() {
	for n := 0; ; n++ {
		switch os.Args[1] {
		case "kept_slices":
			kept = append(kept, filled(200_000))
		case "kept_goroutines":
			for m := 0; m < 40; m++ {
				go func() {
					var frames [4096]byte
					select {
					case <-time.After(time.Hour):
						println(frames[0])
					}
				}()
			}
		case "idle":
			time.Sleep(time.Second)
		case "garbage":
			for m := 0; m < 10; m++ {
				last[m] = filled(100_000)
			}
		case "full_cache":
			last[n%len(last)] = filled(200_000)
		default:
			os.Exit(2)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

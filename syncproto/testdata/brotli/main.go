// Command brotli prints how many bytes a file takes under brotli 11. It is a
// program of its own so that the race detector does not slow it down.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/andybalholm/brotli"
)

// counter counts what is written to it.
type counter int

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	var size counter
	w := brotli.NewWriterLevel(&size, brotli.BestCompression)
	if _, err := io.Copy(w, f); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	_, err = fmt.Println(int(size))
	return err
}

// Command build builds the package of the folder it is called in, into its dist.
package main

import (
	"fmt"
	"os"

	"doorstep/client-sdk/ts/bundle"
)

func main() {
	if err := bundle.Build(".", "dist"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

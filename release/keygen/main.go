// Command keygen writes a key that signs images: the private key to the file that it is
// given, readable by its owner only, and the public key to FILE.pub. It keeps a key that
// exists.
package main

import (
	"fmt"
	"os"

	"github.com/progressive-framework/platform/release/signkey"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: keygen FILE")
		os.Exit(2)
	}
	if err := signkey.Create(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	fmt.Println(os.Args[1] + ".pub")
}

// Command keygen writes the keys that sign images. With a file it creates a key: the private
// key in the file, readable by its owner only, and the public key in FILE.pub. With -export it
// writes the public part of a key that exists, such as one of AWS KMS. It keeps files that exist.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/progressive-framework/platform/release/signer"
	"github.com/progressive-framework/platform/release/signkey"
)

func main() {
	export := flag.String("export", "", "write the public part of this key, a file or awskms:///KEY, to FILE")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: keygen FILE\n       keygen -export KEY FILE")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	written, err := run(context.Background(), *export, flag.Arg(0))
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	fmt.Println(written)
}

// run returns the file with the public key.
func run(ctx context.Context, export, file string) (string, error) {
	if export == "" {
		return file + ".pub", signkey.Create(file)
	}
	key, err := signer.Open(ctx, export)
	if err != nil {
		return "", err
	}
	return file, signkey.WritePublic(file, key)
}

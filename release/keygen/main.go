// Command keygen creates the keys that sign images:
//
//	keygen FILE              creates a key: FILE has the private key, FILE.pub the public key
//	keygen -export KEY FILE  writes the public key of an existing key, such as one of AWS KMS
//
// Only the owner can read the private key. keygen never overwrites a file.
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
	publicKeyFile, err := createOrExport(context.Background(), *export, flag.Arg(0))
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	fmt.Println(publicKeyFile)
}

// createOrExport writes the public part of an existing key to file. If keyReference is empty, it
// creates a key in file instead. It returns the file with the public key.
func createOrExport(ctx context.Context, keyReference, file string) (string, error) {
	if keyReference == "" {
		return file + ".pub", signkey.Create(file)
	}
	key, err := signer.Open(ctx, keyReference, signer.Credentials{})
	if err != nil {
		return "", err
	}
	return file, signkey.WritePublic(file, key)
}

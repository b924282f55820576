// Command wordlint finds the words that the project does not use, and packages with the
// same name:
//
//	wordlint [-root DIR]
//
// It reads the Go and Markdown files below a folder. In Go files it checks declared names,
// comments and strings. It prints each finding as "file:line: message", and exits with 1 if
// there is one.
//
// rules.go has the words and what to say instead. allow.go has the places where such a word is
// correct. wordlint uses only the standard library, so that it starts within a second.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	root := flag.String("root", ".", "the folder to read")
	flag.Parse()
	findings, err := Lint(os.DirFS(*root), rules, allowed)
	if err != nil {
		fmt.Fprintln(os.Stderr, "wordlint:", err)
		os.Exit(2)
	}
	for _, f := range findings {
		fmt.Println(f)
	}
	if len(findings) > 0 {
		fmt.Fprintf(os.Stderr, "wordlint: %d findings. Use the word that the message gives; "+
			"if the word is right in its place, add a line with the reason to tools/wordlint/allow.go\n", len(findings))
		os.Exit(1)
	}
}

// Wordlint refuses the words that the project does not use, and two packages
// of one name. It reads Go files (declared names, comments, strings) and
// Markdown below a folder, prints each finding as "file:line: message", and
// exits with 1 if there is one.
//
//	wordlint [-root DIR]
//
// rules.go has the words with what to say instead, allow.go has the places
// where a word is right. Only the standard library is used, so that it starts
// within a second.
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

package main

// Exception permits a word in a file or a folder. An exception that permits nothing is an
// error.
type Exception struct {
	// Path is a file, or a folder with a slash at its end.
	Path string
	// Rule is the word of the rule, or "namesake"; empty for all.
	Rule string
	// Text is a part of the line or the name.
	Text string
	// Reason says why the word is correct in this place.
	Reason string
}

// allowed are all exceptions.
var allowed = []Exception{
	{"tools/wordlint/", "", "", "the rules and their tests have to name the words"},
	{"docs/design-document.md", "behavior", "behavior", "the text of the specification"},
	{"docs/policy-peers.md", "", "cmk-backing-key-rotation-enabled", "the name of a rule of awsguard"},
}

package envconfig

import (
	"fmt"

	"github.com/dustin/go-humanize"
)

// Size reads a number of bytes from min to max, both included. MB is a million
// bytes, MiB is 2^20 (IEC 80000-13).
func (r *Reader) Size(name, fallback string, min, max uint64) uint64 {
	rule := fmt.Sprintf("must be a size such as %s, from %s to %s", fallback, humanize.IBytes(min), humanize.IBytes(max))
	// The fallback is a string, so that the error shows the fallback as the caller wrote it.
	sizeText := read(r, name, fallback, rule, func(text string) (string, bool) {
		n, err := humanize.ParseBytes(text)
		return text, err == nil && n >= min && n <= max
	})
	size, _ := humanize.ParseBytes(sizeText)
	return size
}

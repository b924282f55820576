package envconfig

import (
	"fmt"

	"github.com/dustin/go-humanize"
)

// Size reads a number of bytes from lowest to highest, both included: MB is a
// million bytes, MiB 2^20 (IEC 80000-13).
func (r *Reader) Size(name, fallback string, lowest, highest uint64) uint64 {
	rule := fmt.Sprintf("must be a size such as %s, from %s to %s", fallback, humanize.IBytes(lowest), humanize.IBytes(highest))
	// The fallback is text, so that a mistake's mend shows it as it is written.
	text := read(r, name, fallback, rule, func(text string) (string, bool) {
		n, err := humanize.ParseBytes(text)
		return text, err == nil && n >= lowest && n <= highest
	})
	size, _ := humanize.ParseBytes(text)
	return size
}

// Package size is an amount of memory or storage that knows its unit. It is a
// struct, so that a bare number can't be taken for one: size.MiB(256), never
// 256.
package size

import "strconv"

// Size is a number of bytes.
type Size struct{ bytes int64 }

// Of is n bytes.
func Of(n int64) Size { return Size{n} }

// KiB is n times 1,024 bytes, which PostgreSQL and Redis write kB and kb.
func KiB(n int64) Size { return Size{n << 10} }

// MiB is n times 1,024 KiB.
func MiB(n int64) Size { return Size{n << 20} }

// GiB is n times 1,024 MiB.
func GiB(n int64) Size { return Size{n << 30} }

// Bytes is the number of bytes.
func (s Size) Bytes() int64 { return s.bytes }

// Times is n of them.
func (s Size) Times(n int) Size { return Size{s.bytes * int64(n)} }

// Over is the n-th part, rounded down to whole bytes.
func (s Size) Over(n int) Size { return Size{s.bytes / int64(n)} }

// Plus is both together.
func (s Size) Plus(o Size) Size { return Size{s.bytes + o.bytes} }

// Minus is what is left without o; it may be negative.
func (s Size) Minus(o Size) Size { return Size{s.bytes - o.bytes} }

// Down rounds down to whole units.
func (s Size) Down(unit Size) Size { return Size{s.bytes / unit.bytes * unit.bytes} }

// Less says whether s is smaller than o.
func (s Size) Less(o Size) bool { return s.bytes < o.bytes }

// Min is the smaller of both.
func Min(a, b Size) Size { return Size{min(a.bytes, b.bytes)} }

// Max is the larger of both.
func Max(a, b Size) Size { return Size{max(a.bytes, b.bytes)} }

// Write is the size in the largest unit of which it is a whole number, with
// the units' names for 1, 1,024, 1,024² and 1,024³ bytes.
func (s Size) Write(names [4]string) string {
	n, unit := s.bytes, 0
	for n != 0 && n%1024 == 0 && unit < len(names)-1 {
		n, unit = n/1024, unit+1
	}
	return strconv.FormatInt(n, 10) + names[unit]
}

// String writes the size as Kubernetes does: 4Gi, 1536Mi.
func (s Size) String() string { return s.Write([4]string{"", "Ki", "Mi", "Gi"}) }

// Package size owns a type for amounts of memory and storage. The type is a
// struct, so that the compiler refuses a number without a unit: write
// size.MiB(256), not 256.
package size

import "strconv"

// Size is a number of bytes.
type Size struct{ bytes int64 }

// Bytes returns a size of n bytes.
func Bytes(n int64) Size { return Size{n} }

// KiB returns a size of n times 1,024 bytes. PostgreSQL writes this unit as kB, and Redis
// writes it as kb.
func KiB(n int64) Size { return Size{n << 10} }

// MiB returns a size of n times 1,024 KiB.
func MiB(n int64) Size { return Size{n << 20} }

// GiB returns a size of n times 1,024 MiB.
func GiB(n int64) Size { return Size{n << 30} }

// Bytes returns the number of bytes.
func (s Size) Bytes() int64 { return s.bytes }

// Mul returns s times n.
func (s Size) Mul(n int) Size { return Size{s.bytes * int64(n)} }

// Div returns s divided by n, rounded down to whole bytes.
func (s Size) Div(n int) Size { return Size{s.bytes / int64(n)} }

// Add returns s plus o.
func (s Size) Add(o Size) Size { return Size{s.bytes + o.bytes} }

// Sub returns s minus o. The result may be negative.
func (s Size) Sub(o Size) Size { return Size{s.bytes - o.bytes} }

// Truncate rounds s down to a multiple of unit.
func (s Size) Truncate(unit Size) Size { return Size{s.bytes / unit.bytes * unit.bytes} }

// Less reports whether s is smaller than o.
func (s Size) Less(o Size) bool { return s.bytes < o.bytes }

// Min returns the smaller of a and b.
func Min(a, b Size) Size { return Size{min(a.bytes, b.bytes)} }

// Max returns the larger of a and b.
func Max(a, b Size) Size { return Size{max(a.bytes, b.bytes)} }

// Format returns the size as a whole number of the largest possible unit. names are the
// names of the units of 1, 1,024, 1,024² and 1,024³ bytes.
func (s Size) Format(names [4]string) string {
	n, unit := s.bytes, 0
	for n != 0 && n%1024 == 0 && unit < len(names)-1 {
		n, unit = n/1024, unit+1
	}
	return strconv.FormatInt(n, 10) + names[unit]
}

// String returns the size as Kubernetes writes it: 4Gi, 1536Mi.
func (s Size) String() string { return s.Format([4]string{"", "Ki", "Mi", "Gi"}) }

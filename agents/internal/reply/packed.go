package reply

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// packFrom is from how many bytes on an answer is worth compressing: up to
// this many net/http sends it in one write.
const packFrom = 4 << 10

// Packed is the end of a line of JSON that is sent many times, its newline
// included, compressed once for all of them. It is encoded in caches.
type Packed struct {
	Plain []byte `cbor:"1,keyasint"`
	// Deflated is Plain as a DEFLATE stream (RFC 1951), nil where Plain is short.
	Deflated []byte `cbor:"2,keyasint,omitempty"`
}

// deflaters are of the fastest level: a plan of a week, 10.2 kB, becomes 3.0.
var deflaters = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		panic(err) // the level is a known one
	}
	return w
}}

// Pack prepares the end of a line.
func Pack(plain []byte) Packed {
	if len(plain) < packFrom {
		return Packed{Plain: plain}
	}
	var out bytes.Buffer
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	w.Reset(&out)
	_, _ = w.Write(plain) // a buffer takes all
	_ = w.Close()
	return Packed{Plain: plain, Deflated: out.Bytes()}
}

// gzipStart is how a stream begins that says no more than that it is one (RFC
// 1952), and that its first block is stored as it is, and not the last.
var gzipStart = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 0}

// PackedLine answers with a line of JSON whose beginning is of this answer alone:
// compressed if the client takes that. The beginning then goes as a block that
// is not, before the blocks of the end, which know nothing of it; so nobody can
// learn from the length what both have in common.
func PackedLine(w http.ResponseWriter, r *http.Request, status int, head []byte, rest Packed) {
	const most = 1<<16 - 1 // of a block that is not compressed
	if rest.Deflated == nil || len(head) > most {
		Line(w, status, head, rest.Plain)
		return
	}
	w.Header().Add("Vary", "Accept-Encoding")
	if !takesGzip(r.Header) {
		Line(w, status, head, rest.Plain)
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	start := binary.LittleEndian.AppendUint16(slices.Clip(gzipStart), uint16(len(head)))
	start = binary.LittleEndian.AppendUint16(start, ^uint16(len(head)))
	sum := crc32.Update(crc32.ChecksumIEEE(head), crc32.IEEETable, rest.Plain)
	end := binary.LittleEndian.AppendUint32(nil, sum)
	end = binary.LittleEndian.AppendUint32(end, uint32(len(head)+len(rest.Plain)))
	Line(w, status, start, head, rest.Deflated, end)
}

// takesGzip reads Accept-Encoding (RFC 9110, section 12.5.3).
func takesGzip(h http.Header) bool {
	for _, line := range h["Accept-Encoding"] {
		for coding := range strings.SplitSeq(line, ",") {
			name, weight, _ := strings.Cut(coding, ";")
			if strings.EqualFold(strings.TrimSpace(name), "gzip") {
				q, ok := strings.CutPrefix(strings.TrimSpace(weight), "q=")
				value, err := strconv.ParseFloat(q, 64)
				return !ok || err == nil && value > 0
			}
		}
	}
	return false
}

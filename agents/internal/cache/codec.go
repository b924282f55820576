package cache

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// A value in Redis has a format byte, eight bytes for its expiry in
// milliseconds since 1970, and CBOR. The expiry is stored so that a local copy
// expires with the value.
const (
	format     = 1 // the format byte
	headerSize = 9 // the format byte and the expiry
	// maxValueBytes bounds an encoded value without the header.
	maxValueBytes = 4 << 20
)

// The encoder keeps the nanoseconds of times. The decoder's limits bound the memory
// that invalid data can make it allocate.
var (
	encoder = must(cbor.EncOptions{Time: cbor.TimeRFC3339Nano}.EncMode())
	decoder = must(cbor.DecOptions{MaxArrayElements: 1 << 20, MaxMapPairs: 1 << 20, MaxNestedLevels: 32}.DecMode())
)

// must panics on an error. It is only for the constant options above: a wrong option
// would fail at every start of the process, so tests find it.
func must[T any](mode T, err error) T {
	if err != nil {
		panic(err)
	}
	return mode
}

// encode encodes a value and the time at which it expires.
func encode(value any, expires time.Time) ([]byte, error) {
	body, err := encoder.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encode a value of %T for the cache: %w", value, err)
	}
	if len(body) > maxValueBytes {
		return nil, fmt.Errorf("value of %T has %d bytes, must have at most %d to be cached", value, len(body), maxValueBytes)
	}
	data := make([]byte, 0, headerSize+len(body))
	data = append(data, format)
	data = binary.BigEndian.AppendUint64(data, uint64(expires.UnixMilli()))
	return append(data, body...), nil
}

// decode returns the value that encode has encoded, and the time at which it expires.
func decode[V any](data []byte) (value V, expires time.Time, err error) {
	if len(data) < headerSize || len(data) > headerSize+maxValueBytes || data[0] != format {
		return value, expires, fmt.Errorf("cached value of %d bytes has an unknown format", len(data))
	}
	expires = time.UnixMilli(int64(binary.BigEndian.Uint64(data[1:headerSize])))
	err = decoder.Unmarshal(data[headerSize:], &value)
	return value, expires, err
}

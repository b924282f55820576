package cache

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// A value in Redis is a byte for the form, eight for the end of its life in
// milliseconds since 1970, and CBOR. The end travels with the value so that a
// local tier that takes it over does not make it younger.
const (
	form       = 1
	headerSize = 9
	// maxValue bounds what is written and read, in bytes.
	maxValue = 4 << 20
)

// The modes keep times to the nanosecond and bound what a decoder will build.
var (
	encoder = must(cbor.EncOptions{Time: cbor.TimeRFC3339Nano}.EncMode())
	decoder = must(cbor.DecOptions{MaxArrayElements: 1 << 20, MaxMapPairs: 1 << 20, MaxNestedLevels: 32}.DecMode())
)

// must is for options written above: a wrong one shows at every start.
func must[T any](mode T, err error) T {
	if err != nil {
		panic(err)
	}
	return mode
}

func encode(value any, until time.Time) ([]byte, error) {
	body, err := encoder.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encode a value of %T for the cache: %w", value, err)
	}
	if len(body) > maxValue {
		return nil, fmt.Errorf("a value of %T has %d bytes, at most %d are cached", value, len(body), maxValue)
	}
	text := make([]byte, 0, headerSize+len(body))
	text = append(text, form)
	text = binary.BigEndian.AppendUint64(text, uint64(until.UnixMilli()))
	return append(text, body...), nil
}

func decode[V any](text []byte) (value V, until time.Time, err error) {
	if len(text) < headerSize || len(text) > headerSize+maxValue || text[0] != form {
		return value, until, fmt.Errorf("a cached value of %d bytes is not in our form", len(text))
	}
	until = time.UnixMilli(int64(binary.BigEndian.Uint64(text[1:headerSize])))
	err = decoder.Unmarshal(text[headerSize:], &value)
	return value, until, err
}

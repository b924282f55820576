package traffic

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/progressive-framework/platform/agents/internal/load"
)

// wires are connections over which a request is sent as bytes that were made
// before. net/http's client takes more of the processor than the servers that
// it would have to saturate; this takes half of that. It knows HTTP/1.1
// without TLS, looks at the status only, and gives up a connection that failed.
type wires struct {
	client *Client
	of     Request
	sent   []byte // nil where each is another
	idle   chan *wire
}

type wire struct {
	conn net.Conn
	in   *bufio.Reader
}

// Wires sends the request over that many connections of its own, until end.
func (c *Client) Wires(r Request, connections int) (send func(ctx context.Context, n int) error, end func(), err error) {
	w := &wires{client: c, of: r, idle: make(chan *wire, connections)}
	if !r.Fresh {
		if w.sent, err = w.bytes(0); err != nil {
			return nil, nil, err
		}
	}
	for range connections {
		w.idle <- nil // to be opened
	}
	return w.send, w.close, nil
}

func (w *wires) bytes(n int) ([]byte, error) {
	token := w.client.Token
	if w.of.Public {
		token = ""
	}
	request, err := w.client.request(context.Background(), w.of, n, token)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept-Encoding", "gzip") // as net/http's client and every browser
	var out bytes.Buffer
	err = request.Write(&out)
	return out.Bytes(), err
}

func (w *wires) send(ctx context.Context, n int) (err error) {
	sent := w.sent
	if sent == nil {
		if sent, err = w.bytes(n); err != nil {
			return err
		}
	}
	var over *wire
	select {
	case over = <-w.idle:
	case <-ctx.Done():
		return ctx.Err()
	}
	if over == nil {
		if over, err = w.open(ctx); err != nil {
			w.idle <- nil
			return err
		}
	}
	status, err := over.exchange(sent)
	if err != nil {
		_ = over.conn.Close() // the first error says more
		over = nil
	}
	w.idle <- over
	if err == nil && status != http.StatusOK {
		return wrongStatus(status, nil)
	}
	return err
}

func (w *wires) open(ctx context.Context) (*wire, error) {
	conn, err := (&net.Dialer{Timeout: 5 * time.Second, Control: loopbackOnly}).DialContext(ctx, "tcp", w.client.Base.Host)
	if err != nil {
		return nil, err
	}
	return &wire{conn, bufio.NewReaderSize(conn, 32<<10)}, nil
}

func (o *wire) exchange(sent []byte) (status int, err error) {
	if err := o.conn.SetDeadline(time.Now().Add(load.Timeout)); err != nil {
		return 0, err
	}
	if _, err := o.conn.Write(sent); err != nil {
		return 0, err
	}
	answer, err := http.ReadResponse(o.in, nil)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, err
}

func (w *wires) close() {
	for range cap(w.idle) {
		if o := <-w.idle; o != nil {
			_ = o.conn.Close() // nothing is lost
		}
	}
}

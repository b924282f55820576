package load

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	"github.com/coder/websocket"
)

// dial opens a WebSocket as the design document does, with the token in the
// query. The status is 101 for a WebSocket, and that of the answer otherwise.
func (c *Client) dial(ctx context.Context, token string) (conn *websocket.Conn, status int, err error) {
	to := c.Base.JoinPath(Socket.Path) // package websocket takes http and https
	if token != "" {
		to.RawQuery = url.Values{"token": {token}}.Encode()
	}
	conn, response, err := websocket.Dial(ctx, to.String(), &websocket.DialOptions{HTTPClient: c.HTTP})
	if response != nil {
		status = response.StatusCode
	}
	if inURL, is := errors.AsType[*url.Error](err); is {
		err = inURL.Err // the whole error has the URL, and with it the token
	}
	return conn, status, err
}

// sockets are WebSockets that send in turn. A closed one is opened by the next
// request that uses it.
type sockets struct {
	client *Client
	idle   chan *socket
}

func newSockets(c *Client, count int) *sockets {
	s := &sockets{c, make(chan *socket, count)}
	for id := range count {
		s.idle <- &socket{id: id}
	}
	return s
}

// send sends one agent_status_request on the WebSocket that has been idle for
// longest, and checks the answer.
func (s *sockets) send(ctx context.Context, _ int) error {
	var one *socket
	select {
	case <-ctx.Done():
		return ctx.Err()
	case one = <-s.idle:
	}
	defer func() { s.idle <- one }()
	if one.conn == nil {
		if err := one.open(ctx, s.client); err != nil {
			return err
		}
	}
	err := one.requestStatus(ctx)
	if err != nil {
		one.close()
	}
	return err
}

// close closes all; no send may be in flight.
func (s *sockets) close() {
	for range cap(s.idle) {
		one := <-s.idle
		one.close()
	}
}

type socket struct {
	id      int
	conn    *websocket.Conn
	end     context.CancelFunc
	answers chan []byte // closed when the connection ends
}

func (s *socket) open(ctx context.Context, c *Client) error {
	conn, status, err := c.dial(ctx, c.Token)
	switch {
	case err != nil && status != 0:
		return invalidStatus(status, nil)
	case err != nil:
		return err
	}
	conn.SetReadLimit(maxBody)
	reading, end := context.WithCancel(context.WithoutCancel(ctx))
	s.conn, s.end, s.answers = conn, end, make(chan []byte, 1)
	go read(reading, conn, s.answers)
	return nil
}

// read reads until the connection ends, because reading also answers pings.
func read(ctx context.Context, conn *websocket.Conn, answers chan<- []byte) {
	defer close(answers)
	for {
		_, text, err := conn.Read(ctx)
		if err != nil {
			return
		}
		select {
		case answers <- text:
		case <-ctx.Done():
			return
		}
	}
}

func (s *socket) close() {
	if s.conn == nil {
		return
	}
	s.end()
	s.conn.CloseNow()
	s.conn = nil
}

func (s *socket) requestStatus(ctx context.Context) error {
	sent := time.Now().UnixMilli()
	text, err := json.Marshal(object{"type": "agent_status_request", "timestamp": sent, "connectionId": s.id})
	if err != nil {
		return err
	}
	if err := s.conn.Write(ctx, websocket.MessageText, text); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case answer, ok := <-s.answers:
		if !ok {
			return invalidf("the WebSocket was closed")
		}
		return checkStatus(answer, sent, s.id)
	}
}

// checkStatus accepts a degraded status: that an agent fails is a true answer,
// as long as web could ask for it.
func checkStatus(body []byte, sent int64, id int) error {
	type status struct {
		Type, Status                 string
		Timestamp, OriginalTimestamp int64
		ConnectionID                 int
	}
	return decode(body, func(a status) error {
		switch {
		case a.Type != "agent_status":
			return invalidf("the message is of type %.20q, must be agent_status", a.Type)
		case a.Status != "active" && a.Status != "degraded":
			return invalidf("the agents are %.20q, must be active or degraded", a.Status)
		case a.Timestamp <= 0 || a.OriginalTimestamp != sent || a.ConnectionID != id:
			return invalidf("the message answers another request")
		}
		return nil
	})
}

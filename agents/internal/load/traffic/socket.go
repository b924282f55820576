package traffic

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	"github.com/coder/websocket"
)

// dial opens a WebSocket as the document does, with the token in the query. The
// status is that of an answer that is no WebSocket, 101 for one that is.
func (c *Client) dial(ctx context.Context, token string) (conn *websocket.Conn, status int, err error) {
	to := c.Base.JoinPath(Socket.Path) // websocket takes http and https
	if token != "" {
		to.RawQuery = url.Values{"token": {token}}.Encode()
	}
	conn, answer, err := websocket.Dial(ctx, to.String(), &websocket.DialOptions{HTTPClient: c.HTTP})
	if answer != nil {
		status = answer.StatusCode
	}
	if told, is := errors.AsType[*url.Error](err); is {
		err = told.Err // the whole names the URL, and with it the token
	}
	return conn, status, err
}

// sockets are WebSockets that take turns in asking how the agents are. One that
// is not open is opened by who asks next on it.
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

// ask sends one agent_status_request on the WebSocket that has been quiet for
// longest, and checks the answer.
func (s *sockets) ask(ctx context.Context, _ int) error {
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
	err := one.ask(ctx)
	if err != nil {
		one.close()
	}
	return err
}

// close closes all; nobody may be asking.
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
		return wrongStatus(status, nil)
	case err != nil:
		return err
	}
	conn.SetReadLimit(maxAnswer)
	reading, end := context.WithCancel(context.WithoutCancel(ctx))
	s.conn, s.end, s.answers = conn, end, make(chan []byte, 1)
	go read(reading, conn, s.answers)
	return nil
}

// read reads all the while, as that also answers pings.
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

func (s *socket) ask(ctx context.Context) error {
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
			return wrongf("the WebSocket was closed")
		}
		return checkStatus(answer, sent, s.id)
	}
}

// checkStatus takes what web says of the agents as long as it could ask: that
// one of them fails is the truth, and a real answer.
func checkStatus(body []byte, sent int64, id int) error {
	type status struct {
		Type, Status                 string
		Timestamp, OriginalTimestamp int64
		ConnectionID                 int
	}
	return decoded(body, func(a status) error {
		switch {
		case a.Type != "agent_status":
			return wrongf("the message is of type %.20q, must be agent_status", a.Type)
		case a.Status != "active" && a.Status != "degraded":
			return wrongf("the agents are %.20q", a.Status)
		case a.Timestamp <= 0 || a.OriginalTimestamp != sent || a.ConnectionID != id:
			return wrongf("the message answers another question")
		}
		return nil
	})
}

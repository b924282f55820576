package load

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	"github.com/coder/websocket"
)

// dialSocket opens a WebSocket as the design document does, with the token in the query. status is
// the status of the response, which is 101 for a WebSocket. It is 0 if there is no response.
func (c *Client) dialSocket(ctx context.Context, token string) (conn *websocket.Conn, status int, err error) {
	target := c.Base.JoinPath(Socket.Path) // package websocket accepts http and https
	if token != "" {
		target.RawQuery = url.Values{"token": {token}}.Encode()
	}
	conn, response, err := websocket.Dial(ctx, target.String(), &websocket.DialOptions{HTTPClient: c.HTTP})
	if response != nil {
		status = response.StatusCode
	}
	if urlErr, ok := errors.AsType[*url.Error](err); ok {
		err = urlErr.Err // the outer error has the URL with the token
	}
	return conn, status, err
}

// sockets are WebSockets that send in turn. If a WebSocket was closed, the next send on that
// WebSocket opens it again. A server that stops closes its WebSockets with the status "going away",
// and a client then connects to another server (RFC 6455, section 7.4.1). So such an end is not a
// failure: the message is sent again on a new WebSocket.
type sockets struct {
	client *Client
	idle   chan *socket
}

// newSockets returns count WebSockets that are not open yet.
func newSockets(c *Client, count int) *sockets {
	s := &sockets{c, make(chan *socket, count)}
	for id := range count {
		s.idle <- &socket{id: id}
	}
	return s
}

// send sends an agent_status_request on the WebSocket that was idle the
// longest, and checks the response.
func (s *sockets) send(ctx context.Context, _ int) error {
	var idle *socket
	select {
	case <-ctx.Done():
		return ctx.Err()
	case idle = <-s.idle:
	}
	defer func() { s.idle <- idle }()
	err := idle.requestStatus(ctx, s.client)
	if err != nil && idle.close() == websocket.StatusGoingAway {
		err = idle.requestStatus(ctx, s.client)
	}
	if err != nil {
		idle.close()
	}
	return err
}

// close closes all WebSockets. No send may be in flight.
func (s *sockets) close() {
	for range cap(s.idle) {
		idle := <-s.idle
		idle.close()
	}
}

// socket is one WebSocket. conn is nil while the WebSocket is closed.
type socket struct {
	id          int
	conn        *websocket.Conn
	stopReading context.CancelFunc
	responses   chan []byte // closed when the connection ends
	// closeStatus is the status with which the server closed the connection, or -1. It is set before
	// responses is closed.
	closeStatus websocket.StatusCode
}

// open opens the WebSocket and starts a goroutine that reads its responses.
func (s *socket) open(ctx context.Context, c *Client) error {
	conn, status, err := c.dialSocket(ctx, c.Token)
	switch {
	case err != nil && status != 0:
		return invalidStatusError(status, nil)
	case err != nil:
		return err
	}
	conn.SetReadLimit(maxBody)
	readCtx, stopReading := context.WithCancel(context.WithoutCancel(ctx))
	s.conn, s.stopReading, s.responses = conn, stopReading, make(chan []byte, 1)
	go s.readResponses(readCtx)
	return nil
}

// readResponses sends each message of the connection to responses until the connection ends. Package
// websocket responds to pings only during a read.
func (s *socket) readResponses(ctx context.Context) {
	defer close(s.responses)
	for {
		_, text, err := s.conn.Read(ctx)
		s.closeStatus = websocket.CloseStatus(err)
		if err != nil {
			return
		}
		select {
		case s.responses <- text:
		case <-ctx.Done():
			return
		}
	}
}

// close closes the WebSocket, if it is open. It returns the status with which the server had already
// closed it, or -1.
func (s *socket) close() websocket.StatusCode {
	if s.conn == nil {
		return -1
	}
	s.stopReading()
	s.conn.CloseNow()
	for range s.responses { // until readResponses has ended
	}
	s.conn = nil
	return s.closeStatus
}

// requestStatus sends one message and checks the response. It opens the WebSocket if it is closed.
func (s *socket) requestStatus(ctx context.Context, c *Client) error {
	if s.conn == nil {
		if err := s.open(ctx, c); err != nil {
			return err
		}
	}
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
	case response, ok := <-s.responses:
		if !ok {
			return invalidResponsef("the WebSocket was closed")
		}
		return checkStatus(response, sent, s.id)
	}
}

// checkStatus checks the response to a message with the time sent and the connection id. It accepts
// the status degraded, which is correct while an agent fails.
func checkStatus(body []byte, sent int64, id int) error {
	type status struct {
		Type, Status                 string
		Timestamp, OriginalTimestamp int64
		ConnectionID                 int
	}
	return decodeAndCheck(body, func(response status) error {
		switch {
		case response.Type != "agent_status":
			return invalidResponsef("the message is of type %.20q, must be agent_status", response.Type)
		case response.Status != "active" && response.Status != "degraded":
			return invalidResponsef("the agents are %.20q, must be active or degraded", response.Status)
		case response.Timestamp <= 0 || response.OriginalTimestamp != sent || response.ConnectionID != id:
			return invalidResponsef("the message is for another request")
		}
		return nil
	})
}

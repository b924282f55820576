package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
)

// barest is what is left of the least when nothing can be left out: it writes
// both questions to the stub at address over bare connections before it reads an
// answer, starts no goroutine, reads no header but the length, and knows no
// deadline, second try or broken connection. It reads what is merged of both
// answers, as mca must, and writes it.
func barest(address string) http.HandlerFunc {
	idle := make(chan *bare, 2*clients)
	exchange := func(question []byte) (answer []byte, err error) {
		paths := []string{"/plan", "/generate"}
		lines := make([]*bare, len(paths))
		for i, path := range paths {
			if lines[i], err = open(idle, address); err != nil {
				return nil, err
			}
			if err := lines[i].ask(path, question); err != nil {
				return nil, err
			}
		}
		var merged struct {
			Plan     merging
			Sessions training
		}
		for i, into := range []any{&merged.Plan, &merged.Sessions} {
			text, err := lines[i].answer()
			if err != nil {
				return nil, err
			}
			idle <- lines[i]
			if err := jsonv2.Unmarshal(text, into); err != nil {
				return nil, err
			}
		}
		return json.Marshal(merged)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		question, err := io.ReadAll(r.Body)
		var answer []byte
		if err == nil {
			answer, err = exchange(question)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer) // the client has left
	}
}

// merging and training are what mca reads of npa's and of wpa's answer; its own
// types for that (package week) are internal to it.
type merging struct {
	Targets json.RawMessage `json:"targets"`
	Assumed []string        `json:"assumed"`
	Days    []struct {
		Day   int `json:"day"`
		Meals []struct {
			Meal  string `json:"meal"`
			Items []struct {
				FoodID string  `json:"foodId"`
				Food   string  `json:"food"`
				Grams  int     `json:"grams"`
				Kcal   float64 `json:"kcal"`
			} `json:"items"`
		} `json:"meals"`
		Totals map[string]float64 `json:"totals"`
	} `json:"days"`
}

type training struct {
	FitnessLevel string `json:"fitnessLevel"`
	Deload       bool   `json:"deload"`
	Sessions     []struct {
		Weekday      int             `json:"weekday"`
		Focus        string          `json:"focus"`
		TotalSeconds int             `json:"totalSeconds"`
		Exercises    json.RawMessage `json:"exercises"`
	} `json:"sessions"`
}

// bare is a connection to the stub.
type bare struct {
	conn net.Conn
	in   *bufio.Reader
}

func open(idle <-chan *bare, address string) (*bare, error) {
	select {
	case b := <-idle:
		return b, nil
	default:
		conn, err := net.DialTimeout("tcp", address, 5*time.Second) //nolint:noctx,gosec // it lasts as long as the process; bench says whom to ask
		if err != nil {
			return nil, err
		}
		return &bare{conn, bufio.NewReaderSize(conn, 8<<10)}, nil
	}
}

func (b *bare) ask(path string, question []byte) error {
	_, err := b.conn.Write(fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: stub\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		path, len(question), question))
	return err
}

func (b *bare) answer() ([]byte, error) {
	length := -1
	for {
		line, err := b.in.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		if line = bytes.TrimSuffix(line, []byte("\r\n")); len(line) == 0 {
			break
		}
		if value, is := bytes.CutPrefix(line, []byte("Content-Length: ")); is {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return nil, err
			}
		}
	}
	if length < 0 || length > 1<<20 {
		return nil, errors.New("the stub told no length, or too great a one")
	}
	text := make([]byte, length)
	_, err := io.ReadFull(b.in, text)
	return text, err
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// own serves one of bench's own servers and says where, as the services do.
func own(ctx context.Context, name string) error {
	url := os.Getenv("STUB_URL")
	handler, ok := map[string]http.HandlerFunc{
		"echo": echo, "stub": stub, "least": least(url), "barest": barest(strings.TrimPrefix(url, "http://")),
	}[name]
	if !ok {
		return fmt.Errorf("-serve=%s must be echo, stub, least or barest", name)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("{\"msg\":\"listening\",\"address\":%q}\n", listener.Addr())
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	return server.Serve(listener)
}

// echo is what everything is compared with.
func echo(w http.ResponseWriter, r *http.Request) {
	var body any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // the client has left
}

// stub answers as npa and wpa do, at once.
func stub(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	answer := sessions
	if strings.HasSuffix(r.URL.Path, "/plan") {
		answer = plan
	}
	_, _ = w.Write([]byte(answer)) // the client has left
}

const sessions = `{"userId":"u","fitnessLevel":"beginner","duration":45,"deload":false,"sessions":[` +
	`{"weekday":1,"focus":"full_body","totalSeconds":2700,"exercises":[{"name":"Squat"}]},` +
	`{"weekday":4,"focus":"full_body","totalSeconds":2700,"exercises":[{"name":"Row"}]}]}`

var plan = func() string {
	days := make([]string, 7)
	for i := range days {
		days[i] = fmt.Sprintf(`{"day":%d,"meals":[{"meal":"lunch","items":[{"foodId":"oats","food":"Oats","grams":500,"kcal":2000}]}],`+
			`"totals":{"energyKcal":2000,"proteinG":100}}`, i+1)
	}
	return `{"userId":"u","duration":7,"goals":[],"assumed":[],"targets":{"needKcal":2000},"days":[` + strings.Join(days, ",") + `]}`
}()

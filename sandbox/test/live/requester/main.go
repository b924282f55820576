// Requester sends COUNT requests to a URL. It exits with 0 if every response has the status
// 200. The live tests run it as a pod, because a ClusterIP and a service's name work only in
// the cluster.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"
)

func main() {
	if err := sendRequests(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "requester:", err)
		os.Exit(1)
	}
}

// startDelay is how long the requester waits before its first request. A network policy applies
// to a pod only after the pod's address is in the API server. That takes up to a second after
// the start of the pod.
const startDelay = 3 * time.Second

// sendRequests sends the requests. Its arguments are a URL and a count of 1 to 1,000.
func sendRequests(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: requester URL COUNT")
	}
	url := args[0]
	count, err := strconv.Atoi(args[1])
	if err != nil || count < 1 || count > 1000 {
		return fmt.Errorf("count %q: must be 1 to 1000", args[1])
	}
	time.Sleep(startDelay)
	client := &http.Client{Timeout: 5 * time.Second}
	for range count {
		resp, err := client.Get(url)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
		resp.Body.Close()
		if err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s responded %s: %s", url, resp.Status, body)
		}
		fmt.Printf("%s\n", body)
	}
	return nil
}

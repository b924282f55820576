package main

import "net/http"

// maxResponseBytes bounds a response of Prometheus. A chunk of history has 10,000
// points in 0.4 MB. The client of Prometheus reads a whole response into memory.
const maxResponseBytes = 4 << 20

// boundedTransport is an HTTP transport. The body of each response ends with an error after
// maxResponseBytes.
type boundedTransport struct{ http.RoundTripper }

// RoundTrip sends the request. Reading more than maxResponseBytes of the response is an error.
func (b boundedTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	response.Body = http.MaxBytesReader(nil, response.Body, maxResponseBytes)
	return response, nil
}

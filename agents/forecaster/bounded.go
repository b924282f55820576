package main

import "net/http"

// maxResponse bounds a response of Prometheus in bytes. A chunk of history has 10,000
// points in 0.4 MB. The client of Prometheus reads a whole response into memory.
const maxResponse = 4 << 20

// boundedTransport is an HTTP transport. Its responses end with an error after maxResponse
// bytes.
type boundedTransport struct{ http.RoundTripper }

// RoundTrip sends the request. Reading more than maxResponse bytes of its response is an error.
func (b boundedTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	response.Body = http.MaxBytesReader(nil, response.Body, maxResponse)
	return response, nil
}

package loadtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/ops/exitcode"
	"github.com/progressive-framework/platform/ops/load"
	"github.com/progressive-framework/platform/ops/stackoutput"
)

// outputsReader reads the outputs of a stack.
type outputsReader func(context.Context) (stackoutput.Outputs, error)

// runText runs the subcommand with the token in TOKEN. The stack has no outputs.
func runText(ctx context.Context, t *testing.T, token string, args ...string) (code int, out, errs string) {
	t.Helper()
	return runWithStack(ctx, t, func(context.Context) (stackoutput.Outputs, error) {
		return stackoutput.Outputs{}, errors.New("no stack selected")
	}, token, args...)
}

// runWithStack runs the subcommand with the token in TOKEN and the outputs of a stack.
func runWithStack(ctx context.Context, t *testing.T, readOutputs outputsReader, token string, args ...string) (code int, out, errs string) {
	t.Helper()
	t.Setenv("TOKEN", token)
	c := Command(readOutputs)
	var stdout bytes.Buffer
	c.SilenceErrors, c.SilenceUsage = true, true
	c.SetArgs(args)
	c.SetOut(&stdout)
	c.SetErr(io.Discard)
	err := c.ExecuteContext(ctx)
	code, _ = exitcode.FromError(err)
	if err != nil {
		errs = err.Error()
	}
	if token != "" {
		require.NotContains(t, stdout.String()+errs, token, "the output must not have the token")
	}
	return code, stdout.String(), errs
}

// runJSON runs the subcommand with --json. The report must match its schema.
func runJSON(ctx context.Context, t *testing.T, token string, args ...string) (code int, r report, errs string) {
	t.Helper()
	code, out, errs := runText(ctx, t, token, append([]string{"--json"}, args...)...)
	if out != "" {
		r = parseReport(t, out)
	}
	return code, r, errs
}

// parseReport parses a JSON report, which must match its schema.
func parseReport(t *testing.T, text string) (r report) {
	t.Helper()
	requireSchema(t, text)
	require.NoError(t, json.Unmarshal([]byte(text), &r), text)
	return r
}

// briefLoad is a load that is just long enough to send every request.
var briefLoad = []string{"--duration", "200ms", "--connections", "10", "--rate", "300"}

func TestCorrectPlatformPasses(t *testing.T) {
	f := newFakePlatform(t)
	code, r, errs := runJSON(t.Context(), t, f.token, append(briefLoad, "--url", f.url)...)
	require.Zero(t, code, "%s %+v", errs, r)
	require.Equal(t, checkResult{Sent: 3 * len(load.Requests)}, r.Refusals)
	require.Equal(t, checkResult{Sent: len(load.Requests) + 2}, r.Responses)
	var names []string
	for _, row := range r.Load {
		names = append(names, row.Name)
		require.Positive(t, row.Sent, row.Name)
		require.Positive(t, row.P50, row.Name)
		require.Empty(t, row.Failed)
	}
	require.Equal(t, []string{"GET /health", "GET profile", "POST preferences", "POST mca/coordinate", "POST npa/plan", "POST wpa/generate",
		"WebSocket status", "between agents"}, names)
	require.InDelta(t, 34, r.Load[1].Sent, 2, "20 of 35 of 300 per second for 200 ms")
	require.InDelta(t, 20, r.Load[3].Sent, 2, "a third of the rate")
	require.Equal(t, row{"between agents", 2, 10, 0, nil, 3, 12, 12, 100, true, nil}, r.Load[7], "a repeated coordination counts once")
	require.JSONEq(t, `{"theme":"dark","notifications":true}`, string(f.preferences), "the design document's preferences remain")
}

// TestAgentsHaveTheirOwnRate: --agents-rate limits the agents only, and
// --uncached repeats no request.
func TestAgentsHaveTheirOwnRate(t *testing.T) {
	f := newFakePlatform(t)
	var plans sync.Map
	f.intercept = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == load.Plan.Path && r.Header.Get("Authorization") == "Bearer "+f.token {
			body, err := io.ReadAll(r.Body)
			_, repeated := plans.LoadOrStore(string(body), true)
			if err != nil || repeated {
				t.Errorf("%s: %s", err, body)
			}
		}
		return false
	}
	code, r, errs := runJSON(t.Context(), t, f.token, append(briefLoad, "--url", f.url, "--agents-rate", "60", "--uncached")...)
	require.Zero(t, code, "%s %+v", errs, r)
	require.InDelta(t, 34, r.Load[1].Sent, 2, "20 of 35 of 300 per second for 200 ms")
	require.Equal(t, 4, r.Load[4].Sent, "a third of 60 per second for 200 ms")
}

func TestTextReportListsEachStep(t *testing.T) {
	f := newFakePlatform(t)
	code, out, errs := runText(t.Context(), t, "", append(briefLoad, "--url", f.url, "--token-file", f.writeToken(t), "--only", "main,websocket")...)
	require.Zero(t, code, errs)
	require.Contains(t, out, "without a valid token: 12 requests, 12 got 401, or are public\n")
	require.Contains(t, out, "with the token: 6 requests, 6 got a correct response\n")
	require.Regexp(t, `POST preferences +\d+ +[\d.]+ +0 +[\d.]+ +[\d.]+ +[\d.]+ +500 kept\n`, out)
	require.NotContains(t, out, "wpa")
}

// TestIncorrectResponsesAreReported: each row makes one response incorrect. The
// report must name it, and no load begins.
func TestIncorrectResponsesAreReported(t *testing.T) {
	accept := func(path string, accepts func(token string) bool) func(*fakePlatform) {
		return func(f *fakePlatform) {
			f.intercept = func(_ http.ResponseWriter, r *http.Request) bool {
				token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ") + r.URL.Query().Get("token")
				if r.URL.Path == path && accepts(token) {
					r.Header.Set("Authorization", "Bearer "+f.token)
					r.URL.RawQuery = "token=" + f.token
				}
				return false
			}
		}
	}
	respond := func(path, body string) func(*fakePlatform) {
		return func(f *fakePlatform) { f.responses[path] = body }
	}
	setSocketField := func(name string, value any) func(*fakePlatform) {
		return func(f *fakePlatform) {
			f.changeSocketResponse = func(response map[string]any) { response[name] = value }
		}
	}
	complete := strings.ReplaceAll(coordinationBody, "DAY", `{"meals":[1],"sessions":[]}`)
	for _, row := range []struct {
		reason string
		change func(*fakePlatform)
		wrong  string
	}{
		{"the profile without a token", accept(load.GetProfile.Path, func(string) bool { return true }), "GET profile with no token: status 200, must be 401"},
		{"plans for the design document's test-token", accept(load.Plan.Path, func(s string) bool { return s == "test-token" }),
			"POST npa/plan with the token test-token: status 200, must be 401"},
		{"coordinations for any JWT", accept(load.Coordinate.Path, func(s string) bool { return strings.Count(s, ".") == 2 }),
			"POST mca/coordinate with a token signed by another key: status 200, must be 401"},
		{"WebSockets without a token", accept(load.Socket.Path, func(string) bool { return true }), "WebSocket status with no token: status 101, must be 401"},
		{"health only with a token", func(f *fakePlatform) {
			f.intercept = func(w http.ResponseWriter, r *http.Request) bool {
				w.WriteHeader(http.StatusUnauthorized)
				return true
			}
		}, "GET /health with no token: status 401, must be 200"},
		{"health unavailable", respond(load.Health.Path, `{"status":"unavailable"}`), `GET /health: status is "unavailable", must be ok`},
		{"not JSON", respond(load.Plan.Path, `<html>`), "POST npa/plan: the body is not JSON of the expected form"},
		{"an empty object", respond(load.Plan.Path, `{}`), "POST npa/plan: the response is not a plan of 7 days"},
		{"a plan with fewer days", respond(load.Plan.Path, planBody(3)), "POST npa/plan: the response is not a plan of 7 days"},
		{"an empty day", respond(load.Plan.Path, strings.Replace(planBody(7), `"day":7`, `"day":9`, 1)), "POST npa/plan: day 7 of the plan has no meal or no energy"},
		{"a meal without food", respond(load.Plan.Path, strings.Replace(planBody(7), "Oats", "", 1)), "POST npa/plan: a meal of the plan has no food"},
		{"another user's coordination", respond(load.Coordinate.Path, strings.Replace(complete, "test-user-123", "u", 1)), "POST mca/coordinate: the coordination is not that of the token's user"},
		{"a partial coordination", respond(load.Coordinate.Path, strings.Replace(complete, `"wpa","status":"ok"`, `"wpa","status":"failed"`, 1)),
			`POST mca/coordinate: the agent "wpa" failed`},
		{"a week without training", respond(load.Coordinate.Path, strings.Replace(complete, `"sessions":[1]`, `"sessions":[]`, 1)), "POST mca/coordinate: the week has 7 days and 0 sessions, must have 7 and at least 1"},
		{"a longer workout", respond(load.Generate.Path, strings.Replace(workoutBody, "2700", "2701", 1)), "POST wpa/generate: a session does not fit 45 minutes"},
		{"a workout without an exercise", respond(load.Generate.Path, strings.Replace(workoutBody, "Squat", "", 1)), "POST wpa/generate: a session has no exercise"},
		{"preferences that are not stored", func(f *fakePlatform) {
			f.intercept = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != load.GetProfile.Path || r.Header.Get("Authorization") != "Bearer "+f.token {
					return false
				}
				_, _ = w.Write([]byte(`{"id":"test-user-123","preferences":{"theme":"dark","notifications":true}}`))
				return true
			}
		}, "preferences, stored and read back: the preferences are not those that were sent"},
		{"a response to another request", setSocketField("originalTimestamp", 1), "WebSocket status: the message is for another request"},
		{"unreachable agents", setSocketField("status", "unavailable"), `WebSocket status: the agents are "unavailable", must be active or degraded`},
		{"an error over WebSocket", setSocketField("type", "error"), `WebSocket status: the message is of type "error", must be agent_status`},
	} {
		t.Run(row.reason, func(t *testing.T) {
			f := newFakePlatform(t)
			row.change(f)
			code, r, _ := runJSON(t.Context(), t, f.token, append(briefLoad, "--url", f.url)...)
			require.Equal(t, exitcode.Found, code)
			require.Contains(t, append(r.Refusals.Wrong, r.Responses.Wrong...), row.wrong)
			require.Empty(t, r.Load)
		})
	}
}

func TestFailuresUnderLoadAreCounted(t *testing.T) {
	f := newFakePlatform(t)
	var requests atomic.Int64
	f.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != load.Generate.Path || requests.Add(1) <= 10 {
			return false
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"code":"unavailable"}`))
		return true
	}
	code, r, _ := runJSON(t.Context(), t, f.token, append(briefLoad, "--url", f.url, "--only", "agents")...)
	require.Equal(t, exitcode.Found, code)
	require.Empty(t, r.Responses.Wrong)
	require.Positive(t, r.Load[2].Failed["status 503 (unavailable)"])
	var text bytes.Buffer
	require.NoError(t, r.writeText(&text))
	require.Regexp(t, `(?m)^wrong: POST wpa/generate: \d+ times: status 503 \(unavailable\)$`, text.String())
}

func TestStrictFailsOnMissedLimit(t *testing.T) {
	f := newFakePlatform(t)
	f.intercept = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == load.Coordinate.Path {
			time.Sleep(load.Coordinate.Limit + time.Millisecond)
		}
		return false
	}
	args := append(briefLoad, "--url", f.url, "--only", "agents", "--rate", "30")
	code, r, _ := runJSON(t.Context(), t, f.token, args...)
	require.Zero(t, code)
	require.False(t, r.Load[0].WithinLimit)
	code, _, _ = runJSON(t.Context(), t, f.token, append(args, "--strict")...)
	require.Equal(t, exitcode.Found, code)
}

func TestServerThatClosesEveryConnectionIsReported(t *testing.T) {
	f := newFakePlatform(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	url := "http://" + listener.Addr().String()
	code, r, _ := runJSON(t.Context(), t, f.token, append(briefLoad, "--url", url)...)
	require.Equal(t, exitcode.Found, code)
	require.Len(t, r.Refusals.Wrong, maxWithoutResponse)
	require.Len(t, r.Responses.Wrong, maxWithoutResponse)
	// The WebSocket's URL has the token, so its errors must not show the URL.
	code, r, _ = runJSON(t.Context(), t, f.token, append(briefLoad, "--url", url, "--only", "websocket")...)
	require.Equal(t, exitcode.Found, code)
	require.NotEmpty(t, r.Responses.Wrong)
	require.NotContains(t, r.Responses.Wrong[0], f.token)
}

// TestInterruptedRunReports: the report comes within a second of the interrupt, also if Pulumi does
// not print the stack's outputs any more.
func TestInterruptedRunReports(t *testing.T) {
	newHangingReader := func(url string) outputsReader {
		reads := 0
		return func(ctx context.Context) (stackoutput.Outputs, error) {
			reads++
			if reads == 1 {
				return stackoutput.Outputs{URL: url, Images: map[string]string{"web": "r/web@sha256:1"}}, nil
			}
			select {
			case <-ctx.Done():
				return stackoutput.Outputs{}, ctx.Err()
			case <-time.After(time.Minute):
				return stackoutput.Outputs{}, errors.New("the stack's outputs hang")
			}
		}
	}
	for _, row := range []struct {
		reason string
		stack  func(url string) outputsReader // nil: --url
		notes  []string
	}{
		{"with --url", nil, nil},
		{"with a stack that does not print its outputs", newHangingReader, []string{"images: not compared with the stack after the test, because it was interrupted"}},
	} {
		t.Run(row.reason, func(t *testing.T) {
			f := newFakePlatform(t)
			ctx, interrupt := context.WithCancel(t.Context())
			var requests, interrupted atomic.Int64
			f.intercept = func(_ http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path == load.Plan.Path && requests.Add(1) == 20 {
					interrupted.Store(time.Now().UnixNano())
					interrupt()
				}
				return false
			}
			args, stack := []string{"--json", "--duration", "5m", "--rate", "300"}, outputsReader(nil)
			if row.stack == nil {
				args = append(args, "--url", f.url)
			} else {
				stack = row.stack(f.url)
			}
			code, out, _ := runWithStack(ctx, t, stack, f.token, args...)
			require.Less(t, time.Since(time.Unix(0, interrupted.Load())), time.Second)
			r := parseReport(t, out)
			require.Equal(t, exitcode.Interrupted, code)
			require.True(t, r.Interrupted)
			require.Positive(t, r.Load[0].Sent)
			require.Empty(t, r.Load[0].Failed)
			require.Equal(t, row.notes, r.Notes)
		})
	}
}

// TestRefusedTokenIsAWrongResponse: a well-formed token that the platform does not accept, such as
// one of a rotated key. No load begins.
func TestRefusedTokenIsAWrongResponse(t *testing.T) {
	f := newFakePlatform(t)
	code, r, errs := runJSON(t.Context(), t, strings.TrimSuffix(f.token, "signature")+"rotated", append(briefLoad, "--url", f.url, "--only", "main,agents")...)
	require.Equal(t, exitcode.Found, code, errs)
	require.Empty(t, r.Refusals.Wrong)
	require.Contains(t, r.Responses.Wrong, "GET profile: status 401")
	require.Contains(t, r.Responses.Wrong, "POST npa/plan: status 401")
	require.NotContains(t, strings.Join(r.Responses.Wrong, ""), "GET /health", "it is public")
	require.Empty(t, r.Load)
}

// TestAbsentPlatformIsOneError: without a platform no request is sent, and the
// error names the command that starts the platform.
func TestAbsentPlatformIsOneError(t *testing.T) {
	code, out, errs := runText(t.Context(), t, newFakePlatform(t).token, "--url", "http://127.0.0.1:1")
	require.Equal(t, exitcode.Found, code)
	require.Contains(t, errs, "no platform at http://127.0.0.1:1")
	require.Contains(t, errs, "run make up")
	require.Empty(t, out)
}

func TestInvalidCommandLinesAreErrors(t *testing.T) {
	token := newFakePlatform(t).token
	for _, row := range []struct {
		reason, token string
		args          []string
		message       string
	}{
		{"a remote host", token, []string{"--url", "https://example.com"}, "--allow-remote"},
		{"a remote address", token, []string{"--url", "http://192.0.2.1:80"}, "--allow-remote"},
		{"an unencrypted token", token, []string{"--url", "http://example.com", "--allow-remote"}, "https://"},
		{"a path", token, []string{"--url", "http://127.0.0.1/api"}, "without a path"},
		{"no url", token, []string{"--url", "127.0.0.1:30080"}, "--url"},
		{"too long", token, []string{"--duration", "24h"}, "at most 10m0s"},
		{"no connection", token, []string{"--connections", "0"}, "from 1 to 1000"},
		{"no rate", token, []string{"--rate", "0"}, "above 0"},
		{"a rate of NaN", token, []string{"--rate", "NaN"}, "above 0"},
		{"a negative rate for the agents", token, []string{"--agents-rate", "-1"}, "--agents-rate is -1"},
		{"too many requests in total", token, []string{"--rate", "1000", "--duration", "10m"}, "at most 600000"},
		{"an unknown scenario", token, []string{"--only", "main,db"}, `"db"`},
		{"an unknown profile", token, []string{"hammer"}, `"hammer"`},
		{"an extra argument", token, []string{"steady", "x"}, `"x"`},
		{"a soak that is too long", token, []string{"soak", "--duration", "5h"}, "at most 4h"},
		{"a soak with too many requests", token, []string{"soak", "--rate", "500"}, "at most 600000"},
		{"a replay without its file", token, []string{"replay"}, "FILE.csv"},
		{"a replay of a missing file", token, []string{"replay", "/nonexistent.csv"}, "/nonexistent.csv"},
		{"a replay with a rate", token, []string{"replay", "x.csv", "--rate", "5"}, "leave them out"},
		{"a comparison with nothing", token, []string{"--compare", "/nonexistent.json"}, "--compare"},
		{"a comparison with another file", token, []string{"--compare", "testdata/other.json"}, "schema 0, must be 1"},
		{"no token", "", nil, "make token"},
		{"the design document's token", "test-token", nil, "not a JWT"},
		{"a token without a subject", "a.e30.c", nil, "sub"},
		{"an expired token", "a.eyJzdWIiOiJ1IiwiZXhwIjoxfQ.c", nil, "expired at 1970"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			args := row.args
			if !slices.Contains(args, "--url") {
				args = append(args, "--url", "http://127.0.0.1:1")
			}
			code, out, errs := runText(t.Context(), t, row.token, args...)
			require.Equal(t, exitcode.Usage, code)
			require.Contains(t, errs, row.message)
			require.Empty(t, out)
		})
	}
}

// TestMakefileUsesValidFlags: make passes LOAD="..." to pf load.
func TestMakefileUsesValidFlags(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	require.NoError(t, err)
	uses := regexp.MustCompile(`LOAD="([a-z-].*?)"`).FindAllSubmatch(makefile, -1)
	require.NotEmpty(t, uses)
	for _, use := range uses {
		c := Command(nil)
		require.NoError(t, c.ParseFlags(strings.Fields(string(use[1]))), "%s", use[0])
		require.NoError(t, c.ValidateArgs(c.Flags().Args()), "%s", use[0])
	}
}

// TestProgressIsALineThatIsRemoved: the line goes to standard error, so a report in a pipe does not
// contain it.
func TestProgressIsALineThatIsRemoved(t *testing.T) {
	f := newFakePlatform(t)
	t.Setenv("TOKEN", f.token)
	c := Command(nil)
	var out, progress bytes.Buffer
	c.SilenceErrors, c.SilenceUsage = true, true
	c.SetArgs([]string{"--url", f.url, "--only", "main", "--duration", "1200ms", "--rate", "20", "--progress"})
	c.SetOut(&out)
	c.SetErr(&progress)
	require.NoError(t, c.ExecuteContext(t.Context()))
	require.Regexp(t, `1s of 1.2s: \d+ responses, \d+/s, 0 wrong`, progress.String())
	require.True(t, strings.HasSuffix(progress.String(), "\r\x1b[K"), "%q", progress.String())
	require.NotContains(t, out.String(), "responses,")
}

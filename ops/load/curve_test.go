package load

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestStallShowsInP99: the server stalls once for 500 ms in two seconds. Requests are due all the
// time, so 1 % of the requests wait at least 480 ms, which is 96 % of the stall. A closed loop of
// ten connections sends only ten requests into the stall, and its p99 does not show it.
func TestStallShowsInP99(t *testing.T) {
	const stall, duration = 500 * time.Millisecond, 2 * time.Second
	measureP99 := func(t *testing.T, perSecond float64) (p99 time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			stallStart := time.Now().Add(duration / 4)
			s := Stream{Shape: Shape{Connections: 10, PerSecond: perSecond, Duration: duration}, Send: func(context.Context, int) error {
				if now := time.Now(); !now.Before(stallStart) && now.Before(stallStart.Add(stall)) {
					time.Sleep(stallStart.Add(stall).Sub(now))
				}
				time.Sleep(time.Millisecond)
				return nil
			}}
			p99 = s.Run(t.Context()).Percentile(99)
		})
		return p99
	}
	require.InEpsilon(t, stall, measureP99(t, 1000), 0.05)
	require.Equal(t, time.Millisecond, measureP99(t, 0), "a closed loop hides the stall")
}

// TestRequestIsDueWhenTheAreaUnderTheCurveIsItsNumber: request n is due when the area under the
// curve is n, for any curve.
func TestRequestIsDueWhenTheAreaUnderTheCurveIsItsNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var curve Curve
		at := time.Duration(0)
		for range rapid.IntRange(1, 8).Draw(t, "points") {
			curve = append(curve, Point{at, rapid.Float64Range(0, 1).Draw(t, "rate")})
			at += time.Duration(rapid.IntRange(0, 5000).Draw(t, "ms")) * time.Millisecond
		}
		curve[len(curve)-1].Rate = 1 // so that every request is due at some time
		s := newSchedule(Shape{PerSecond: rapid.Float64Range(1, 1000).Draw(t, "per second"), Curve: curve})
		start := time.Unix(0, 0)
		previous := start
		for n := range 200 {
			due := s.dueTime(start, n)
			require.False(t, due.Before(previous), "request %d is due before the one before", n)
			require.InDelta(t, n, s.countAt(due.Sub(start).Seconds()), 1e-3)
			previous = due
		}
	})
}

func TestProfilesHaveTheirMeanRateAndDueTimes(t *testing.T) {
	const duration = 100 * time.Second
	for _, row := range []struct {
		name string
		mean float64
		due  map[int]float64 // seconds of request n, at 10 a second
	}{
		{Steady, 1, map[int]float64{0: 0, 1: 0.1, 500: 50}},
		{Soak, 1, map[int]float64{500: 50}},
		{Ramp, 0.5, map[int]float64{0: 0, 125: 50, 500: 100}},
		{Spike, 0.36, map[int]float64{0: 0, 1: 0.5, 80: 40, 81: 40.1, 280: 60, 281: 60.5}},
	} {
		t.Run(row.name, func(t *testing.T) {
			curve, err := NewCurve(row.name, duration)
			require.NoError(t, err)
			require.InDelta(t, row.mean, curve.Mean(duration), 1e-9)
			s := newSchedule(Shape{PerSecond: 10, Curve: curve})
			for n, seconds := range row.due {
				require.InDelta(t, seconds, s.dueTime(time.Unix(0, 0), n).Sub(time.Unix(0, 0)).Seconds(), 1e-6, n)
			}
		})
	}
	_, err := NewCurve("hammer", duration)
	require.ErrorContains(t, err, `"hammer"`)
}

func TestReplayFollowsTheFile(t *testing.T) {
	curve, highest, duration, err := ReadReplay(strings.NewReader("seconds,requests/s\n# a lunch break\n0, 100\n10, 0\n20, 50\n30, 0\n"))
	require.NoError(t, err)
	require.Equal(t, 100., highest)
	require.Equal(t, 30*time.Second, duration)
	require.InDelta(t, 1500./3000, curve.Mean(duration), 1e-9, "1,000 requests, none, and 500 of at most 3,000")
	s := newSchedule(Shape{PerSecond: highest, Curve: curve})
	for n, seconds := range map[int]float64{0: 0, 999: 9.99, 1001: 20.02, 1499: 29.98} {
		require.InDelta(t, seconds, s.dueTime(time.Unix(0, 0), n).Sub(time.Unix(0, 0)).Seconds(), 1e-6, n)
	}
}

func TestUnusableReplaysAreErrors(t *testing.T) {
	for _, row := range []struct{ reason, file, message string }{
		{"empty", "", "two lines"},
		{"one line has no duration", "0,100", "two lines"},
		{"no load", "0,0\n10,0", "above 0"},
		{"text", "0,100\nten,100", "line 2"},
		{"not from 0", "5,100\n10,100", "must be 0"},
		{"back in time", "0,1\n10,1\n5,1", "line 3: the time 5 s is not after"},
		{"a negative rate", "0,-1\n10,1", "line 1"},
		{"NaN", "0,NaN\n10,1", "line 1"},
		{"infinite", "0,1\n10,Inf\n20,1", "line 2"},
		{"three columns", "0,1,2", "wrong number of fields"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			_, _, _, err := ReadReplay(strings.NewReader(row.file))
			require.ErrorContains(t, err, row.message)
		})
	}
	var long strings.Builder
	for i := range maxPoints + 2 {
		fmt.Fprintf(&long, "%d,1\n", i)
	}
	_, _, _, err := ReadReplay(strings.NewReader(long.String()))
	require.ErrorContains(t, err, "more than")
}

// TestIdleEndIsNeverDue: no request is due after the last rate above 0.
func TestIdleEndIsNeverDue(t *testing.T) {
	s := newSchedule(Shape{PerSecond: 1, Curve: Curve{{0, 1}, {time.Second, 1}, {time.Second, 0}}})
	start := time.Unix(0, 0)
	require.Equal(t, start, s.dueTime(start, 0))
	require.Equal(t, time.Duration(math.MaxInt64/2), s.dueTime(start, 5).Sub(start))
}

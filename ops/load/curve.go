package load

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Curve is a rate over time: straight lines between points. Before the first point, the curve has the
// rate of the first point. After the last point, it has the rate of the last point. The zero value is
// a constant rate of 1.
type Curve []Point

// Point is the rate at one time.
type Point struct {
	// At is the time since the start. Points are in the order of time. Two points with the same time
	// are a step.
	At time.Duration
	// Rate is the share of the highest rate, 0 to 1.
	Rate float64
}

// The names of the profiles. Each profile is a curve with a maximum duration.
const (
	Steady = "steady"
	Ramp   = "ramp"
	Spike  = "spike"
	Soak   = "soak"
	Replay = "replay"
)

// spikeBase is the share of the highest rate before and after a spike.
const spikeBase = 0.2

// NewCurve returns the named profile over a duration. Steady and Soak always have the highest rate.
// Ramp grows from 0 to the highest rate. Spike has the highest rate from 40 % to 60 % of the
// duration, and otherwise spikeBase.
func NewCurve(name string, duration time.Duration) (Curve, error) {
	switch name {
	case Steady, Soak:
		return nil, nil
	case Ramp:
		return Curve{{0, 0}, {duration, 1}}, nil
	case Spike:
		from, to := duration*2/5, duration*3/5
		return Curve{{0, spikeBase}, {from, spikeBase}, {from, 1}, {to, 1}, {to, spikeBase}}, nil
	}
	return nil, fmt.Errorf("profile %q: must be %s, %s, %s, %s or %s", name, Steady, Ramp, Spike, Soak, Replay)
}

// maxPoints limits the lines of a replayed file to a day in steps of 5 s.
const maxPoints = 24 * 60 * 12

// ReadReplay reads a CSV with two columns: seconds since the start, and requests per second from that
// time on. The first line may be a header. The last line has the end of the load, and its rate is not
// used. ReadReplay returns the curve, the highest rate and the duration.
func ReadReplay(r io.Reader) (curve Curve, highest float64, duration time.Duration, err error) {
	reader := csv.NewReader(r)
	reader.FieldsPerRecord, reader.TrimLeadingSpace, reader.Comment = 2, true, '#'
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, 0, 0, err
		}
		line, _ := reader.FieldPos(0)
		seconds, err := strconv.ParseFloat(strings.TrimSpace(record[0]), 64)
		if err != nil && len(curve) == 0 && line == 1 {
			continue // the header
		}
		rate, rateErr := strconv.ParseFloat(strings.TrimSpace(record[1]), 64)
		if err = errors.Join(err, rateErr); err != nil {
			return nil, 0, 0, fmt.Errorf("line %d: must be seconds,requests/s: %w", line, err)
		}
		at := time.Duration(seconds * float64(time.Second))
		timeIsValid := seconds >= 0 && seconds <= 7*24*3600 // false for NaN too
		rateIsValid := rate >= 0 && !math.IsInf(rate, 0)
		switch {
		case !timeIsValid || !rateIsValid:
			return nil, 0, 0, fmt.Errorf("line %d: seconds must be from 0 to a week, and requests/s at least 0", line)
		case len(curve) == 0 && at != 0:
			return nil, 0, 0, fmt.Errorf("line %d: the first time is %g s, must be 0", line, seconds)
		case len(curve) > 0 && at <= duration:
			return nil, 0, 0, fmt.Errorf("line %d: the time %g s is not after that of the line before", line, seconds)
		case len(curve) >= 2*maxPoints:
			return nil, 0, 0, fmt.Errorf("more than %d lines", maxPoints)
		}
		if len(curve) > 0 {
			curve = append(curve, Point{at, curve[len(curve)-1].Rate})
		}
		curve, duration = append(curve, Point{at, rate}), at
	}
	if len(curve) > 0 {
		curve = curve[:len(curve)-1] // the last line's rate
	}
	for _, point := range curve {
		highest = max(highest, point.Rate)
	}
	if highest == 0 || duration == 0 {
		return nil, 0, 0, errors.New("must have at least two lines, one of them with a rate above 0")
	}
	for i := range curve {
		curve[i].Rate /= highest
	}
	return curve, highest, duration, nil
}

// Mean returns the mean rate from the start to end, as a share of the highest rate. end must be above
// 0.
func (c Curve) Mean(end time.Duration) float64 {
	return newSchedule(Shape{PerSecond: 1, Curve: c}).countAt(end.Seconds()) / end.Seconds()
}

// schedule computes when each request of a shape is due. A rate limiter can't replace it. After a
// stall of the server, a limiter does not send the requests that were due during the stall. So the
// measured latency would not show the stall.
type schedule struct {
	closedLoop bool
	segments   []segment
}

// segment is one straight line of the rate.
type segment struct {
	// start and length are in seconds. The last segment has an infinite length.
	start, length float64
	// count is the number of requests that are due before start.
	count float64
	// rate is the rate at start in requests per second. slope is the change of the rate per second.
	rate, slope float64
}

// newSchedule returns the schedule of a shape.
func newSchedule(s Shape) schedule {
	result := schedule{closedLoop: s.PerSecond == 0}
	points := s.Curve
	if len(points) == 0 {
		points = Curve{{0, 1}}
	}
	count := 0.
	addSegment := func(from, to time.Duration, rate0, rate1 float64) {
		length := (to - from).Seconds()
		if length <= 0 {
			return
		}
		next := segment{from.Seconds(), length, count, rate0 * s.PerSecond, (rate1 - rate0) * s.PerSecond / length}
		result.segments = append(result.segments, next)
		count = next.countAt(next.start + length)
	}
	addSegment(0, points[0].At, points[0].Rate, points[0].Rate)
	for i := range len(points) - 1 {
		addSegment(points[i].At, points[i+1].At, points[i].Rate, points[i+1].Rate)
	}
	last := points[len(points)-1]
	result.segments = append(result.segments, segment{start: last.At.Seconds(), length: math.Inf(1), count: count, rate: last.Rate * s.PerSecond})
	return result
}

// countAt returns the number of requests that are due before a time in the segment.
func (s segment) countAt(seconds float64) float64 {
	elapsed := seconds - s.start
	return s.count + s.rate*elapsed + s.slope*elapsed*elapsed/2
}

// countAt returns the number of requests that are due before a time, in seconds since the start.
func (s schedule) countAt(seconds float64) float64 {
	i := sort.Search(len(s.segments), func(i int) bool { return s.segments[i].start > seconds })
	return s.segments[max(0, i-1)].countAt(seconds)
}

// dueTime returns the time at which request n must be sent. In a closed loop it returns the current
// time.
func (s schedule) dueTime(start time.Time, n int) time.Time {
	if s.closedLoop {
		return time.Now()
	}
	// i is the last segment that starts with at most n requests due. The search skips a segment in
	// which the rate stays 0, because the next segment starts with the same count. Because of
	// rounding, request n can be due just after the end of segment i. Then the loop uses the next
	// segment.
	i := max(0, sort.Search(len(s.segments), func(i int) bool { return s.segments[i].count > float64(n) })-1)
	for ; i < len(s.segments); i++ {
		line := s.segments[i]
		countInSegment := max(0, float64(n)-line.count)
		if countInSegment == 0 && (line.rate > 0 || line.slope > 0) {
			return start.Add(time.Duration(line.start * float64(time.Second)))
		}
		// The root of rate·x + slope·x²/2 = countInSegment, in a form that also works for a slope
		// of 0.
		divisor := line.rate + math.Sqrt(max(0, line.rate*line.rate+2*line.slope*countInSegment))
		if x := 2 * countInSegment / divisor; divisor > 0 && x <= line.length {
			return start.Add(time.Duration((line.start + x) * float64(time.Second)))
		}
	}
	return start.Add(math.MaxInt64 / 2) // the rate stays 0
}

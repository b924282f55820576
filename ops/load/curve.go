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

// Curve is a rate over time: straight lines between points. Before the first
// point, the rate is that of the first point. After the last point, it is that of
// the last point. The zero value is a constant 1.
type Curve []Point

// Point is the rate at one time.
type Point struct {
	// At is the time since the start. Points are in the order of time; two at the
	// same time are a step.
	At time.Duration
	// Rate is a share of the highest rate, 0 to 1.
	Rate float64
}

// The names of the profiles. Each is a curve with bounds of its duration.
const (
	Steady = "steady"
	Ramp   = "ramp"
	Spike  = "spike"
	Soak   = "soak"
	Replay = "replay"
)

// spikeBase is the share of the highest rate before and after a spike.
const spikeBase = 0.2

// NewCurve returns the named profile over a duration. Steady and Soak have the highest rate all the
// time. Ramp grows from 0 to it. Spike has a fifth of it, and the full rate from 40 % to 60 % of
// the duration.
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

// ReadReplay reads a CSV with two columns: seconds since the start, and requests per second from
// then on. The first line may be a header. The last line ends the load, and its rate does not
// count. ReadReplay returns the curve, the highest rate and the duration.
func ReadReplay(r io.Reader) (p Curve, highest float64, duration time.Duration, err error) {
	lines := csv.NewReader(r)
	lines.FieldsPerRecord, lines.TrimLeadingSpace, lines.Comment = 2, true, '#'
	for {
		record, err := lines.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, 0, 0, err
		}
		line, _ := lines.FieldPos(0)
		seconds, err := strconv.ParseFloat(strings.TrimSpace(record[0]), 64)
		if err != nil && len(p) == 0 && line == 1 {
			continue
		}
		rate, rateErr := strconv.ParseFloat(strings.TrimSpace(record[1]), 64)
		if err = errors.Join(err, rateErr); err != nil {
			return nil, 0, 0, fmt.Errorf("line %d: must be seconds,requests/s: %w", line, err)
		}
		at := time.Duration(seconds * float64(time.Second))
		switch {
		case !(seconds >= 0 && seconds <= 7*24*3600), !(rate >= 0) || math.IsInf(rate, 0):
			return nil, 0, 0, fmt.Errorf("line %d: seconds must be from 0 to a week, and requests/s at least 0", line)
		case len(p) == 0 && at != 0:
			return nil, 0, 0, fmt.Errorf("line %d: the first time is %g s, must be 0", line, seconds)
		case len(p) > 0 && at <= duration:
			return nil, 0, 0, fmt.Errorf("line %d: the time %g s is not after that of the line before", line, seconds)
		case len(p) >= 2*maxPoints:
			return nil, 0, 0, fmt.Errorf("more than %d lines", maxPoints)
		}
		if len(p) > 0 {
			p = append(p, Point{at, p[len(p)-1].Rate})
		}
		p, duration = append(p, Point{at, rate}), at
	}
	if len(p) > 0 {
		p = p[:len(p)-1] // the last line's rate
	}
	for _, point := range p {
		highest = max(highest, point.Rate)
	}
	if highest == 0 || duration == 0 {
		return nil, 0, 0, errors.New("must have at least two lines, one of them with a rate above 0")
	}
	for i := range p {
		p[i].Rate /= highest
	}
	return p, highest, duration, nil
}

// Mean is the mean rate from the start to end, as a share of the highest rate.
// end must be above 0.
func (p Curve) Mean(end time.Duration) float64 {
	return newSchedule(Shape{PerSecond: 1, Curve: p}).countAt(end.Seconds()) / end.Seconds()
}

// schedule computes when each request of a shape is due. A rate limiter would not do: after a stall
// it does not send the requests that were due meanwhile, and so hides the stall.
type schedule struct {
	closedLoop bool
	segments   []segment
}

// segment is one straight line of the rate.
type segment struct {
	// start and length are in seconds; the last segment has no end.
	start, length float64
	// count is the number of requests that are due before start.
	count float64
	// rate is the rate at start in requests per second. slope is the change of the rate per second.
	rate, slope float64
}

func newSchedule(s Shape) schedule {
	c := schedule{closedLoop: s.PerSecond == 0}
	points := s.Curve
	if len(points) == 0 {
		points = Curve{{0, 1}}
	}
	count := 0.
	add := func(from, to time.Duration, rate0, rate1 float64) {
		length := (to - from).Seconds()
		if length <= 0 {
			return
		}
		g := segment{from.Seconds(), length, count, rate0 * s.PerSecond, (rate1 - rate0) * s.PerSecond / length}
		c.segments = append(c.segments, g)
		count = g.countAt(g.start + length)
	}
	add(0, points[0].At, points[0].Rate, points[0].Rate)
	for i := range len(points) - 1 {
		add(points[i].At, points[i+1].At, points[i].Rate, points[i+1].Rate)
	}
	last := points[len(points)-1]
	c.segments = append(c.segments, segment{start: last.At.Seconds(), length: math.Inf(1), count: count, rate: last.Rate * s.PerSecond})
	return c
}

// countAt is the number of requests that are due before a time of the segment.
func (g segment) countAt(seconds float64) float64 {
	x := seconds - g.start
	return g.count + g.rate*x + g.slope*x*x/2
}

func (c schedule) countAt(seconds float64) float64 {
	i := sort.Search(len(c.segments), func(i int) bool { return c.segments[i].start > seconds })
	return c.segments[max(0, i-1)].countAt(seconds)
}

// due is the time when request n must be sent. In a closed loop that is now.
func (c schedule) due(start time.Time, n int) time.Time {
	if c.closedLoop {
		return time.Now()
	}
	// The last segment in which request n can be due. If the rate there is 0, the request is due
	// when the rate is above 0 again.
	i := max(0, sort.Search(len(c.segments), func(i int) bool { return c.segments[i].count > float64(n) })-1)
	for ; i < len(c.segments); i++ {
		g := c.segments[i]
		missing := max(0, float64(n)-g.count)
		if missing == 0 && (g.rate > 0 || g.slope > 0) {
			return start.Add(time.Duration(g.start * float64(time.Second)))
		}
		// The root of rate·x + slope·x²/2 = missing, in a form that also works for a slope of 0.
		divisor := g.rate + math.Sqrt(max(0, g.rate*g.rate+2*g.slope*missing))
		if x := 2 * missing / divisor; divisor > 0 && x <= g.length {
			return start.Add(time.Duration((g.start + x) * float64(time.Second)))
		}
	}
	return start.Add(math.MaxInt64 / 2) // the rate stays 0
}

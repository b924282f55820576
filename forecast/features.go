package forecast

import "math"

// lags are the distances of the recent levels, 15 s to an hour, in steps.
var lags = [...]int{1, 2, 3, 4, 6, 8, 16, 32, 60, 120, 240}

// sameMinutes is how many hours back the growth at the same minute counts.
const sameMinutes = 6

// seasons are the distances in steps at which a load usually repeats.
var seasons = [...]int{day, 2 * day, week}

// smooth is half the window around a season's time, in steps: five minutes.
const smooth = 5 * minute

// clip bounds what a season can say about the level.
const clip = 1.5

// features is the number of inputs of the regression of the growth.
const features = len(lags) + 3 + 1 + 4*len(seasons) + 8 + 3

// fill writes the inputs of the decision at step k. All are known at k. start is the Unix time of
// step 0.
func (h *history) fill(x []float64, k int, start int64) {
	level := h.level.at(k)
	x = x[:0]
	for _, lag := range lags {
		x = append(x, level-h.level.at(max(k-lag, 0)))
	}
	for _, back := range [...]int{hour / 2, hour, 2 * hour} {
		x = append(x, h.growthAt(k-back))
	}
	same := 0.0
	for i := 1; i <= sameMinutes; i++ {
		same += h.growthAt(k - i*hour)
	}
	x = append(x, same/sameMinutes)
	for _, season := range seasons {
		at := k - season
		if at < smooth {
			x = append(x, 0, 0, 0, 0)
			continue
		}
		envelope := h.level.at(at - smooth)
		for i := at - smooth + 1; i < at+h.horizon+smooth; i++ {
			envelope = max(envelope, h.level.at(i))
		}
		x = append(x, h.growth.at(at), h.growths.mean(at-smooth, at+smooth+1),
			bound(h.level.at(at)-level, clip), bound(envelope-level, clip))
	}
	seconds := start + int64(k)*StepSeconds
	angle := 2 * math.Pi * float64(seconds%86400) / 86400
	for i := 1.0; i <= 4; i++ {
		sin, cos := math.Sincos(i * angle)
		x = append(x, sin, cos)
	}
	weekend := 0.0
	if weekday := (seconds/86400 + 4) % 7; weekday == 0 || weekday == 6 { // 1970-01-01 was a Thursday
		weekend = 1
	}
	_ = append(x, weekend, level, 1)
}

func (h *history) growthAt(k int) float64 {
	if k < 0 {
		return 0
	}
	return h.growth.at(k)
}

func bound(v, limit float64) float64 { return min(max(v, -limit), limit) }

package forecast

import "math"

// lags are the ages, in steps, of the recent levels that the current level is compared with: 15 s
// to an hour.
var lags = [...]int{1, 2, 3, 4, 6, 8, 16, 32, 60, 120, 240}

// sameMinuteHours is the number of past hours in one input. The input is the mean of the growths at
// the same minute of these hours.
const sameMinuteHours = 6

// seasons are the periods, in steps, after which a load usually repeats.
var seasons = [...]int{day, 2 * day, week}

// seasonWindow is half the window around the same time of a past season, in steps: five minutes.
const seasonWindow = 5 * minute

// maxLevelChange bounds the inputs that compare a level of a past season with the current level.
const maxLevelChange = 1.5

// growthInputCount is the number of inputs of the regression of the growth. In this order they are:
// one for each lag, three past growths, the mean over sameMinuteHours, four for each season, and
// eight for the time of day. The last three are the weekend, the level and the constant 1.
const growthInputCount = len(lags) + 3 + 1 + 4*len(seasons) + 8 + 3

// fillGrowthInputs writes the inputs of the regression of the growth for the decision at step k.
// Each input is known at step k. start is the Unix time of step 0. The length of inputs is
// growthInputCount, so no append allocates a new array.
func (h *history) fillGrowthInputs(inputs []float64, k int, start int64) {
	inputs = h.appendRecentInputs(inputs[:0], k)
	for _, season := range seasons {
		inputs = h.appendSeasonInputs(inputs, k, k-season)
	}
	inputs = appendTimeInputs(inputs, start+int64(k)*StepSeconds)
	_ = append(inputs, h.level.at(k), 1)
}

// appendRecentInputs appends the inputs that depend on the last hours before step k.
func (h *history) appendRecentInputs(inputs []float64, k int) []float64 {
	for _, lag := range lags {
		inputs = append(inputs, h.level.at(k)-h.level.at(max(k-lag, 0)))
	}
	for _, age := range [...]int{hour / 2, hour, 2 * hour} {
		inputs = append(inputs, h.growthAt(k-age))
	}
	sum := 0.0
	for i := 1; i <= sameMinuteHours; i++ {
		sum += h.growthAt(k - i*hour)
	}
	return append(inputs, sum/sameMinuteHours)
}

// appendSeasonInputs appends the inputs that depend on the load around step past. This step is one
// season before step k. The inputs are 0 if the history does not begin early enough.
func (h *history) appendSeasonInputs(inputs []float64, k, past int) []float64 {
	if past < seasonWindow {
		return append(inputs, 0, 0, 0, 0)
	}
	highest := h.level.at(past - seasonWindow)
	for i := past - seasonWindow + 1; i < past+h.horizon+seasonWindow; i++ {
		highest = max(highest, h.level.at(i))
	}
	level := h.level.at(k)
	return append(inputs, h.growth.at(past), h.growthSums.mean(past-seasonWindow, past+seasonWindow+1),
		clamp(h.level.at(past)-level, maxLevelChange), clamp(highest-level, maxLevelChange))
}

// appendTimeInputs appends the inputs that depend on the time of day and on the weekday, in UTC.
func appendTimeInputs(inputs []float64, unixSeconds int64) []float64 {
	angle := 2 * math.Pi * float64(unixSeconds%86400) / 86400
	for i := 1.0; i <= 4; i++ { // periods of 24, 12, 8 and 6 hours
		sin, cos := math.Sincos(i * angle)
		inputs = append(inputs, sin, cos)
	}
	weekend := 0.0
	if weekday := (unixSeconds/86400 + 4) % 7; weekday == 0 || weekday == 6 { // 1970-01-01 was a Thursday
		weekend = 1
	}
	return append(inputs, weekend)
}

// growthAt returns the growth of step k, or 0 before the first step.
func (h *history) growthAt(k int) float64 {
	if k < 0 {
		return 0
	}
	return h.growth.at(k)
}

// clamp limits v to the range from -limit to limit.
func clamp(v, limit float64) float64 { return min(max(v, -limit), limit) }

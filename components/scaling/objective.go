package scaling

// FastAnswers is the share of answers that must be within a duration of Thresholds: the
// design document compares the 95th percentile.
const FastAnswers Percent = 95

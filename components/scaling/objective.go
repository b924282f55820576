package scaling

// FastAnswers is the share of answers that must be faster than the service's threshold. The
// design document compares the 95th percentile with the threshold.
const FastAnswers Percent = 95

package scaling

// FastResponses is the share of responses that must be faster than the service's threshold. The
// design document compares the 95th percentile with the threshold.
const FastResponses Percent = 95

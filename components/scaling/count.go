package scaling

// MaxReplicas is the largest number of pods of a service: the largest
// maxReplicas of the design document's HPAs.
const MaxReplicas = 50

// Replicas returns the number of pods that the service's Deployment sets, and true. A
// Deployment with an autoscaler sets no number, because each update would reset the
// autoscaler's number. For such a Deployment, Replicas returns 0 and false.
func (p Profile) Replicas() (count int, fixed bool) {
	if p.Autoscaled {
		return 0, false
	}
	return p.Floor, true
}

// MaxReplicas returns the largest number of pods of the service, without the one
// that a rollout adds.
func (p Profile) MaxReplicas() int {
	if p.Autoscaled {
		return p.HPA.MaxReplicas
	}
	return p.Floor
}

// WithBounds returns the profile with the HPA's bounds that a stack sets. A parameter of
// zero does not change its bound. A Floor outside of the bounds becomes the nearest
// bound. It returns an error for the same bounds as HPA.WithBounds.
func (p Profile) WithBounds(minReplicas, maxReplicas int) (Profile, error) {
	hpa, err := p.HPA.WithBounds(minReplicas, maxReplicas)
	if err != nil {
		return p, err
	}
	p.HPA, p.Floor = hpa, min(max(p.Floor, hpa.MinReplicas), hpa.MaxReplicas)
	return p, nil
}

package rules

// The limits of the volumes of RDS for PostgreSQL, in IOPS, MiB/s and GiB
// (AmazonRDS/latest/UserGuide/CHAP_Storage.html). RDS stripes a gp3 volume over four volumes
// if its size is minStripedSize or more. A smaller volume always has the base values.
const (
	minStripedSize = 400 // GiB

	baseIOPS, baseThroughput       = 3000, 125
	stripedIOPS, stripedThroughput = 12000, 500
	maxIOPS, maxThroughput         = 64000, 4000
	iopsPerGiB                     = 500
	iopsPerMiBps                   = 4 // at most 0.25 MiB/s for each IOPS

	// The limits of io1 and io2. The IOPS for each GiB are from API_CreateDBInstance.html.
	// io2 allows more, but its limit was not found.
	minProvisionedSize                     = 100 // GiB
	provisionedIOPSPerGiB                  = 50
	minProvisionedIOPS, maxProvisionedIOPS = 1000, 256000
)

// verifyDBStorage returns an error for volumes that RDS does not offer.
func verifyDBStorage(c *Call) error {
	kind := c.effectiveStorageType()
	size, iops, throughput := c.In.Int("allocatedStorage"), c.In.Int("iops"), c.In.Int("storageThroughput")
	// With a larger maxAllocatedStorage, AWS may have increased the storage by itself. The provider then
	// ignores the difference (IgnoreDiff), so a smaller size is not a reduction.
	if oldSize := c.Old.Int("allocatedStorage"); size < oldSize && c.In.Int("maxAllocatedStorage") <= size {
		return refuse("InvalidParameterCombination", "Requested storage size (%d) cannot be less than the current storage size (%d): storage can't be reduced", size, oldSize)
	}
	if maxSize := c.In.Int("maxAllocatedStorage"); maxSize != 0 && maxSize <= size {
		return refuse("InvalidParameterCombination", "Max storage size must be greater than storage size: %d and %d", maxSize, size)
	}
	if throughput != 0 && kind != "gp3" {
		return refuse("InvalidParameterCombination", "You can't specify storage throughput for storage type %s", kind)
	}
	switch kind {
	case "gp2":
		if iops != 0 {
			return refuse("InvalidParameterCombination", "Cannot specify IOPS for storage type gp2")
		}
	case "gp3":
		return verifyGP3(size, iops, throughput)
	default:
		switch {
		case size < minProvisionedSize:
			return refuse("InvalidParameterCombination", "Invalid storage size for engine name postgres and storage type %s: %d", kind, size)
		case iops < minProvisionedIOPS || iops > maxProvisionedIOPS || iops > size*provisionedIOPSPerGiB || 2*iops < size:
			// The last condition means less than 0.5 IOPS for each GiB.
			return refuse("InvalidParameterCombination", "Invalid iops value for engine name postgres and storage type %s: %d, must be %d to %d, and 0.5 to %d a GiB",
				kind, iops, minProvisionedIOPS, maxProvisionedIOPS, provisionedIOPSPerGiB)
		}
	}
	return nil
}

// verifyGP3 returns an error if a gp3 volume cannot have the IOPS or the throughput. 0 means
// that the program sets no value.
func verifyGP3(size, iops, throughput int) error {
	if size < minStripedSize {
		// The base values are allowed, because a program has them after an import.
		if (iops != 0 && iops != baseIOPS) || (throughput != 0 && throughput != baseThroughput) {
			return refuse("InvalidParameterCombination", "You can't specify IOPS or storage throughput for engine postgres and a storage size less than %d.", minStripedSize)
		}
		return nil
	}
	if iops == 0 {
		iops = stripedIOPS
	}
	if throughput == 0 {
		throughput = stripedThroughput
	}
	switch {
	case iops < stripedIOPS || iops > maxIOPS || iops > size*iopsPerGiB:
		return refuse("InvalidParameterCombination", "Invalid iops value for engine name postgres and storage type gp3: %d, must be %d to %d, and at most %d a GiB",
			iops, stripedIOPS, maxIOPS, iopsPerGiB)
	case throughput < stripedThroughput || throughput > maxThroughput || throughput*iopsPerMiBps > iops:
		return refuse("InvalidParameterCombination", "Invalid storage throughput value for engine name postgres and storage type gp3: %d, must be %d to %d MiB/s, "+
			"and at most 0.25 an IOPS", throughput, stripedThroughput, maxThroughput)
	}
	return nil
}

// effectiveStorageType returns the storage type of an instance: the type in the inputs, or
// else the current type, or else AWS's default.
func (c *Call) effectiveStorageType() string {
	switch {
	case c.In.Has("storageType"):
		return c.In.String("storageType")
	case c.Old.Has("storageType"):
		return c.Old.String("storageType")
	case c.In.Has("iops"):
		return "io1"
	}
	return "gp3"
}

// fillDBStorage computes the volume's IOPS and throughput.
func fillDBStorage(c *Call) {
	kind := c.effectiveStorageType()
	c.Out["storageType"] = kind
	if c.In.Int("allocatedStorage") < c.Old.Int("allocatedStorage") {
		c.Out["allocatedStorage"] = c.Old["allocatedStorage"] // AWS has increased the storage
	}
	iops, throughput := 0, 0
	switch {
	case kind == "gp3" && c.Out.Int("allocatedStorage") < minStripedSize:
		iops, throughput = baseIOPS, baseThroughput
	case kind == "gp3":
		iops, throughput = stripedIOPS, stripedThroughput
	}
	c.Out["iops"], c.Out["storageThroughput"] = float64(iops), float64(throughput)
	for _, name := range []string{"iops", "storageThroughput"} {
		if v, given := c.In[name]; given {
			c.Out[name] = v
		}
	}
}

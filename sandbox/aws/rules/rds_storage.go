package rules

// The limits of the volumes of RDS for PostgreSQL, in IOPS, MiB/s and GiB:
// AmazonRDS/latest/UserGuide/CHAP_Storage.html. RDS stripes a gp3 volume over four
// volumes if its size is minStripedSize or more. A smaller volume always has the base values.
const (
	minStripedSize = 400 // GiB

	baseOperations, baseThroughput       = 3000, 125
	stripedOperations, stripedThroughput = 12000, 500
	maxOperations, maxThroughput         = 64000, 4000
	operationsPerGibibyte                = 500
	operationsPerThroughput              = 4 // at most 0.25 MiB/s for each IOPS

	// The limits of io1 and io2. The IOPS for each GiB are from API_CreateDBInstance.html.
	// io2 allows more, but its limit was not found.
	minProvisionedSize             = 100 // GiB
	provisionedPerGibibyte         = 50
	minProvisioned, maxProvisioned = 1000, 256000
)

// verifyStorage returns an error for volumes that RDS does not offer.
func verifyStorage(c *Call) error {
	kind := c.storageType()
	size, iops, throughput := c.In.Int("allocatedStorage"), c.In.Int("iops"), c.In.Int("storageThroughput")
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
		case iops < minProvisioned || iops > maxProvisioned || iops > size*provisionedPerGibibyte || 2*iops < size: // less than 0.5 IOPS a GiB
			return refuse("InvalidParameterCombination", "Invalid iops value for engine name postgres and storage type %s: %d, must be %d to %d, and 0.5 to %d a GiB",
				kind, iops, minProvisioned, maxProvisioned, provisionedPerGibibyte)
		}
	}
	return nil
}

// verifyGP3 returns an error if a gp3 volume cannot have the IOPS or the throughput. 0 means
// that the program sets no value.
func verifyGP3(size, iops, throughput int) error {
	if size < minStripedSize {
		// The base values are allowed, because a program has them after an import.
		if (iops != 0 && iops != baseOperations) || (throughput != 0 && throughput != baseThroughput) {
			return refuse("InvalidParameterCombination", "You can't specify IOPS or storage throughput for engine postgres and a storage size less than %d.", minStripedSize)
		}
		return nil
	}
	if iops == 0 {
		iops = stripedOperations
	}
	if throughput == 0 {
		throughput = stripedThroughput
	}
	switch {
	case iops < stripedOperations || iops > maxOperations || iops > size*operationsPerGibibyte:
		return refuse("InvalidParameterCombination", "Invalid iops value for engine name postgres and storage type gp3: %d, must be %d to %d, and at most %d a GiB",
			iops, stripedOperations, maxOperations, operationsPerGibibyte)
	case throughput < stripedThroughput || throughput > maxThroughput || throughput*operationsPerThroughput > iops:
		return refuse("InvalidParameterCombination", "Invalid storage throughput value for engine name postgres and storage type gp3: %d, must be %d to %d MiB/s, "+
			"and at most 0.25 an IOPS", throughput, stripedThroughput, maxThroughput)
	}
	return nil
}

// storageType returns the storage type of an instance: the type in the inputs, or else the
// current type, or else AWS's default.
func (c *Call) storageType() string {
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

// fillStorage computes the volume's IOPS and throughput.
func fillStorage(c *Call) {
	kind := c.storageType()
	c.Out["storageType"] = kind
	if c.In.Int("allocatedStorage") < c.Old.Int("allocatedStorage") {
		c.Out["allocatedStorage"] = c.Old["allocatedStorage"] // AWS has increased the storage
	}
	iops, throughput := 0, 0
	switch {
	case kind == "gp3" && c.Out.Int("allocatedStorage") < minStripedSize:
		iops, throughput = baseOperations, baseThroughput
	case kind == "gp3":
		iops, throughput = stripedOperations, stripedThroughput
	}
	c.Out["iops"], c.Out["storageThroughput"] = float64(iops), float64(throughput)
	for _, name := range []string{"iops", "storageThroughput"} {
		if v, given := c.In[name]; given {
			c.Out[name] = v
		}
	}
}

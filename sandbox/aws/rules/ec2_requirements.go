package rules

// requirementRanges are the properties of attribute-based instance selection that have a
// minimum and a maximum. The first two properties and their minimums are required.
var requirementRanges = []string{
	"vcpuCount", "memoryMib", "memoryGibPerVcpu", "networkBandwidthGbps", "networkInterfaceCount", "totalLocalStorageGb", "baselineEbsBandwidthMbps",
}

// requirementProps returns the property rules of instance requirements, for launch
// templates and Auto Scaling groups
// (AutoScaling/latest/APIReference/API_InstanceRequirements.html). Each path begins with
// prefix.
func requirementProps(prefix string) Props {
	out := Props{
		prefix + "cpuManufacturers":                               {Set: true},
		prefix + "instanceGenerations":                            {Set: true},
		prefix + "allowedInstanceTypes":                           {Set: true, Max: 400, Valid: length(1, 30)},
		prefix + "excludedInstanceTypes":                          {Set: true, Max: 400, Valid: length(1, 30)},
		prefix + "bareMetal":                                      {},
		prefix + "burstablePerformance":                           {},
		prefix + "localStorage":                                   {},
		prefix + "localStorageTypes":                              {Set: true},
		prefix + "onDemandMaxPricePercentageOverLowestPrice":      {Valid: numbers(1, 999999)},
		prefix + "spotMaxPricePercentageOverLowestPrice":          {Valid: numbers(1, 999999)},
		prefix + "maxSpotPriceAsPercentageOfOptimalOnDemandPrice": {Valid: numbers(1, 999999)},
		prefix + "requireHibernateSupport":                        {},
	}
	for i, name := range requirementRanges {
		out[prefix+name] = Prop{Required: i < 2}
		out[prefix+name+".min"] = Prop{Required: i < 2, Valid: numbers(0.01, 1e9)}
		out[prefix+name+".max"] = Prop{Valid: numbers(0.01, 1e9)}
	}
	for _, name := range []string{"acceleratorCount", "acceleratorManufacturers", "acceleratorNames", "acceleratorTotalMemoryMib", "acceleratorTypes"} {
		out[prefix+name] = Prop{Refuse: "accelerators are not supported yet"}
	}
	return out
}

// checkRequirements checks that no minimum of instance requirements is above its maximum. It
// also checks the properties that exclude each other. path is the path of the requirements in
// messages.
func checkRequirements(r Object, path string, fail Fail) {
	for _, name := range requirementRanges {
		low, hasLow := r.Object(name)["min"].(float64)
		high, hasHigh := r.Object(name)["max"].(float64)
		if hasLow && hasHigh && low > high {
			fail(joinPath(path, name), "min %v is above max %v", low, high)
		}
	}
	for _, pair := range [][2]string{
		{"allowedInstanceTypes", "excludedInstanceTypes"},
		{"spotMaxPricePercentageOverLowestPrice", "maxSpotPriceAsPercentageOfOptimalOnDemandPrice"},
	} {
		if r.Has(pair[0]) && r.Has(pair[1]) {
			fail(joinPath(path, pair[0]), "%s and %s can't be given together", pair[0], pair[1])
		}
	}
}

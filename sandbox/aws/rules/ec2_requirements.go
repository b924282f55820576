package rules

// requirementRanges are the ranges of attribute-based instance selection. The first two
// need a minimum.
var requirementRanges = []string{
	"vcpuCount", "memoryMib", "memoryGibPerVcpu", "networkBandwidthGbps", "networkInterfaceCount", "totalLocalStorageGb", "baselineEbsBandwidthMbps",
}

// requirementProps returns the rules of instance requirements, for launch templates and
// Auto Scaling groups: AutoScaling/latest/APIReference/API_InstanceRequirements.html.
func requirementProps(at string) Props {
	out := Props{
		at + "cpuManufacturers":                               {Set: true},
		at + "instanceGenerations":                            {Set: true},
		at + "allowedInstanceTypes":                           {Set: true, Max: 400, Valid: length(1, 30)},
		at + "excludedInstanceTypes":                          {Set: true, Max: 400, Valid: length(1, 30)},
		at + "bareMetal":                                      {},
		at + "burstablePerformance":                           {},
		at + "localStorage":                                   {},
		at + "localStorageTypes":                              {Set: true},
		at + "onDemandMaxPricePercentageOverLowestPrice":      {Valid: numbers(1, 999999)},
		at + "spotMaxPricePercentageOverLowestPrice":          {Valid: numbers(1, 999999)},
		at + "maxSpotPriceAsPercentageOfOptimalOnDemandPrice": {Valid: numbers(1, 999999)},
		at + "requireHibernateSupport":                        {},
	}
	for i, name := range requirementRanges {
		out[at+name] = Prop{Required: i < 2}
		out[at+name+".min"] = Prop{Required: i < 2, Valid: numbers(0.01, 1e9)}
		out[at+name+".max"] = Prop{Valid: numbers(0.01, 1e9)}
	}
	for _, name := range []string{"acceleratorCount", "acceleratorManufacturers", "acceleratorNames", "acceleratorTotalMemoryMib", "acceleratorTypes"} {
		out[at+name] = Prop{Refuse: "accelerators have no rules yet"}
	}
	return out
}

// checkRequirements checks the ranges, and the properties that exclude each other.
func checkRequirements(r Object, at string, fail Fail) {
	for _, name := range requirementRanges {
		low, hasLow := r.Object(name)["min"].(float64)
		high, hasHigh := r.Object(name)["max"].(float64)
		if hasLow && hasHigh && low > high {
			fail(dotted(at, name), "min %v is above max %v", low, high)
		}
	}
	for _, pair := range [][2]string{
		{"allowedInstanceTypes", "excludedInstanceTypes"},
		{"spotMaxPricePercentageOverLowestPrice", "maxSpotPriceAsPercentageOfOptimalOnDemandPrice"},
	} {
		if r.Has(pair[0]) && r.Has(pair[1]) {
			fail(dotted(at, pair[0]), "%s and %s can't be given together", pair[0], pair[1])
		}
	}
}

package rules

const edgeFunctionType = "aws:cloudfront/function:Function"

// maxEdgeCode is the maximum size of a function in bytes
// (AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html).
const maxEdgeCode = 10240

var toEdgeFunction = &Ref{
	To: []string{edgeFunctionType}, By: []string{"arn"}, Noun: "function", Missing: "InvalidFunctionAssociation", InUseCode: "FunctionInUse",
}

var _ = registerRows(&Row{
	Token:  edgeFunctionType,
	Source: "cloudfront/function.go", Page: "cloudfront/latest/APIReference/API_CreateFunction.html",
	Label: "CloudFront Function", Global: true, ID: "{name}", NotFound: "NoSuchFunctionExists",
	ExistsCode: "FunctionAlreadyExists", ExistsText: "A function with the name {name} already exists",
	Naming: &Naming{Prop: "name", Max: 255},
	Props: Props{
		"name":                      {Replace: true, Valid: all(length(1, 64), pattern(`[A-Za-z0-9_-]+`, "letters, digits, _ and -"))},
		"code":                      {Valid: length(1, maxEdgeCode)},
		"comment":                   {},
		"runtime":                   {},
		"publish":                   {Default: true},
		"keyValueStoreAssociations": {Set: true, Refuse: unsupportedReference},
	},
	Outputs:  map[string]string{"arn": cloudfrontARN + "function/{name}", "etag": "E{id13}"},
	Volatile: []string{"etag", "liveStageEtag"},
	Fill: func(c *Call) error {
		if !c.In.Bool("publish") {
			c.Out["status"] = "UNPUBLISHED"
			return nil
		}
		c.Out["status"], c.Out["liveStageEtag"] = "UNASSOCIATED", c.Out["etag"]
		return nil
	},
})

module github.com/progressive-framework/platform/tools/fluentbit

go 1.26.3

require (
	github.com/calyptia/go-fluentbit-config/v2 v2.14.0
	github.com/stretchr/testify v1.10.0
)

require (
	github.com/davecgh/go-spew v1.1.1 // indirect
	github.com/pmezard/go-difflib v1.0.0 // indirect
	golang.org/x/exp v0.0.0-20250506013437-ce4c2cf36ca6 // indirect
	golang.org/x/mod v0.24.0 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)

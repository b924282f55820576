package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// readExport returns the recorded output of `pulumi stack export` for a stack, reduced to the
// types and properties that picture.yaml reads.
func readExport(t *testing.T, stack string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + stack + ".json")
	require.NoError(t, err)
	return string(text)
}

// composePicture returns the boxes of an exported state with their positions.
func composePicture(t *testing.T, export string) *picture {
	t.Helper()
	s, err := readState(strings.NewReader(export))
	require.NoError(t, err)
	p, err := compose(s)
	require.NoError(t, err)
	return p
}

// withInnerBoxes returns the boxes and, after each box, the boxes inside it.
func withInnerBoxes(boxes []*box) []*box {
	var all []*box
	for _, b := range boxes {
		all = append(append(all, b), withInnerBoxes(b.Boxes)...)
	}
	return all
}

// textLines returns the lines of text in a picture.
func textLines(p *picture) []string {
	var all []string
	for _, b := range withInnerBoxes(p.Boxes) {
		for _, line := range b.Lines {
			all = append(all, line.Text)
		}
	}
	return all
}

// With the widest common font no text is wider than its box. No box is outside its
// parent, and no two boxes overlap.
func TestTextAndBoxesStayInTheirBox(t *testing.T) {
	fonts, err := newStyles()
	require.NoError(t, err)
	fontByClass := map[string]style{"title": fonts.title, "text": fonts.text}
	prod := readExport(t, "prod")
	for reason, export := range map[string]string{
		"prod":                    prod,
		"the sandbox":             readExport(t, "sandbox"),
		"words that are too long": strings.NewReplacer(`"mca`, `"`+strings.Repeat("m", 200), `"m7i.xlarge`, `"`+strings.Repeat("WIDE", 80)).Replace(prod),
		"many words":              strings.ReplaceAll(prod, `"pf-prod`, `"`+strings.Repeat("many words ", 30)),
	} {
		p := composePicture(t, export)
		require.EqualValues(t, pageWidth, p.W)
		page := &box{place: place{W: p.W, H: p.H, Boxes: p.Boxes}}
		for _, b := range append(withInnerBoxes(p.Boxes), page) {
			for _, line := range b.Lines {
				require.LessOrEqual(t, line.X+fontByClass[line.Class].width(line.Text), b.X+b.W-padding, "%s: %q is wider than %v", reason, line.Text, b.Title)
				require.Greater(t, line.Y, b.Y, "%s: %q", reason, line.Text)
				require.Less(t, line.Y, b.Y+b.H, "%s: %q", reason, line.Text)
			}
			for i, inner := range b.Boxes {
				require.True(t, inner.X >= b.X && inner.Y >= b.Y && inner.X+inner.W <= b.X+b.W+.01 && inner.Y+inner.H <= b.Y+b.H+.01,
					"%s: %v is outside of %v", reason, inner.Title, b.Title)
				for _, other := range b.Boxes[:i] {
					require.True(t, other.X+other.W <= inner.X || inner.X+inner.W <= other.X || other.Y+other.H <= inner.Y || inner.Y+inner.H <= other.Y,
						"%s: %v overlaps %v", reason, inner.Title, other.Title)
				}
			}
		}
	}
}

func TestResourcesOfTheStateAreDrawn(t *testing.T) {
	prod := textLines(composePicture(t, readExport(t, "prod")))
	for _, line := range []string{
		"Users", "Route 53", "CloudFront", "/ws → ALB-progressive-framework-dynamic", "AWS WAF web ACL", "S3 static files",
		"VPC 10.10.0.0/16", "10.10.80.0/22 · NAT gateway", "HTTPS 443 · 3 rules, else 404", "pf-prod-agents-30800",
		"4 to 50 nodes, 8 desired", "m7i.xlarge, m6i.xlarge, m5.xlarge", "EKS 1.36 · progressive-framework-prod", "cluster-autoscaler",
		"Deployment, 6 × 500m CPU, 1Gi", "on web nodes", "CronJob, 17 3 * * * Etc/UTC",
		"db.r7g.xlarge, Multi-AZ", "cache.r7g.large × 6", "3 shards of 1 primary, 1 replica", "db.r6g.large × 3",
		"4 customer keys", "1 secret", "8 log groups", "4 alarms",
	} {
		require.Contains(t, prod, line)
	}
	zones := slices.DeleteFunc(slices.Clone(prod), func(line string) bool { return !strings.HasPrefix(line, "us-east-1") })
	tier := []string{"us-east-1a", "us-east-1b", "us-east-1c"}
	require.Equal(t, slices.Concat(tier, tier, tier), zones, "the zones are columns in the same order in each of the three tiers")
}

// The stack sandbox has no edge, load balancer, Auto Scaling group and managed store, so
// none of them is drawn.
func TestAbsentResourcesAreNotDrawn(t *testing.T) {
	p := composePicture(t, readExport(t, "sandbox"))
	require.Equal(t, []string{"VPC 10.30.0.0/16"}, p.Boxes[0].Title)
	require.Contains(t, textLines(p), "StatefulSet, 6 × 20m CPU, 128Mi")
	text := strings.Join(append(textLines(p), p.Description), "\n")
	for _, absent := range []string{"Edge", "Users", "CloudFront", "Load Balancer", "Auto Scaling", "RDS", "S3\n", "alarm"} {
		require.NotContains(t, text, absent)
	}
}

// The engine writes resources in the order in which their creation ends, which varies.
func TestTheOrderOfAStateDoesNotMatter(t *testing.T) {
	export := readExport(t, "prod")
	lines := strings.Split(strings.TrimSpace(export), "\n")
	resources := lines[1 : len(lines)-1]
	resources[len(resources)-1] += ","
	slices.Reverse(resources)
	resources[len(resources)-1] = strings.TrimSuffix(resources[len(resources)-1], ",")
	require.Equal(t, drawSVG(t, export), drawSVG(t, strings.Join(lines, "\n")))
}

// drawSVG returns the picture of an exported state.
func drawSVG(t *testing.T, export string) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), "", "", strings.NewReader(export), &out))
	return out.String()
}

// The picture is an SVG with a title and a description for screen readers. Markup in a
// name is escaped.
func TestPictureIsAnAccessibleSVG(t *testing.T) {
	svg := drawSVG(t, strings.ReplaceAll(readExport(t, "prod"), `"pf-prod"`, `"<script>&"`))
	textByElement := map[string]string{}
	decoder := xml.NewDecoder(strings.NewReader(svg))
	element := ""
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		switch token := token.(type) {
		case xml.StartElement:
			element = token.Name.Local
			require.NotEqual(t, "script", element)
		case xml.CharData:
			textByElement[element] += string(token)
		}
	}
	require.Contains(t, textByElement["title"], "The stack prod of progressive-framework")
	require.Contains(t, textByElement["desc"], "RDS for PostgreSQL 17; ElastiCache for Redis 7.1; DocumentDB 5.0.0")
	require.Contains(t, textByElement["text"], "<script>&")
	require.NotContains(t, svg, "ZgotmplZ", "the template engine refused nothing")
}

func TestErrorsNameTheProblemOfTheState(t *testing.T) {
	const stack = `{"urn":"urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev","type":"pulumi:pulumi:Stack"}`
	for reason, row := range map[string]struct{ export, message string }{
		"no export":             {`Updating…`, "is not the output of `pulumi stack export`"},
		"an empty stack":        {`{"deployment":{}}`, "bring the stack up first"},
		"no drawn resource":     {`{"deployment":{"resources":[` + stack + `]}}`, "nothing in the state is in picture.yaml"},
		"a property is missing": {strings.Replace(readExport(t, "prod"), `"nodeType"`, `"kind"`, 1), `ReplicationGroup progressive-framework-prod-redis`},
	} {
		err := run(t.Context(), "", "", strings.NewReader(row.export), io.Discard)
		require.ErrorContains(t, err, row.message, reason)
	}
}

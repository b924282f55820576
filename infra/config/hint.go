package config

import (
	"fmt"
	"strings"
)

// hint suggests the most similar known key. It is empty if no key is similar.
func hint(name string, known []string) string {
	if nearest := near(name, known); nearest != "" {
		return fmt.Sprintf("; did you mean %q?", nearest)
	}
	return ""
}

// longest is the length from which a name is not compared; every key is shorter.
const longest = 64

// near returns the known name with the smallest edit distance. The result is empty if this distance
// is more than a third of the known name's letters.
func near(name string, known []string) string {
	if len(name) > longest {
		return ""
	}
	nearest, least := "", 0
	for _, k := range known {
		d := distance(strings.ToLower(name), strings.ToLower(k))
		if d <= max(1, len(k)/3) && (nearest == "" || d < least || d == least && k < nearest) {
			nearest, least = k, d
		}
	}
	return nearest
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour, to turn a into b (optimal string alignment).
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			same := 1
			if a[i-1] == b[j-1] {
				same = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+same)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

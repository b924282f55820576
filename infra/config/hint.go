package config

import (
	"fmt"
	"strings"
)

// keyHint returns the end of an error message that suggests the most similar known key. It returns
// "" if no key is similar.
func keyHint(name string, known []string) string {
	if nearest := nearestName(name, known); nearest != "" {
		return fmt.Sprintf("; did you mean %q?", nearest)
	}
	return ""
}

// maxHintName is the length of the longest name that gets a hint. Every key is shorter.
const maxHintName = 64

// nearestName returns the known name with the smallest edit distance to name. It returns "" if each
// distance is more than a third of the known name's letters.
func nearestName(name string, known []string) string {
	if len(name) > maxHintName {
		return ""
	}
	nearest, leastDistance := "", 0
	for _, k := range known {
		distance := editDistance(strings.ToLower(name), strings.ToLower(k))
		isSimilar := distance <= max(1, len(k)/3)
		isNearer := nearest == "" || distance < leastDistance || distance == leastDistance && k < nearest
		if isSimilar && isNearer {
			nearest, leastDistance = k, distance
		}
	}
	return nearest
}

// editDistance counts the letters to insert, delete, replace or swap with their neighbour, to turn
// a into b (optimal string alignment).
func editDistance(a, b string) int {
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
			substitution := 1
			if a[i-1] == b[j-1] {
				substitution = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+substitution)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

package main

import "regexp"

// Rule refuses one meaning of a word. Most of these words also have an ordinary
// meaning, so the patterns are narrow.
type Rule struct {
	// Word is the name of the rule: the word in the glossary.
	Word string
	// Say is what to write instead.
	Say string
	// Names is matched against declared names and file names, split into lower
	// case words: "made row" for madeRow.
	Names *regexp.Regexp
	// Prose is matched against comments, strings and Markdown; \s+ also
	// matches a line break.
	Prose *regexp.Regexp
	// Except matches phrases in which the word has another meaning. Prose and
	// Names are not matched inside such a phrase.
	Except *regexp.Regexp
	// Unless exempts a whole comment, string or name that it matches.
	Unless *regexp.Regexp
	// Paths limits the rule to files that it matches.
	Paths *regexp.Regexp
}

var re = regexp.MustCompile

// otherSpelling matches words with two spellings, in the spelling that the project does not use. It
// uses the spelling that most of its texts had.
var otherSpelling = re(`(?i)\bcancell(ed|ing)\b|\bcatalogues?\b|\blicences?\b|\bmisspelt\b|\bprogrammes?\b|` +
	`\b(un)?(author|custom|final|general|initial|maxim|minim|normal|optim|organ|priorit|recogn|serial|summar|synchron|util|visual)is(e[ds]?|ing|ations?)\b`)

// rules has the words that the project's glossary replaces, and the refused names
// of constructors. Some words are refused only as names, because they are too
// common in prose.
var rules = []Rule{
	{Word: "told", Say: "config, env, or what the value holds", Names: re(`\btold\b`),
		Prose: re(`\bsettings\s+told\b|\b(all|what|as)\s+((that\s+)?(the\s+)?\w+\s+)?(is|are|was|were)\s+told\b`)},
	{Word: "made", Say: "created, or what the value holds", Names: re(`\bmade\b`),
		Prose: re(`\b(resource|bucket|cluster|group|instance|volume|role|key|secret|record|listener|subnet|table|database)s?\s+(is|are|was|were|be|been|being)\s+made\b`)},
	{Word: "lay", Say: "deploy, newX or deployX", Names: re(`^(lay|lays|laid)\b`), Prose: re(`\blaid\b|\blays?\s+(the|a|an|it|them|every|each|all)\b`),
		Except: re(`\blaid\s+out\b`)},
	{Word: "takes", Say: "the constructor NewX, or an option's name", Names: re(`^takes\b`)},
	{Word: "give", Say: "the verb of what happens: create, attach, set", Names: re(`^gives?\b`), Except: re(`^gives? up\b`)},
	{Word: "of", Say: "what is returned, as in limiterFor", Names: re(`^of$`)},
	{Word: "room", Say: "package or repository", Prose: re(`\bhouses?\b|\b(another|each|every|other|which|one)\s+rooms?\b`)},
	{Word: "rights", Say: "permissions", Names: re(`\brights\b`), Prose: re(`\b[Rr]ights\b`)},
	{Word: "ask", Say: "request, spec or body", Names: re(`\b(asked|asks)\b|^ask$`)},
	{Word: "question", Say: "request, spec or body", Names: re(`\bquestions?\b`)},
	{Word: "part", Say: "request or spec", Names: re(`^parts?$`), Paths: re(`^agents/mca/`)},
	{Word: "wishes", Say: "preferences, options or spec", Names: re(`\bwish(es|ed)?\b`), Prose: re(`\b[Ww]ish(es|ed)?\b`)},
	{Word: "driver", Say: "capacity owner", Names: re(`\bscale in drivers?\b`),
		Prose: re(`\bscale-in\s+drivers?\b|\bdrivers?\s+of\s+(a|the|its|each|every)\s+(\w+\s+)?group\b|\bgroup's\s+drivers?\b`)},
	{Word: "beside", Say: "alongside, next to, in addition to, or without conflict", Names: re(`\bbeside\b`), Prose: re(`\b[Bb]eside\b`)},
	{Word: "backing", Say: "dependencies", Names: re(`\bbacking\b`), Prose: re(`\bbacking\b`), Except: re(`\bbacking\s+(array|store|file|memory)\b`)},
	{Word: "space", Say: "namespace", Names: re(`\bspaces?\b`), Paths: re(`^agents/.*cache`)},
	{Word: "patient", Say: "buffered", Names: re(`\bpatient\b`)},
	{Word: "around", Say: "middleware", Names: re(`^around$`)},
	{Word: "observe", Say: "hook", Names: re(`^observe$`)},
	{Word: "adjust", Say: "option", Names: re(`^adjust$`)},
	{Word: "home", Say: "layout", Names: re(`\bhome\b`), Paths: re(`^sandbox/`)},
	{Word: "world", Say: "test environment, or what it is", Names: re(`\bworld\b`), Prose: re(`\b[Ww]orld\b`),
		Except: re(`\b([Hh]ello,?|real|outside)\s+world\b`)},
	{Word: "fleet", Say: "test environment", Names: re(`\bfleet\b`), Paths: re(`^agents/`)},
	{Word: "leftovers", Say: "residue", Names: re(`\bleftovers?\b`), Prose: re(`\b[Ll]eftovers?\b`)},
	{Word: "heard", Say: "subscribed", Names: re(`\bheard\b`), Prose: re(`\b[Hh]eard\b`)},
	{Word: "meet", Say: "join or dial", Names: re(`\b(meet|meets|met)\b`), Prose: re(`\b(nodes?|peers?|members?)\s+meets?\b`)},
	{Word: "mend", Say: "fix or hint", Names: re(`\bmend(s|ed|ing)?\b`), Prose: re(`\b[Mm]end(s|ed|ing)?\b`)},
	{Word: "whom", Say: "which or its", Names: re(`\bwhom\b`), Prose: re(`\b[Ww]hom\b`)},
	{Word: "who", Say: "that or which: a machine is no person", Names: re(`\bwhose\b`),
		Prose: re(`\b(node|pod|server|process|service|provider|stack|cluster|replica|primary|container|agent|program)s?,?\s+who\b`)},
	{Word: "stranger", Say: "untrusted input, or an unknown client", Names: re(`\bstrangers?\b`), Prose: re(`\b[Ss]trangers?\b`)},
	{Word: "stands", Say: "is, or is stored in", Prose: re(`\bstands\b`), Except: re(`\bstands\s+(in\s+)?for\b`)},
	{Word: "lies", Say: "is, or is stored in", Prose: re(`\blies\b`)},
	{Word: "luck", Say: "rng", Names: re(`\bluck\b`), Prose: re(`\bluck\b`)},
	{Word: "deal", Say: "candidates", Names: re(`\b(deal|deals|dealt|dealing)\b`)},
	{Word: "dive", Say: "diving heuristic", Names: re(`^(dive|dives)$`)},
	{Word: "diary", Say: "history", Names: re(`\bdiary\b`), Prose: re(`\b[Dd]iary\b`)},
	{Word: "weariness", Say: "repetition penalty", Names: re(`\bweariness\b`), Prose: re(`\b[Ww]eariness\b`)},
	{Word: "stray", Say: "unassigned", Names: re(`\bstrays?\b`), Prose: re(`\b[Ss]trays?\b`)},
	{Word: "misled", Say: "stale address", Names: re(`\bmisled\b`), Prose: re(`\b[Mm]isled\b`)},
	{Word: "outrun", Say: "stale epoch", Names: re(`\boutruns?\b`), Prose: re(`\b[Oo]utruns?\b`)},
	{Word: "departed", Say: "removed", Names: re(`\bdeparted\b`), Prose: re(`\b[Dd]eparted\b`)},
	{Word: "seed", Say: "the design document", Names: re(`^seed test$|\bseed document\b`),
		Prose:  re(`\b[Ss]eed's\b|\b[Tt]he\s+seed\b|\b[Ss]eed,\s+"|\b[Ss]eed\s+(section|document)\b`),
		Unless: re(`(?i)rand|\brng\b|shuffl|reproduc|fuzz|corpus|generator`)},
	{Word: "behavior", Say: "behaviour, except as a key of an API", Prose: re(`\bbehaviors?\b`), Except: re("[\"`./]behavior[\"`./]")},
	{Word: "cancelled", Say: "canceled, catalog, license, misspelled, program, or -ize", Names: otherSpelling, Prose: otherSpelling},
	{Word: "issue", Say: "the reason itself: an issue's number says nothing to a reader", Prose: re(`\b[Ii]ssue\s+#?\d+\b`)},
}

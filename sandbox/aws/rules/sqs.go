package rules

import (
	"encoding/json"
	"slices"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

const (
	queueType       = "aws:sqs/queue:Queue"
	queuePolicyType = "aws:sqs/queuePolicy:QueuePolicy"
)

const (
	queueNotFoundCode = "AWS.SimpleQueueService.NonExistentQueue"
	noFIFO            = "FIFO queues are not supported yet"
	noQueueKey        = "KMS keys of queues are not supported yet; use sqsManagedSseEnabled"
)

var (
	// toQueueURL is a reference to a queue. The deletion of the queue also deletes the
	// resource that has the reference.
	toQueueURL = &Ref{To: []string{queueType}, Noun: "queue", Missing: queueNotFoundCode, DeletedWith: true}
	// toQueueARN is the reference of an EventBridge target to its queue. It does not
	// prevent the deletion of the queue.
	toQueueARN = &Ref{To: []string{queueType}, By: []string{"arn"}, Noun: "queue", Missing: queueNotFoundCode}
)

var queueName = pattern(`[0-9A-Za-z_-]+`, "letters, digits, - and _")

var _ = registerRows(
	&Row{
		Token:  queueType,
		Source: "sqs/queue.go", Page: "AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html",
		Label: "SQS Queue", NotFound: queueNotFoundCode,
		NewID: func(c *Call) (string, error) { return c.expand("https://sqs.{region}.amazonaws.com/{account}/{name}") },
		// If all attributes are equal, AWS returns the existing queue. The stand-in always
		// returns an error, because two resources would own one queue.
		ExistsCode: "QueueAlreadyExists", ExistsText: "A queue already exists with the name {name}",
		Naming: &Naming{Prop: "name", PrefixProp: "namePrefix", Max: 80},
		Props: Props{
			"name":                         {Replace: true, Computed: true, Valid: all(length(1, 80), queueName)},
			"namePrefix":                   {Replace: true, Computed: true, Valid: all(length(1, 54), queueName)},
			"delaySeconds":                 {Default: 0.0, Valid: numbers(0, 900)},
			"maxMessageSize":               {Default: 262144.0, Valid: numbers(1024, 262144)},
			"messageRetentionSeconds":      {Default: 345600.0, Valid: numbers(60, 1209600)},
			"receiveWaitTimeSeconds":       {Default: 0.0, Valid: numbers(0, 20)},
			"visibilityTimeoutSeconds":     {Default: 30.0, Valid: numbers(0, 43200)},
			"sqsManagedSseEnabled":         {Computed: true},
			"policy":                       {Computed: true, Refuse: "use a QueuePolicy; each of the two overwrites the other"},
			"fifoQueue":                    {Replace: true, Refuse: noFIFO},
			"contentBasedDeduplication":    {Refuse: noFIFO},
			"deduplicationScope":           {Computed: true, Refuse: noFIFO},
			"fifoThroughputLimit":          {Computed: true, Refuse: noFIFO},
			"kmsMasterKeyId":               {Refuse: noQueueKey},
			"kmsDataKeyReusePeriodSeconds": {Computed: true, Refuse: noQueueKey},
			"redrivePolicy":                {Computed: true, Refuse: "dead-letter queues are not supported yet"},
			"redriveAllowPolicy":           {Computed: true, Refuse: "dead-letter queues are not supported yet"},
		},
		AtMostOne: [][]string{{"name", "namePrefix"}},
		Outputs:   map[string]string{"arn": "arn:{partition}:sqs:{region}:{account}:{name}", "url": "{id}"},
		Fill: func(c *Call) error {
			// SQS encrypts new queues
			// (AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-sqs-sse-queue.html).
			c.Out.setDefaults(map[string]any{"sqsManagedSseEnabled": true, "kmsDataKeyReusePeriodSeconds": 300.0})
			return nil
		},
	},
	&Row{
		Token:  queuePolicyType,
		Source: "sqs/queue_policy.go", Page: "AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html",
		Label: "SQS Queue Policy", ID: "{queueUrl}", NotFound: queueNotFoundCode, Put: true,
		Props: Props{
			"queueUrl": {Replace: true, Ref: toQueueURL},
			"policy":   {JSON: true, Valid: policyDocument(resourcePolicy, 0)},
		},
		Verify: func(c *Call) error {
			return c.verifyPrincipals("policy", "InvalidAttributeValue", "Invalid value for the parameter Policy: invalid principal")
		},
	},
)

// queueAccepts reports whether a statement of a queue's policy allows a service to send
// messages. sourceARN is the ARN of the object that sends. queueAccepts evaluates conditions on
// aws:SourceArn, and assumes that all other conditions are true. It ignores statements with the
// effect Deny.
func (c *Call) queueAccepts(queue store.Object, service, sourceARN string) bool {
	var policy string
	c.Tx.Each(c.scope(rows[queuePolicyType]), queuePolicyType, func(o store.Object) bool {
		if o.ID == queue.ID {
			policy = Object(o.State).String("policy")
		}
		return policy == ""
	})
	var doc struct{ Statement any }
	if json.Unmarshal([]byte(policy), &doc) != nil {
		return false
	}
	return slices.ContainsFunc(asList(doc.Statement), func(s any) bool {
		statement, _ := s.(map[string]any)
		principal, _ := statement["Principal"].(map[string]any)
		return statement["Effect"] == "Allow" && slices.Contains(asList(principal["Service"]), any(service)) &&
			matchesAny(statement["Action"], "sqs:SendMessage") && matchesAny(statement["Resource"], Object(queue.State).String("arn")) &&
			conditionHolds(statement["Condition"], "aws:SourceArn", sourceARN)
	})
}

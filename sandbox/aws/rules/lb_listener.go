package rules

import (
	"strings"
)

const (
	listenerType     = "aws:lb/listener:Listener"
	listenerRuleType = "aws:lb/listenerRule:ListenerRule"
)

// toListener is the reference of a rule to its listener. AWS deletes a listener together with
// its rules.
var toListener = &Ref{To: []string{listenerType}, Noun: "listener", Missing: "ListenerNotFound", DeletedWith: true}

// toCertificate is a reference to a certificate of ACM.
var toCertificate = &Ref{
	To: []string{certificateType}, By: []string{"arn"}, Noun: "certificate", Missing: "CertificateNotFound", InUseCode: "ResourceInUseException",
}

// tlsPolicies are the policies with TLS 1.3 that allow no TLS older than 1.2
// (elasticloadbalancing/latest/application/describe-ssl-policies.html). The tables of that
// page were not available, so the names are from public programs. The stand-in refuses the
// other policies and AWS's default, because they allow TLS 1.0 or lack TLS 1.3.
var tlsPolicies = []string{
	"ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-TLS13-1-2-Res-2021-06", "ELBSecurityPolicy-TLS13-1-3-2021-06",
	"ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09", "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09",
}

// listenerHeaderProps are the properties with which a listener changes HTTP headers.
var listenerHeaderProps = []string{
	"routingHttpRequestXAmznMtlsClientcertHeaderName", "routingHttpRequestXAmznMtlsClientcertIssuerHeaderName",
	"routingHttpRequestXAmznMtlsClientcertLeafHeaderName", "routingHttpRequestXAmznMtlsClientcertSerialNumberHeaderName",
	"routingHttpRequestXAmznMtlsClientcertSubjectHeaderName", "routingHttpRequestXAmznMtlsClientcertValidityHeaderName",
	"routingHttpRequestXAmznTlsCipherSuiteHeaderName", "routingHttpRequestXAmznTlsVersionHeaderName",
	"routingHttpResponseAccessControlAllowCredentialsHeaderValue", "routingHttpResponseAccessControlAllowHeadersHeaderValue",
	"routingHttpResponseAccessControlAllowMethodsHeaderValue", "routingHttpResponseAccessControlAllowOriginHeaderValue",
	"routingHttpResponseAccessControlExposeHeadersHeaderValue", "routingHttpResponseAccessControlMaxAgeHeaderValue",
	"routingHttpResponseContentSecurityPolicyHeaderValue", "routingHttpResponseServerEnabled",
	"routingHttpResponseStrictTransportSecurityHeaderValue", "routingHttpResponseXContentTypeOptionsHeaderValue",
	"routingHttpResponseXFrameOptionsHeaderValue",
}

var _ = registerRows(&Row{
	Token:  listenerType,
	Source: "elbv2/listener.go", Page: "elasticloadbalancing/latest/APIReference/API_CreateListener.html",
	Label: "ELBv2 Listener", NotFound: "ListenerNotFound",
	NewID: func(c *Call) (string, error) {
		return c.expand(strings.Replace(c.In.String("loadBalancerArn"), ":loadbalancer/", ":listener/", 1) + "/{hex16}")
	},
	Props: Props{
		"loadBalancerArn":       {Replace: true, Valid: checkARN, Ref: toLoadBalancer},
		"port":                  {Required: true},
		"protocol":              {Computed: true, Enum: []string{"HTTP", "HTTPS"}},
		"certificateArn":        {Valid: checkARN, Ref: toCertificate},
		"sslPolicy":             {Computed: true, Enum: tlsPolicies},
		"alpnPolicy":            {Refuse: networkLBOnly},
		"tcpIdleTimeoutSeconds": {Refuse: networkLBOnly},
		"mutualAuthentication":  {Computed: true, Refuse: "certificates of clients are not supported yet"},
	}.with(actionProps("defaultActions")).with(refusedProps("headers that the load balancer writes are not supported yet", "", listenerHeaderProps...)),
	Unique: []Unique{{
		Props: []string{"loadBalancerArn", "port"}, Code: "DuplicateListener", Message: "A listener already exists on port {port} for this load balancer '{loadBalancerArn}'",
	}},
	Outputs: map[string]string{"arn": "{id}"},
	Check: func(in Object, fail Fail) {
		checkActions(in, "defaultActions", fail)
		if in.Has("protocol") && !in.Known("protocol") {
			return // a preview does not have the protocol yet
		}
		isHTTPS := in.String("protocol") == "HTTPS"
		for name, reason := range map[string]string{
			"certificateArn": "a certificate must be specified for HTTPS listeners",
			"sslPolicy":      "must be given for HTTPS: AWS's default policy allows TLS 1.0",
		} {
			if isHTTPS && !in.Has(name) {
				fail(name, "%s", reason)
			} else if !isHTTPS && in.Has(name) {
				fail(name, "belongs to HTTPS listeners")
			}
		}
	},
	Verify: func(c *Call) error {
		if err := verifyRedirects(c.In, "defaultActions", c.In.String("protocol")); err != nil {
			return err
		}
		balancer, _ := c.referencedObject("loadBalancerArn")
		if region := regionOfARN(c.In.String("certificateArn")); region != "" && region != c.Region {
			return refuse("CertificateNotFound", "Certificate '%s' not found: it is not in %s", c.In.String("certificateArn"), c.Region)
		}
		return c.verifyForwards("defaultActions", balancer.State, balancer.ID)
	},
	Fill: func(c *Call) error {
		if !c.Out.Has("protocol") {
			c.Out["protocol"] = "HTTP"
		}
		if c.Out.String("protocol") == "HTTP" {
			delete(c.Out, "sslPolicy")
		}
		return nil
	},
})

// Quicgo is the peer that the interop tests talk to: quic-go behind a command line, as a server or as a client.
//
//	GO111MODULE=off GOPATH=/usr/share/gocode CGO_ENABLED=0 go build
//
// README.md beside this file has what it says and does. It tells the tests by lines on standard output; the exit code
// of a client is 0 only when all that was asked of it went well.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/lucas-clemente/quic-go"
)

// What both roles are told.
var (
	address     = flag.String("address", "127.0.0.1:0", "where to listen, or whom to connect to")
	certificate = flag.String("certificate", "", "our certificate chain, PEM")
	key         = flag.String("key", "", "its private key, PEM")
	authority   = flag.String("authority", "", "the CA to trust, PEM; a server that is given one demands a certificate")
	protocol    = flag.String("protocol", "interop", "application protocol")
	versions    = flag.String("versions", "v1", "versions of QUIC, preferred first: v1, v2draft, draft29")
	early       = flag.Bool("early", false, "client: send before the handshake is complete")
	p384        = flag.Bool("p384", false, "agree on keys with P-384 only")
	retry       = flag.Bool("retry", false, "server: make clients prove their address")
	do          = flag.String("do", "echo", "client: echo, unidirectional, datagrams, reset, stop, close or closed")
	sessions    = flag.Int("sessions", 1, "client: connections, one after the other; later ones resume")
	streams     = flag.Int("streams", 1, "client: streams for each connection")
	size        = flag.Int("size", 1000, "client: bytes for each stream")
	concurrent  = flag.Int("concurrent", 100, "client: streams at a time")
	pause       = flag.Duration("pause", 0, "client: time between the streams")
	code        = flag.Uint64("code", 0, "client: error code of reset, stop and close")
)

var printing sync.Mutex

// say is one line for the test.
func say(format string, arguments ...interface{}) {
	printing.Lock()
	defer printing.Unlock()
	fmt.Printf(format+"\n", arguments...)
}

func main() {
	flag.CommandLine.Usage = func() {
		fmt.Fprintln(os.Stderr, "Usage: quicgo server|client [OPTIONS]")
		flag.PrintDefaults()
	}
	if len(os.Args) < 2 {
		flag.Usage()
		os.Exit(2)
	}

	if err := flag.CommandLine.Parse(os.Args[2:]); err != nil {
		os.Exit(2)
	}

	var err error
	switch os.Args[1] {
	case "server":
		err = serve()
	case "client":
		err = connect()
	default:
		flag.Usage()
		os.Exit(2)
	}

	if err != nil {
		say("failed: %v", err)
		os.Exit(1)
	}
}

func tlsOptions() (*tls.Config, error) {
	options := &tls.Config{
		NextProtos: []string{*protocol},
		ServerName: "localhost",
		MinVersion: tls.VersionTLS13,
	}
	if *p384 {
		options.CurvePreferences = []tls.CurveID{tls.CurveP384}
	}

	if *certificate != "" {
		pair, err := tls.LoadX509KeyPair(*certificate, *key)
		if err != nil {
			return nil, err
		}

		options.Certificates = []tls.Certificate{pair}
	}

	if *authority != "" {
		pem, err := os.ReadFile(*authority)
		if err != nil {
			return nil, err
		}

		trusted := x509.NewCertPool()
		if !trusted.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s has no certificate", *authority)
		}

		options.RootCAs = trusted
		options.ClientCAs = trusted
	}

	return options, nil
}

func quicOptions() (*quic.Config, error) {
	options := &quic.Config{
		MaxIdleTimeout:        20 * time.Second,
		MaxIncomingStreams:    1000,
		MaxIncomingUniStreams: 1000,
		EnableDatagrams:       true,
	}
	for _, name := range strings.Split(*versions, ",") {
		switch name {
		case "v1":
			options.Versions = append(options.Versions, quic.Version1)
		case "v2draft":
			options.Versions = append(options.Versions, quic.Version2)
		case "draft29":
			options.Versions = append(options.Versions, quic.VersionDraft29)
		default:
			return nil, fmt.Errorf("%q is no version", name)
		}
	}

	return options, nil
}

func describe(connection quic.Connection) string {
	state := connection.ConnectionState().TLS
	name := "none"
	if len(state.PeerCertificates) > 0 {
		name = state.PeerCertificates[0].Subject.CommonName
	}

	return fmt.Sprintf("resumed=%v early=%v suite=%s peer=%q",
		state.DidResume, state.Used0RTT, tls.CipherSuiteName(state.CipherSuite), name)
}

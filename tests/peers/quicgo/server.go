package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"

	"github.com/lucas-clemente/quic-go"
)

func serve() error {
	tlsConfig, err := tlsOptions()
	if err != nil {
		return err
	}

	if *authority != "" {
		tlsConfig.ClientAuth = tls.RequireAndVerifyClientCert
	}

	quicConfig, err := quicOptions()
	if err != nil {
		return err
	}

	quicConfig.RequireAddressValidation = func(net.Addr) bool { return *retry }
	listener, err := quic.ListenAddrEarly(*address, tlsConfig, quicConfig)
	if err != nil {
		return err
	}

	say("listening %s", listener.Addr())
	for {
		connection, err := listener.Accept(context.Background())
		if err != nil {
			return err
		}

		go serveConnection(connection)
	}
}

func serveConnection(connection quic.EarlyConnection) {
	go func() {
		<-connection.HandshakeComplete().Done()
		say("connected %s", describe(connection))
	}()
	go echoDatagrams(connection)
	go func() {
		for {
			stream, err := connection.AcceptUniStream(context.Background())
			if err != nil {
				return
			}

			go echoUnidirectional(connection, stream)
		}
	}()
	for {
		stream, err := connection.AcceptStream(context.Background())
		if err != nil {
			say("closed: %v", err)
			return
		}

		go serveStream(connection, stream)
	}
}

// serveStream does what the first byte of a stream asks for.
func serveStream(connection quic.Connection, stream quic.Stream) {
	command := make([]byte, 1)
	if _, err := io.ReadFull(stream, command); err != nil {
		say("stream failed: %v", err)
		return
	}

	switch command[0] {
	case 'e': // echo the rest
		if _, err := io.Copy(stream, stream); err != nil {
			say("echo failed: %v", err)
		}

	case 'h': // hash the rest
		hash := sha256.New()
		if _, err := io.Copy(hash, stream); err != nil {
			say("hash failed: %v", err)
		}

		stream.Write(hash.Sum(nil))

	case 'r': // reset our side with the code that follows, then tell how the other ends
		stream.CancelWrite(quic.StreamErrorCode(readCode(stream)))
		_, err := io.Copy(io.Discard, stream)
		say("reset stream ended: %v", err)
		return

	case 's': // stop the other side with the code that follows, then tell how our writes end
		stream.CancelRead(quic.StreamErrorCode(readCode(stream)))
		var err error
		for err == nil {
			_, err = stream.Write(make([]byte, 1000))
		}

		say("stopping stream ended: %v", err)
		return

	case 'c': // close the connection with the code that follows
		connection.CloseWithError(quic.ApplicationErrorCode(readCode(stream)), "as asked")
		return

	case 'a': // from which address we see the client
		io.WriteString(stream, connection.RemoteAddr().String())
	}

	stream.Close()
}

func readCode(from io.Reader) uint64 {
	bytes := make([]byte, 8)
	if _, err := io.ReadFull(from, bytes); err != nil {
		say("no code: %v", err)
	}

	return binary.BigEndian.Uint64(bytes)
}

func echoUnidirectional(connection quic.Connection, in quic.ReceiveStream) {
	out, err := connection.OpenUniStreamSync(context.Background())
	if err == nil {
		_, err = io.Copy(out, in)
	}

	if err == nil {
		err = out.Close()
	}

	if err != nil {
		say("unidirectional echo failed: %v", err)
	}
}

func echoDatagrams(connection quic.Connection) {
	for {
		message, err := connection.ReceiveMessage()
		if err != nil {
			return
		}

		if err := connection.SendMessage(message); err != nil {
			say("datagram echo failed: %v", err)
		}
	}
}

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/lucas-clemente/quic-go"
)

const patience = 20 * time.Second

func connect() error {
	tlsConfig, err := tlsOptions()
	if err != nil {
		return err
	}

	quicConfig, err := quicOptions()
	if err != nil {
		return err
	}

	tlsConfig.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	quicConfig.TokenStore = quic.NewLRUTokenStore(4, 4)
	for session := 1; session <= *sessions; session++ {
		if err := runSession(tlsConfig, quicConfig); err != nil {
			return fmt.Errorf("session %d: %w", session, err)
		}
	}

	return nil
}

func runSession(tlsConfig *tls.Config, quicConfig *quic.Config) error {
	limited, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	connection, err := quic.DialAddrEarlyContext(limited, *address, tlsConfig, quicConfig)
	if err != nil {
		return err
	}

	if !*early {
		<-connection.HandshakeComplete().Done()
	}

	err = work(connection)
	if err == nil && (*do == "echo" || *do == "unidirectional") {
		<-connection.HandshakeComplete().Done()
		say("connected %s", describe(connection))
	}

	if *do == "close" {
		return connection.CloseWithError(quic.ApplicationErrorCode(*code), "as told")
	}

	connection.CloseWithError(0, "done")
	return err
}

func work(connection quic.EarlyConnection) error {
	switch *do {
	case "echo":
		return forEachStream(func() error { return echo(connection) })

	case "unidirectional":
		return forEachStream(func() error { return sendUnidirectional(connection) })

	case "datagrams":
		return sendDatagrams(connection)

	case "reset":
		return reset(connection)

	case "stop":
		return stop(connection)

	case "close":
		return echo(connection)

	case "closed":
		_, err := connection.AcceptStream(context.Background())
		var closed *quic.ApplicationError
		if !errors.As(err, &closed) {
			return fmt.Errorf("the connection ended otherwise: %w", err)
		}

		say("closed with %d %q remote=%v", closed.ErrorCode, closed.ErrorMessage, closed.Remote)
		return nil

	default:
		return fmt.Errorf("%q is nothing to do", *do)
	}
}

func forEachStream(one func() error) error {
	slots := make(chan struct{}, *concurrent)
	failures := make(chan error, *streams)
	var running sync.WaitGroup
	for i := 0; i < *streams; i++ {
		if i > 0 {
			time.Sleep(*pause)
		}

		slots <- struct{}{}
		running.Add(1)
		go func() {
			defer running.Done()
			if err := one(); err != nil {
				failures <- err
			}

			<-slots
		}()
	}

	running.Wait()
	close(failures)
	return <-failures
}

func randomBytes() []byte {
	data := make([]byte, *size)
	rand.Read(data)
	return data
}

func echo(connection quic.Connection) error {
	stream, err := connection.OpenStreamSync(context.Background())
	if err != nil {
		return err
	}

	sent := randomBytes()
	writing := make(chan error, 1)
	go func() {
		_, err := stream.Write(sent)
		if err == nil {
			err = stream.Close()
		}

		writing <- err
	}()
	received, err := io.ReadAll(stream)
	if err == nil {
		err = <-writing
	}

	if err == nil && !bytes.Equal(sent, received) {
		err = fmt.Errorf("sent %d bytes, got other %d back", len(sent), len(received))
	}

	return err
}

func sendUnidirectional(connection quic.Connection) error {
	out, err := connection.OpenUniStreamSync(context.Background())
	if err != nil {
		return err
	}

	if _, err := out.Write(randomBytes()); err != nil {
		return err
	}

	if err := out.Close(); err != nil {
		return err
	}

	in, err := connection.AcceptUniStream(context.Background())
	if err != nil {
		return err
	}

	received, err := io.ReadAll(in)
	if err == nil && len(received) != *size {
		err = fmt.Errorf("sent %d bytes, got %d back", *size, len(received))
	}

	return err
}

// sendDatagrams counts how many of them come back.
func sendDatagrams(connection quic.Connection) error {
	if !connection.ConnectionState().SupportsDatagrams {
		return errors.New("the peer takes no datagrams")
	}

	back := 0
	for i := 0; i < *streams; i++ {
		sent := randomBytes()
		if err := connection.SendMessage(sent); err != nil {
			return err
		}

		received, err := connection.ReceiveMessage()
		if err != nil {
			return err
		}

		if bytes.Equal(sent, received) {
			back++
		}
	}

	say("datagrams back: %d", back)
	return nil
}

// reset gives up writing, and expects the peer to do so as well.
func reset(connection quic.Connection) error {
	stream, err := connection.OpenStreamSync(context.Background())
	if err != nil {
		return err
	}

	if _, err := stream.Write([]byte("r")); err != nil {
		return err
	}

	stream.CancelWrite(quic.StreamErrorCode(*code))
	_, err = io.ReadAll(stream)
	return tellCode("reset", err)
}

// stop gives up reading, and expects the peer to do so as well.
func stop(connection quic.Connection) error {
	stream, err := connection.OpenStreamSync(context.Background())
	if err != nil {
		return err
	}

	if _, err := stream.Write([]byte("s")); err != nil {
		return err
	}

	stream.CancelRead(quic.StreamErrorCode(*code))
	for err == nil {
		_, err = stream.Write(make([]byte, 1000))
	}

	return tellCode("stopped", err)
}

func tellCode(what string, err error) error {
	var stream *quic.StreamError
	if !errors.As(err, &stream) {
		return fmt.Errorf("the stream ended otherwise: %w", err)
	}

	say("%s with %d", what, stream.ErrorCode)
	return nil
}

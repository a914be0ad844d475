using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Datagrams;
using Post.Quic.Engine.Diagnostics;
using Post.Quic.Engine.Endpoint;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine;

/// <content>What the core tells, under the gate and in the middle of its work: nothing here calls it back.</content>
public sealed partial class QuicConnection : IConnectionEvents
{
    void IConnectionEvents.OnClientHello(in ClientHelloInfo info)
    {
        TargetHostName = info.ServerName;
        ThreadPool.UnsafeQueueUserWorkItem(
            static state => _ = state.Connection.ChooseOptionsAsync(state.Hello), (Connection: this, Hello: info), preferLocal: false);
    }

    void IConnectionEvents.OnCertificateToValidate(CertificateValidationRequest request) =>
        ThreadPool.UnsafeQueueUserWorkItem(
            static state => state.Connection.Judge(state.Request), (Connection: this, Request: request), preferLocal: false);

    void IConnectionEvents.OnHandshakeComplete()
    {
        TakeWhatWasAgreed();
        long duration = Driver.Core.GetStatistics().HandshakeDuration;
        _metrics.Opened(Driver.Now, duration);
        EngineLog.ConnectionOpened(
            _host.Logger,
            _firstId,
            NetworkAddress.FromEndPoint(LocalEndPoint),
            NetworkAddress.FromEndPoint(RemoteEndPoint),
            Driver.Core.Version,
            NegotiatedApplicationProtocol.ToString(),
            TimeSpan.FromMicroseconds(duration).TotalMilliseconds);
        EndHandshake();
        _awaitsVerdict = Driver.Core.Tls is TlsClient { WasAskedForCertificate: true };
        _handshake.TrySetResult();
        _events.Note(new ConnectionEvent(ConnectionEventKind.HandshakeComplete));
        OfferToListener();
    }

    void IConnectionEvents.OnHandshakeConfirmed()
    {
        _ids.ReleaseChosen();
        _confirmed.TrySetResult();
        if (_listener is not null)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static connection => connection.GiveToken(), this, preferLocal: false);
        }
    }

    void IConnectionEvents.OnEarlyDataDecided(bool accepted)
    {
        _events.Note(new ConnectionEvent(ConnectionEventKind.EarlyDataDecided, Flag: accepted));
        if (accepted && !IsClient)
        {
            // Early data saves its round trip only if somebody is there to read it.
            TakeWhatWasAgreed();
            OfferToListener();
        }
    }

    void IConnectionEvents.OnDatagramReceived(ReadOnlySpan<byte> data, bool isEarlyData, long arrivedAt) =>
        _datagrams.OnReceived(data, isEarlyData, arrivedAt);

    void IDatagramEvents.OnDatagramState(ulong number, DatagramState state) => _datagrams.OnState(number, state);

    void IConnectionEvents.OnMaxDatagramSize(int size)
    {
        MaxDatagramSize = size;
        _events.Note(new ConnectionEvent(ConnectionEventKind.MaxDatagramSizeChanged, Number: size));
    }

    void IConnectionEvents.OnResetTokenAdded(in NetworkAddress remote, in StatelessResetToken token) =>
        _host.Router.AddResetToken(remote, token, this);

    void IConnectionEvents.OnResetTokenRemoved(in NetworkAddress remote, in StatelessResetToken token) =>
        _host.Router.RemoveResetToken(remote, token);

    void IConnectionEvents.OnSessionTicket(TlsSessionTicket ticket) =>
        _events.Note(new ConnectionEvent(
            ConnectionEventKind.SessionTicket, Subject: new QuicSessionTicket(ticket, _addressToken, RemoteEndPoint)));

    void IConnectionEvents.OnNewToken(ReadOnlySpan<byte> token) => _addressToken = token.ToArray();

    void IConnectionEvents.OnClosed(in ConnectionCloseInfo info)
    {
        _closeInfo = info;
        _refusal = Driver.IsSetUp ? Driver.Core.Tls.Refusal : null;
        EndHandshake();
        QuicException reason = ToException(info);
        _metrics.Closed(Driver.Now, info);
        if (_handshake.Task.IsCompletedSuccessfully)
        {
            EngineLog.ConnectionClosed(_host.Logger, _firstId, info);
        }
        else
        {
            EngineLog.HandshakeFailed(_host.Logger, _firstId, NetworkAddress.FromEndPoint(RemoteEndPoint), info);
        }

        _handshake.TrySetException(reason);
        _confirmed.TrySetException(reason);
        if (info is { Source: CloseSource.Local, IsApplication: true })
        {
            _closed.TrySetResult();
        }
        else
        {
            _closed.TrySetException(reason);
        }

        // Nobody has to look at these; unobserved, they are no errors of the process.
        _ = _handshake.Task.Exception;
        _ = _confirmed.Task.Exception;
        _ = _closed.Task.Exception;
        Fail(_acceptWaiters, info);
        Fail(_openBidirectionalWaiters, info);
        Fail(_openUnidirectionalWaiters, info);
        EndPathOperations(info);
        _datagrams.OnClosed(reason);
        foreach (QuicStream stream in _streams)
        {
            stream.OnConnectionClosed(info);
        }

        _streams.Clear();
        _events.Note(new ConnectionEvent(ConnectionEventKind.Closed, Subject: reason));
    }

    void IConnectionEvents.OnDrained()
    {
        Driver.OnDrained();
        _metrics.Retire(Driver.Core.GetStatistics());
        if (_trace is { } trace)
        {
            trace.Complete();
            ThreadPool.UnsafeQueueUserWorkItem(static finished => _ = finished.DisposeAsync().AsTask(), trace, preferLocal: false);
        }

        _ids.Clear();
        _sockets.Clear();
        _host.Release();
    }

    void IStreamEvents.OnStreamReadable(StreamState stream) => (stream.Tag as QuicStream)?.OnReadable();

    void IStreamEvents.OnStreamSent(StreamState stream) => (stream.Tag as QuicStream)?.OnSent();

    void IStreamEvents.OnStreamWritable(StreamState stream) => (stream.Tag as QuicStream)?.OnWritable();

    void IStreamEvents.OnStreamSendSettled(StreamState stream) => (stream.Tag as QuicStream)?.OnSendSettled();

    void IStreamEvents.OnStopSending(StreamState stream, ulong errorCode) =>
        (stream.Tag as QuicStream)?.OnStopSending((long)errorCode);

    void IStreamEvents.OnStreamClosed(StreamState stream) => (stream.Tag as QuicStream)?.OnForgotten();

    void IStreamEvents.OnStreamRejected(StreamState stream) => (stream.Tag as QuicStream)?.OnRejected();

    void IStreamEvents.OnStreamsToAccept(bool bidirectional)
    {
        while (_acceptWaiters.TryPeek(out TaskCompletionSource<QuicStream>? waiter))
        {
            if (!waiter.Task.IsCompleted)
            {
                if (TryAcceptStream() is not { } accepted)
                {
                    return;
                }

                if (!waiter.TrySetResult(accepted))
                {
                    // Canceled between the two: the next one who waits, or asks, gets it.
                    _unclaimed.Enqueue(accepted);
                }
            }

            _acceptWaiters.Dequeue();
        }
    }

    void IStreamEvents.OnStreamCredit(bool bidirectional)
    {
        Queue<TaskCompletionSource<QuicStream>> waiters = OpenWaiters(bidirectional);
        while (waiters.TryPeek(out TaskCompletionSource<QuicStream>? waiter))
        {
            if (!waiter.Task.IsCompleted)
            {
                if (TryOpen(bidirectional) is not { } opened)
                {
                    return;
                }

                if (!waiter.TrySetResult(opened))
                {
                    opened.Abandon();
                }
            }

            waiters.Dequeue();
        }
    }

    private void Fail(Queue<TaskCompletionSource<QuicStream>> waiters, in ConnectionCloseInfo info)
    {
        while (waiters.TryDequeue(out TaskCompletionSource<QuicStream>? waiter))
        {
            waiter.TrySetException(ToException(info));
        }
    }

    private void TakeWhatWasAgreed()
    {
        TlsSession tls = Driver.Core.Tls;
        NegotiatedApplicationProtocol = tls.ApplicationProtocol;
        NegotiatedCipherSuite = (System.Net.Security.TlsCipherSuite)tls.CipherSuite;
        NegotiatedKeyExchangeGroup = (QuicKeyExchangeGroup)tls.Group;
        TakePeer(tls.Peer);
        IsResumed = tls.IsResumed;
        NegotiatedVersion = (int)Driver.Core.Version;
    }

    private void TakePeer(PeerCredential? peer)
    {
        RemoteCertificate = peer?.Certificate;
        RemotePublicKey = QuicPublicKey.Of(peer?.RawKey);
    }

    private void OfferToListener()
    {
        if (_listener is null || _wasOffered)
        {
            return;
        }

        _wasOffered = true;
        if (!_listener.TryOffer(this))
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                static connection =>
                {
                    connection.Refuse("too many connections wait to be accepted");
                    connection.Driver.Wake();
                },
                this,
                preferLocal: false);
        }
    }

    private void EndHandshake()
    {
        if (_countsAsHandshake)
        {
            _countsAsHandshake = false;
            _host.HandshakeEnded();
        }
    }

    private void GiveToken()
    {
        Span<byte> token = stackalloc byte[TokenSealer.MaxTokenLength];
        lock (Driver.Gate)
        {
            if (_closeInfo is not null)
            {
                return;
            }

            int length = _host.SealNewToken(NetworkAddress.FromEndPoint(RemoteEndPoint), token);
            Driver.Core.SendNewToken(token[..length]);
        }

        Driver.Wake();
    }
}

using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;
using Post.Quic.Engine.Wire.Parameters;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// Ties TLS to the connection (RFC 9001 section 4): its bytes go into CRYPTO frames, its secrets become keys, keys go
/// when they are no longer needed, and its outcome moves the connection on.
/// </summary>
internal sealed class HandshakeHost : ITlsHost
{
    private readonly ConnectionState _state;
    private bool _earlyDataAccepted;
    private bool _earlyDataGivenUp;
    private byte[] _ownParameters = [];

    public HandshakeHost(ConnectionState state)
    {
        _state = state;
    }

    private TlsSession Tls => _state.Tls;

    /// <summary>Begins; a second time with another version, and so with other parameters.</summary>
    public void Start(long now)
    {
        _ownParameters = [];
        Check(Tls.Start(now), now);
    }

    /// <summary>Takes in handshake bytes of the peer's.</summary>
    public TransportError Receive(EncryptionLevel level, in CryptoFrame frame, long now)
    {
        _state.Version.Settle();
        TransportError error = _state.Crypto.Receive(level, frame, Tls, now);
        return error.IsError ? error : CheckLeftOver();
    }

    public void ProvideOptions(TlsServerOptions options, long now)
    {
        if (Tls is TlsServer server && !_state.IsOver)
        {
            ChooseVersion();
            Check(server.ProvideOptions(options, now), now);
        }
    }

    public void CompleteCertificateValidation(in CertificateValidationResult result, long now)
    {
        if (!_state.IsOver)
        {
            Check(Tls.CompleteCertificateValidation(result, now), now);
        }
    }

    void ITlsHost.OnHandshakeData(EncryptionLevel level, ReadOnlySpan<byte> data) => _state.Crypto.Send(level, data);

    void ITlsHost.OnSecret(EncryptionLevel level, KeyDirection direction, CipherSuite suite, ReadOnlySpan<byte> secret)
    {
        // RFC 9369 section 4.1: 0-RTT stays in the version of the first flight, the rest is in the negotiated one.
        if (_state.Keys.IsDiscarded(level))
        {
            return;
        }

        QuicVersion version = level == EncryptionLevel.EarlyData ? _state.Version.Original : _state.Version.Current;
        _state.Keys.Install(level, version, direction, suite, secret);
        _state.Trace?.KeysChanged(_state.Now, level, discarded: false, generation: 0);
        if (level == EncryptionLevel.Handshake)
        {
            _state.Paths.First.Recovery.OnHandshakeKeys(_state.Now);
        }

        if (direction == KeyDirection.Receive)
        {
            _state.HasNewReceiveKeys = true;
        }

        if (level == EncryptionLevel.EarlyData && !_state.IsServer)
        {
            _state.Parameters.UseRemembered();
        }

        if (level == EncryptionLevel.Application && direction == KeyDirection.Send && !_state.IsServer)
        {
            // RFC 9001 section 4.9.3: a client sends no more 0-RTT once it has 1-RTT keys.
            _ = _state.Keys.Discard(EncryptionLevel.EarlyData);
        }
    }

    TransportError ITlsHost.OnPeerTransportParameters(ReadOnlySpan<byte> extension)
    {
        TransportError error = TransportParametersReader.TryParse(extension, !_state.IsServer, out TransportParameters? peer);
        if (error.IsError)
        {
            return error;
        }

        _state.Trace?.ParametersSet(_state.Now, ours: false, extension);

        // RFC 9000 section 7.3: the ids that TLS authenticates are those that the packets showed.
        error = _state.IsServer
            ? peer!.CheckConnectionIds(_state.PeerInitialSource, null, null)
            : peer!.CheckConnectionIds(_state.PeerInitialSource, _state.OriginalDestination, _state.RetrySource);
        if (error.IsError)
        {
            return error;
        }

        if (_state.IsServer)
        {
            return ApplyAsServer(peer);
        }

        error = _state.Version.CheckAsClient(peer.VersionInformation);
        if (!error.IsError && _earlyDataAccepted)
        {
            error = CheckRemembered(peer);
        }

        return error.IsError ? error : _state.Parameters.Apply(peer);
    }

    void ITlsHost.WriteTransportParameters(ref WireWriter writer)
    {
        // RFC 8446 section 4.1.2: a second ClientHello repeats the first, the random parts of this included.
        if (_ownParameters.Length == 0)
        {
            Span<byte> buffer = stackalloc byte[TransportParametersWriter.MaxLength];
            var once = new WireWriter(buffer);
            TransportParametersWriter.Write(ref once, _state.Parameters.CreateOwn(), _state.Random);
            _ownParameters = once.Written.ToArray();
            _state.Trace?.ParametersSet(_state.Now, ours: true, _ownParameters);
        }

        writer.WriteBytes(_ownParameters);
    }

    void ITlsHost.OnClientHello(in ClientHelloInfo info) => _state.Events.OnClientHello(info);

    void ITlsHost.OnEarlyDataDecision(bool accepted)
    {
        _earlyDataAccepted = accepted;
        if (_state.IsServer)
        {
            if (!accepted)
            {
                _ = _state.Keys.Discard(EncryptionLevel.EarlyData);
                _state.Waiting.Discard(EncryptionLevel.EarlyData);
            }
        }
        else if (_earlyDataGivenUp)
        {
            // All that was sent early has been undone and told of already; under the second hello nothing was.
            return;
        }
        else if (!accepted)
        {
            _state.FirstFlight.RejectEarlyData(_state.Now);
            if (_state.Parameters.AreKnown)
            {
                _state.Streams.ApplyPeerCredits(ParameterFactory.Credits(_state.Peer));
            }
        }

        _state.Events.OnEarlyDataDecided(accepted);
    }

    /// <summary>Client: the handshake begins anew in another version, and what went out early was never received.</summary>
    public void GiveUpEarlyData(long now)
    {
        _state.FirstFlight.RejectEarlyData(now);
        if (_state.Parameters.Remembered is not null && !_earlyDataGivenUp)
        {
            _earlyDataGivenUp = true;
            _state.Events.OnEarlyDataDecided(accepted: false);
        }
    }

    void ITlsHost.OnHandshakeComplete()
    {
        _state.IsHandshakeComplete = true;
        _state.Trace?.VersionChosen(_state.Now, _state.Version.Current);
        _state.Trace?.AlpnChosen(_state.Now, _state.Tls.ApplicationProtocol.Protocol.Span);
        _state.HandshakeDuration = _state.Now - _state.CreatedAt;
        _state.Lifecycle.OnHandshakeComplete();
        _state.Timers.Stop(TimerId.Handshake);
        _state.Paths.First.LocalIds.Fill(_state.Peer.ActiveConnectionIdLimit);
        _state.Multipath.OnHandshakeComplete();
        _state.Events.OnHandshakeComplete();
        if (_state.IsServer)
        {
            // RFC 9001 section 4.1.2: for a server the handshake is confirmed when it is complete, and it says so.
            _state.HandshakeDoneToSend = true;
            Confirm();

            // RFC 9001 section 4.9.3: a server may keep 0-RTT keys a while for packets that were overtaken.
            _state.Timers.Set(TimerId.KeyDiscard, _state.Now + (3 * _state.Paths.ProbeTimeoutPeriod));
        }
    }

    void ITlsHost.OnSessionTicket(TlsSessionTicket ticket) => _state.Events.OnSessionTicket(ticket);

    void ITlsHost.OnCertificateToValidate(CertificateValidationRequest request) =>
        _state.Events.OnCertificateToValidate(request);

    /// <summary>The handshake is confirmed (RFC 9001 section 4.1.2).</summary>
    public void Confirm()
    {
        if (_state.IsHandshakeConfirmed)
        {
            return;
        }

        _state.IsHandshakeConfirmed = true;

        // RFC 9001 section 4.9.2: Handshake keys go when the handshake is confirmed.
        _state.DiscardLevel(EncryptionLevel.Initial);
        _state.DiscardLevel(EncryptionLevel.Handshake);
        _state.Paths.First.Recovery.OnHandshakeConfirmed(_state.Now);
        _state.Events.OnHandshakeConfirmed();
    }

    private TransportError ApplyAsServer(TransportParameters peer)
    {
        TransportError error = _state.Version.TakeOffer(peer.VersionInformation);
        return error.IsError ? error : _state.Parameters.Apply(peer);
    }

    private void ChooseVersion()
    {
        QuicVersion before = _state.Version.Current;
        _state.Version.ChooseAsServer(_state.Settings.Versions);
        if (_state.Version.Current != before)
        {
            // RFC 9369 section 4.1: all that carries CRYPTO frames is in the negotiated version; an acknowledgement may have gone before.
            _state.Keys.ChangeInitialVersion(_state.Version.Current, _state.InitialKeyId, isClient: false);
        }
    }

    private TransportError CheckRemembered(TransportParameters peer) =>
        _state.Parameters.Remembered is { } remembered ? remembered.CheckAccepted(peer) : TransportError.None;

    /// <summary>RFC 9001 section 4.1.3: nothing of a level may be left over once the next level's keys are in use.</summary>
    private TransportError CheckLeftOver()
    {
        bool leftOver =
            (_state.Keys.CanReceive(EncryptionLevel.Handshake) && HasLeftOver(EncryptionLevel.Initial))
            || (_state.Keys.CanReceive(EncryptionLevel.Application) && HasLeftOver(EncryptionLevel.Handshake));
        return leftOver
            ? new TransportError(TransportErrorCode.ProtocolViolation, "CRYPTO data left over at the change of keys")
            : TransportError.None;
    }

    private bool HasLeftOver(EncryptionLevel level) =>
        _state.Crypto.HasUnread(level) || Tls.HasPartialMessage(level);

    private void Check(in TransportError error, long now)
    {
        if (error.IsError)
        {
            _state.Lifecycle.Fail(error, now);
        }
    }
}

using System.Net.Security;
using System.Security.Cryptography;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Tls.Keys;
using Post.Quic.Engine.Tls.Messages;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls;

/// <summary>
/// One side of a TLS 1.3 handshake as QUIC uses it (RFC 9001 section 4): handshake bytes in, handshake bytes and
/// secrets out. It does no I/O and reads no clock. This class has what both sides share: the pace of the messages, the
/// peer's credential, the secrets.
/// </summary>
internal abstract class TlsSession : IDisposable
{
    private readonly HandshakeAssembler _assembler = new();
    private readonly TlsClock _clock;
    private SecretBuffer? _exporterSecret;
    private CertificateValidationResult? _validation;
    private TransportError _failure;
    private bool _isProcessing;
    private bool _awaitsValidation;
    private bool _isDisposed;

    private protected TlsSession(ITlsHost host, RandomSource random, TlsClock clock)
    {
        Host = host;
        Random = random;
        _clock = clock;
    }

    /// <summary>The protocol both agreed on; empty before EncryptedExtensions.</summary>
    public SslApplicationProtocol ApplicationProtocol { get; private protected set; }

    public CipherSuite CipherSuite { get; private protected set; }

    public NamedGroup Group { get; private protected set; }

    /// <summary>The host name the client asked for; empty when it asked for none.</summary>
    public string ServerName { get; private protected set; } = string.Empty;

    /// <summary>What the peer proved itself with, in this session or in the one that it resumes.</summary>
    public PeerCredential? Peer { get; private protected set; }

    public bool IsResumed { get; private protected set; }

    public bool EarlyDataAccepted { get; private protected set; }

    /// <summary>A HelloRetryRequest cost a round trip.</summary>
    public bool IsRetried { get; private protected set; }

    public bool IsComplete { get; private protected set; }

    /// <summary>A certificate's validation, or the server's options, are being waited for.</summary>
    public virtual bool IsWaiting => _awaitsValidation;

    private protected ITlsHost Host { get; }

    private protected RandomSource Random { get; }

    private protected Transcript Transcript { get; } = new();

    private protected MessageWriter Writer { get; } = new();

    private protected KeySchedule? Schedule { get; set; }

    private protected KeyLog? KeyLog { get; set; }

    /// <summary>The level whose CRYPTO bytes are awaited.</summary>
    private protected EncryptionLevel ReadLevel { get; private set; } = EncryptionLevel.Initial;

    /// <summary>Client: writes the ClientHello. Server: nothing to do.</summary>
    public abstract TransportError Start(long now);

    /// <summary>Takes the next bytes of the CRYPTO stream of a level, in order, in pieces of any size.</summary>
    public TransportError Receive(EncryptionLevel level, ReadOnlySpan<byte> data, long now)
    {
        if (_failure.IsError || data.IsEmpty)
        {
            return _failure;
        }

        // RFC 9001 section 4.1.3: bytes of a level that is over, or has not begun, are a PROTOCOL_VIOLATION.
        if (level != ReadLevel)
        {
            return Fail(TlsError.Violation("Handshake bytes came in the wrong encryption level."));
        }

        TransportError error = _assembler.Append(data);
        return error.IsError ? Fail(error) : Process(now);
    }

    /// <summary>
    /// Bytes of that level wait for the rest of their message. RFC 9001 section 4.1.3: left over when the next level's
    /// keys are in use, they are a PROTOCOL_VIOLATION.
    /// </summary>
    public bool HasPartialMessage(EncryptionLevel level) => level == ReadLevel && !_assembler.IsEmpty;

    /// <summary>Why the peer's certificate was refused on this side, if it was.</summary>
    public CertificateValidationResult? Refusal { get; private set; }

    /// <summary>Answers <see cref="ITlsHost.OnCertificateToValidate"/>, also from within it.</summary>
    public TransportError CompleteCertificateValidation(in CertificateValidationResult result, long now)
    {
        if (_failure.IsError || !_awaitsValidation || _validation is not null)
        {
            return _failure;
        }

        _validation = result;
        return Process(now);
    }

    /// <summary>Keying material for the application (RFC 8446 section 7.5), once the handshake is complete.</summary>
    /// <exception cref="InvalidOperationException">The handshake is not complete.</exception>
    public void Export(ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, Span<byte> output)
    {
        if (!IsComplete || _exporterSecret is null || Schedule is null)
        {
            throw new InvalidOperationException("Keying material can be exported once the handshake is complete.");
        }

        Schedule.Export(_exporterSecret.Span, label, context, output);
    }

    /// <summary>Gives up what only a handshake needs; tickets may still come, and keying material be exported.</summary>
    public void Rest()
    {
        if (IsComplete)
        {
            Transcript.Dispose();
            Writer.Release();
            _assembler.Release();
        }
    }

    public void Dispose()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            Dispose(true);
        }

        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        Transcript.Dispose();
        Schedule?.Dispose();
        _exporterSecret?.Dispose();
    }

    /// <summary>Whether the state allows this message: asked with its header, before its body is awaited.</summary>
    private protected abstract bool Expects(HandshakeType type);

    private protected abstract TransportError Handle(HandshakeType type, ReadOnlySpan<byte> message, long now);

    /// <summary>Carries on with an answer that has come from outside.</summary>
    private protected abstract TransportError Resume(long now);

    /// <summary>The peer's certificate is accepted.</summary>
    private protected abstract void OnPeerAccepted();

    private protected DateTimeOffset At(long now) => _clock.At(now);

    private protected TransportError Fail(TransportError error)
    {
        if (!_failure.IsError)
        {
            _failure = error;
        }

        return _failure;
    }

    /// <summary>Handles what waits, as far as the state allows. An answer given from within a callback returns at once.</summary>
    private protected TransportError Process(long now)
    {
        if (_isProcessing || _failure.IsError)
        {
            return _failure;
        }

        _isProcessing = true;
        try
        {
            TransportError error = default;
            for (bool more = true; more && !error.IsError;)
            {
                error = Step(now, out more);
            }

            return error.IsError ? Fail(error) : default;
        }
        catch (CryptographicException)
        {
            // A key of ours that the platform cannot use is our trouble, not the peer's fault.
            return Fail(TlsError.Alert(TlsAlert.InternalError, "A cryptographic operation failed."));
        }
        finally
        {
            _isProcessing = false;
        }
    }

    /// <summary>From now on the CRYPTO bytes of that level are read.</summary>
    private protected TransportError EnterReadLevel(EncryptionLevel level)
    {
        // RFC 9001 section 4.1.3: no message may span a change of keys.
        if (!_assembler.IsEmpty)
        {
            return TlsError.Violation("Handshake bytes are left over when the keys change.");
        }

        ReadLevel = level;
        return default;
    }

    private protected void Send(EncryptionLevel level, ReadOnlySpan<byte> message)
    {
        Transcript.Add(message);
        Host.OnHandshakeData(level, message);
    }

    /// <summary>Reads what the peer shows; nothing where it shows nothing.</summary>
    private protected static TransportError ReadCertificates(
        ReadOnlySpan<byte> message, CertificateType type, CryptoProvider provider, out PeerCredential? peer)
    {
        peer = null;
        TransportError error = CertificateMessage.Parse(message, out List<byte[]> entries);
        return error.IsError ? error : PeerCredentialParser.Parse(type, entries, provider, out peer);
    }

    private protected void AwaitValidation(
        CertificatePolicy policy, PeerCredential peer, string expectedHost, long now)
    {
        Peer = peer;
        _awaitsValidation = true;
        var request = new CertificateValidationRequest(policy, peer, expectedHost, At(now));
        if (request.IsQuick)
        {
            _validation = request.Validate();
        }
        else
        {
            Host.OnCertificateToValidate(request);
        }
    }

    /// <summary>Checks the peer's Finished (RFC 8446 section 4.4.4) against the transcript before it.</summary>
    private protected TransportError CheckFinished(ReadOnlySpan<byte> message, SecretBuffer baseKey)
    {
        ReadOnlySpan<byte> received = message[HandshakeAssembler.HeaderLength..];
        if (received.Length != Schedule!.HashLength)
        {
            return TlsError.Decode("The Finished has the wrong length.");
        }

        Span<byte> mac = stackalloc byte[CipherSuiteExtensions.MaxHashLength];
        mac = mac[..Schedule.HashLength];
        FinishedMac(baseKey, mac);
        return CryptographicOperations.FixedTimeEquals(mac, received)
            ? default
            : TlsError.Alert(TlsAlert.DecryptError, "The Finished is wrong.");
    }

    private protected void SendFinished(SecretBuffer baseKey)
    {
        Span<byte> mac = stackalloc byte[CipherSuiteExtensions.MaxHashLength];
        mac = mac[..Schedule!.HashLength];
        FinishedMac(baseKey, mac);
        Writer.Clear();
        int mark = Writer.BeginMessage(HandshakeType.Finished);
        Writer.WriteBytes(mac);
        Send(EncryptionLevel.Handshake, Writer.EndMessage(mark));
    }

    /// <summary>Derives a secret of the current stage from the transcript so far, and logs it.</summary>
    private protected SecretBuffer DeriveFromTranscript(ReadOnlySpan<byte> label, string logLabel)
    {
        Span<byte> hash = stackalloc byte[CipherSuiteExtensions.MaxHashLength];
        SecretBuffer secret = Schedule!.Derive(label, hash[..Transcript.Current(hash)]);
        if (logLabel.Length != 0)
        {
            KeyLog?.Add(logLabel, secret.Span);
        }

        return secret;
    }

    /// <summary>Moves to the master secret and derives what hangs on the transcript up to the server's Finished.</summary>
    private protected void EnterMaster(out SecretBuffer clientSecret, out SecretBuffer serverSecret)
    {
        Schedule!.EnterMaster();
        clientSecret = DeriveFromTranscript("c ap traffic"u8, "CLIENT_TRAFFIC_SECRET_0");
        serverSecret = DeriveFromTranscript("s ap traffic"u8, "SERVER_TRAFFIC_SECRET_0");
        _exporterSecret = DeriveFromTranscript("exp master"u8, "EXPORTER_SECRET");
    }

    private TransportError Step(long now, out bool more)
    {
        more = true;
        if (_validation is { } verdict)
        {
            _validation = null;
            _awaitsValidation = false;
            if (!verdict.Accepted)
            {
                Refusal = verdict;
                return TransportError.FromAlert(verdict.Alert, verdict.Reason);
            }

            OnPeerAccepted();
            return default;
        }

        if (IsWaiting)
        {
            more = false;
            return default;
        }

        TransportError error = Resume(now);
        if (error.IsError || IsWaiting)
        {
            return error;
        }

        if (!_assembler.TryPeek(out HandshakeType type, out int length))
        {
            more = false;
            return default;
        }

        if (!Expects(type))
        {
            return Unexpected(type);
        }

        if (length > Limits.MaxTlsMessage)
        {
            return TlsError.Decode("A handshake message is too long.");
        }

        more = _assembler.TryTake(length, out ReadOnlySpan<byte> message);
        return more ? Handle(type, message, now) : default;
    }

    private TransportError Unexpected(HandshakeType type) => type switch
    {
        // RFC 9001 section 6: keys are updated by QUIC's own means. Section 8.3: QUIC has no EndOfEarlyData.
        HandshakeType.KeyUpdate => TlsError.Unexpected("QUIC has no KeyUpdate message."),
        HandshakeType.EndOfEarlyData => TlsError.Unexpected("QUIC has no EndOfEarlyData message."),

        // RFC 9001 section 4.4: a client takes no request for authentication after the handshake.
        HandshakeType.CertificateRequest when IsComplete && this is TlsClient =>
            TlsError.Violation("QUIC has no authentication after the handshake."),
        _ => TlsError.Unexpected("A handshake message came out of turn."),
    };

    private void FinishedMac(SecretBuffer baseKey, Span<byte> mac)
    {
        Span<byte> hash = stackalloc byte[CipherSuiteExtensions.MaxHashLength];
        Schedule!.FinishedMac(baseKey.Span, hash[..Transcript.Current(hash)], mac);
    }
}

using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Tls.Keys;
using Post.Quic.Engine.Tls.Messages;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls;

/// <summary>The client's side of the handshake.</summary>
internal sealed class TlsClient : TlsSession
{
    private readonly TlsClientOptions _options;
    private readonly byte[] _random = new byte[32];
    private readonly byte[] _policy;
    private ClientState _state = ClientState.Start;
    private ClientKeyShares? _shares;
    private TlsSessionTicket? _ticket;
    private SecretBuffer? _clientHandshakeSecret;
    private SecretBuffer? _serverHandshakeSecret;
    private SecretBuffer? _resumptionSecret;
    private PeerCredential? _candidate;
    private CertificateType _clientType;
    private CertificateType _serverType;
    private ClientCertificateAnswer? _certificateAnswer;
    private byte[] _peerParameters = [];
    private bool _offersEarlyData;
    private int _ticketsTaken;

    /// <exception cref="ArgumentException">The options name no suite or no group that this platform has.</exception>
    public TlsClient(ITlsHost host, TlsClientOptions options, RandomSource random, TlsClock clock)
        : base(host, random, clock)
    {
        if (options.CipherSuites.Count == 0 || !options.Groups.Any(group => KeyExchange.Find(options.Crypto, group) is not null))
        {
            throw new ArgumentException("A client needs a cipher suite and a group that this platform has.", nameof(options));
        }

        SslOptionsRules.CheckProtocols(options.ApplicationProtocols, nameof(options));
        _options = options;
        _policy = options.CertificatePolicy.Fingerprint(options.TargetHost);
        ServerName = options.ServerName;
    }

    /// <summary>The server wants to know who we are; it judges after we are done (RFC 8446 section 4.4.2.4).</summary>
    public bool WasAskedForCertificate { get; private set; }

    public override TransportError Start(long now)
    {
        if (_state != ClientState.Start)
        {
            return default;
        }

        Random.Fill(_random);
        KeyLog = new KeyLog(_options.KeyLog, _random);
        _ticket = ClientTicketRules.Find(_options, _policy, At(now), out _candidate);
        if (_ticket is not null)
        {
            Schedule = new KeySchedule(_ticket.CipherSuite, _ticket.Secret);
            _offersEarlyData = _options.EnableEarlyData && _ticket.AllowsEarlyData;
        }

        _shares = ClientKeyShares.Create(_options.Crypto, _options.Groups, _options.KeyShares);
        SendHello(default, now);
        if (_offersEarlyData)
        {
            // Only who holds the session can read early data; whether it is there is shown by the rest of the handshake.
            Peer = _candidate;

            // RFC 8446 section 7.1: early keys hang on the ClientHello alone.
            Span<byte> hash = stackalloc byte[CipherSuiteExtensions.MaxHashLength];
            int length = Transcript.WithPartial(_ticket!.CipherSuite, default, hash);
            using SecretBuffer secret = Schedule!.Derive("c e traffic"u8, hash[..length]);
            KeyLog.Add("CLIENT_EARLY_TRAFFIC_SECRET", secret.Span);
            Host.OnSecret(EncryptionLevel.EarlyData, KeyDirection.Send, _ticket.CipherSuite, secret.Span);
        }

        _state = ClientState.ServerHello;
        return default;
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _shares?.Dispose();
        _clientHandshakeSecret?.Dispose();
        _serverHandshakeSecret?.Dispose();
        _resumptionSecret?.Dispose();
    }

    private protected override bool Expects(HandshakeType type) => _state switch
    {
        ClientState.ServerHello => type == HandshakeType.ServerHello,
        ClientState.EncryptedExtensions => type == HandshakeType.EncryptedExtensions,
        ClientState.CertificateOrRequest => type is HandshakeType.Certificate or HandshakeType.CertificateRequest,
        ClientState.Certificate => type == HandshakeType.Certificate,
        ClientState.CertificateVerify => type == HandshakeType.CertificateVerify,
        ClientState.Finished => type == HandshakeType.Finished,
        ClientState.Connected => type == HandshakeType.NewSessionTicket,
        _ => false,
    };

    private protected override TransportError Handle(HandshakeType type, ReadOnlySpan<byte> message, long now) => type switch
    {
        HandshakeType.ServerHello => HandleServerHello(message, now),
        HandshakeType.EncryptedExtensions => HandleEncryptedExtensions(message),
        HandshakeType.CertificateRequest => HandleCertificateRequest(message),
        HandshakeType.Certificate => HandleCertificate(message),
        HandshakeType.CertificateVerify => HandleCertificateVerify(message, now),
        HandshakeType.Finished => HandleFinished(message),
        _ => HandleNewSessionTicket(message, now),
    };

    private protected override TransportError Resume(long now) => default;

    private protected override void OnPeerAccepted() => _state = ClientState.Finished;

    private void SendHello(ReadOnlySpan<byte> cookie, long now)
    {
        Span<byte> hello = ClientHelloWriter.Write(
            Writer, _options, Host, _random, _shares!.Offers, cookie, _ticket, _offersEarlyData, At(now));
        if (_ticket is not null)
        {
            SignBinder(hello);
        }

        Send(EncryptionLevel.Initial, hello);
    }

    // RFC 8446 section 4.2.11.2: a MAC over the hello up to the binders, which proves that we know the key.
    private void SignBinder(Span<byte> hello)
    {
        CipherSuite suite = _ticket!.CipherSuite;
        Span<byte> hash = stackalloc byte[CipherSuiteExtensions.MaxHashLength];
        int length = Transcript.WithPartial(suite, hello[..^ClientHelloWriter.BindersLength(suite)], hash);
        using SecretBuffer binderKey = Schedule!.DeriveWithoutMessages("res binder"u8);
        Schedule.FinishedMac(binderKey.Span, hash[..length], hello[^suite.HashLength()..]);
    }

    private TransportError HandleServerHello(ReadOnlySpan<byte> message, long now)
    {
        TransportError error = ServerHello.Parse(message, out ServerHello hello);
        if (error.IsError)
        {
            return error;
        }

        // RFC 8446 section 4.1.3: one of the suites offered. Section 4.1.4: the same as in a HelloRetryRequest.
        if (!_options.CipherSuites.Contains(hello.CipherSuite) ||
            (IsRetried && hello.CipherSuite != CipherSuite))
        {
            return TlsError.Illegal("The server selected a cipher suite that was not offered.");
        }

        return hello.IsRetry ? HandleRetry(hello, message, now) : AcceptHello(hello, message);
    }

    private TransportError HandleRetry(ServerHello hello, ReadOnlySpan<byte> message, long now)
    {
        // RFC 8446 section 4.1.4: a second HelloRetryRequest is unexpected_message.
        if (IsRetried)
        {
            return TlsError.Unexpected("A second HelloRetryRequest came.");
        }

        ReadOnlySpan<byte> cookie = default;
        if (hello.Extensions.TryFind(ExtensionType.Cookie, out ReadOnlySpan<byte> body))
        {
            var reader = new WireReader(body);
            if (!reader.TryReadVector16(out cookie) || !reader.IsEmpty || cookie.IsEmpty)
            {
                return TlsError.Decode("The cookie is malformed.");
            }
        }

        bool changesGroup = hello.Extensions.TryFind(ExtensionType.KeyShare, out body);
        if (changesGroup)
        {
            if (!KeyShareEntries.TryReadRetry(body, out NamedGroup group))
            {
                return TlsError.Decode("key_share is malformed.");
            }

            // RFC 8446 section 4.2.8: a group that we offered, and sent no share of.
            if (!_options.Groups.Contains(group) || _shares!.Find(group) is not null ||
                KeyExchange.Find(_options.Crypto, group) is not { } exchange)
            {
                return TlsError.Illegal("The HelloRetryRequest asks for a group that was not offered or already sent.");
            }

            _shares.ReplaceBy(exchange);
        }
        else if (cookie.IsEmpty)
        {
            // RFC 8446 section 4.1.4: a request that would change nothing is illegal_parameter.
            return TlsError.Illegal("The HelloRetryRequest asks for no change.");
        }

        IsRetried = true;
        CipherSuite = hello.CipherSuite;
        Transcript.Select(CipherSuite);
        Transcript.ReplaceWithMessageHash();
        Transcript.Add(message);

        // RFC 8446 section 4.2.10: no early data after a HelloRetryRequest.
        if (_offersEarlyData)
        {
            _offersEarlyData = false;
            Host.OnEarlyDataDecision(accepted: false);
        }

        // RFC 8446 section 4.1.4: a key whose hash is not that of the suite is offered no more.
        if (_ticket is not null && _ticket.CipherSuite.HashName() != CipherSuite.HashName())
        {
            _ticket = null;
            Schedule!.Dispose();
            Schedule = null;
        }

        SendHello(cookie, now);
        return default;
    }

    private TransportError AcceptHello(ServerHello hello, ReadOnlySpan<byte> message)
    {
        TransportError error = SelectKey(hello);
        if (error.IsError)
        {
            return error;
        }

        // RFC 8446 section 9.2: we offer psk_dhe_ke only, so there is always a share.
        if (!hello.Extensions.TryFind(ExtensionType.KeyShare, out ReadOnlySpan<byte> body))
        {
            return TlsError.Missing("The ServerHello lacks key_share.");
        }

        if (!KeyShareEntries.TryReadServer(body, out NamedGroup group, out ReadOnlySpan<byte> peerShare))
        {
            return TlsError.Decode("key_share is malformed.");
        }

        // RFC 8446 section 4.2.8: the group of a share of ours.
        if (_shares!.Find(group) is not { } offer)
        {
            return TlsError.Illegal("The server's share is of another group than ours.");
        }

        using SecretBuffer? shared = offer.Finish(peerShare);
        _shares.Dispose();
        if (shared is null)
        {
            return TlsError.Illegal("The server's share is not valid.");
        }

        if (!IsRetried)
        {
            Transcript.Select(hello.CipherSuite);
        }

        Transcript.Add(message);
        CipherSuite = hello.CipherSuite;
        Group = group;
        Schedule!.EnterHandshake(shared.Span);
        _clientHandshakeSecret = DeriveFromTranscript("c hs traffic"u8, "CLIENT_HANDSHAKE_TRAFFIC_SECRET");
        _serverHandshakeSecret = DeriveFromTranscript("s hs traffic"u8, "SERVER_HANDSHAKE_TRAFFIC_SECRET");
        error = EnterReadLevel(EncryptionLevel.Handshake);
        if (error.IsError)
        {
            return error;
        }

        Host.OnSecret(EncryptionLevel.Handshake, KeyDirection.Receive, CipherSuite, _serverHandshakeSecret.Span);
        Host.OnSecret(EncryptionLevel.Handshake, KeyDirection.Send, CipherSuite, _clientHandshakeSecret.Span);
        _state = ClientState.EncryptedExtensions;
        return default;
    }

    /// <summary>Begins the key schedule anew unless the server took the pre-shared key.</summary>
    private TransportError SelectKey(ServerHello hello)
    {
        if (hello.Extensions.TryFind(ExtensionType.PreSharedKey, out ReadOnlySpan<byte> body))
        {
            if (body.Length != 2)
            {
                return TlsError.Decode("pre_shared_key is malformed.");
            }

            // RFC 8446 section 4.2.11: an identity that was offered, with the hash of the suite.
            if (_ticket is null || !body.SequenceEqual<byte>([0, 0]) ||
                _ticket.CipherSuite.HashName() != hello.CipherSuite.HashName())
            {
                return TlsError.Illegal("The server selected a key that was not offered or does not fit the suite.");
            }

            IsResumed = true;
            Peer = _candidate;
            if (_ticket.CipherSuite != hello.CipherSuite)
            {
                Schedule!.Dispose();
                Schedule = new KeySchedule(hello.CipherSuite, _ticket.Secret);
            }

            return default;
        }

        _candidate = null;
        Peer = null;
        Schedule?.Dispose();
        Schedule = new KeySchedule(hello.CipherSuite, default);
        return default;
    }

    private TransportError HandleEncryptedExtensions(ReadOnlySpan<byte> message)
    {
        TransportError error = EncryptedExtensions.Parse(message, out EncryptedExtensions extensions);
        if (error.IsError)
        {
            return error;
        }

        ApplicationProtocol = extensions.ApplicationProtocol;
        error = CheckEncryptedExtensions(extensions);
        if (error.IsError)
        {
            return error;
        }

        Transcript.Add(message);
        if (_offersEarlyData)
        {
            EarlyDataAccepted = extensions.AcceptsEarlyData;
            Host.OnEarlyDataDecision(EarlyDataAccepted);
        }

        _clientType = extensions.ClientCertificateType ?? CertificateType.X509;
        _serverType = extensions.ServerCertificateType ?? CertificateType.X509;
        _peerParameters = extensions.TransportParameters.ToArray();
        _state = IsResumed ? ClientState.Finished : ClientState.CertificateOrRequest;
        return Host.OnPeerTransportParameters(extensions.TransportParameters);
    }

    private TransportError CheckEncryptedExtensions(EncryptedExtensions extensions)
    {
        // RFC 7301 section 3.1: one of those that were offered.
        if (!_options.ApplicationProtocols.Contains(ApplicationProtocol))
        {
            return TlsError.Illegal("The server selected an application protocol that was not offered.");
        }

        // RFC 8446 section 4.2: no answer to what was not asked.
        if ((extensions.AcknowledgesName && _options.ServerName.Length == 0) || (extensions.AcceptsEarlyData && !_offersEarlyData))
        {
            return TlsError.Alert(TlsAlert.UnsupportedExtension, "The server answers a name or early data that was not sent.");
        }

        if (CertificateNegotiation.CheckServerType(
                extensions.ServerCertificateType, _options.CertificatePolicy.PeerTypes, IsResumed ? _candidate : null) is { IsError: true } badServer)
        {
            return badServer;
        }

        if (CertificateNegotiation.CheckOffered(extensions.ClientCertificateType, _options.OwnTypes) is { IsError: true } badClient)
        {
            return badClient;
        }

        // RFC 8446 section 4.2.10: early data stands and falls with its key, suite and protocol.
        return !extensions.AcceptsEarlyData ||
            (IsResumed && CipherSuite == _ticket!.CipherSuite && ApplicationProtocol == _ticket.ApplicationProtocol)
                ? default
                : TlsError.Illegal("The server accepts early data and changes what it was sent under.");
    }

    private TransportError HandleCertificateRequest(ReadOnlySpan<byte> message)
    {
        WasAskedForCertificate = true;
        TransportError error = CertificateRequestMessage.Parse(
            message, out ReadOnlySpan<byte> schemes, out List<byte[]> authorities);
        if (error.IsError)
        {
            return error;
        }

        Transcript.Add(message);
        error = ClientCertificateAnswer.Create(
            names => _options.CredentialOf(_clientType, names), schemes, authorities, out _certificateAnswer);
        _state = ClientState.Certificate;
        return error;
    }

    private TransportError HandleCertificate(ReadOnlySpan<byte> message)
    {
        TransportError error = ReadCertificates(message, _serverType, _options.Crypto, out _candidate);
        if (error.IsError)
        {
            return error;
        }

        // RFC 8446 section 4.4.2.4: a server without a certificate is decode_error.
        if (_candidate is null)
        {
            return TlsError.Decode("The server sent no certificate.");
        }

        Transcript.Add(message);
        _state = ClientState.CertificateVerify;
        return default;
    }

    private TransportError HandleCertificateVerify(ReadOnlySpan<byte> message, long now)
    {
        TransportError error = CertificateVerifyMessage.Check(message, _candidate!, isServer: true, Transcript, _options.Crypto);
        if (error.IsError)
        {
            return error;
        }

        // Only now is the chain worth the work: whoever sent it holds the key.
        Transcript.Add(message);
        AwaitValidation(_options.CertificatePolicy, _candidate!, _options.TargetHost, now);
        return default;
    }

    private TransportError HandleFinished(ReadOnlySpan<byte> message)
    {
        TransportError error = CheckFinished(message, _serverHandshakeSecret!);
        if (error.IsError)
        {
            return error;
        }

        Transcript.Add(message);
        EnterMaster(out SecretBuffer clientSecret, out SecretBuffer serverSecret);
        using (clientSecret)
        using (serverSecret)
        {
            error = EnterReadLevel(EncryptionLevel.Application);
            if (error.IsError)
            {
                return error;
            }

            if (_certificateAnswer is { } answer)
            {
                Writer.Clear();
                Send(EncryptionLevel.Handshake, CertificateMessage.Write(Writer, answer.Entries));
                if (answer.Credential is { } credential)
                {
                    Writer.Clear();
                    Send(EncryptionLevel.Handshake, CertificateVerifyMessage.Write(
                        Writer, credential, answer.Scheme, isServer: false, Transcript));
                }
            }

            SendFinished(_clientHandshakeSecret!);
            _resumptionSecret = DeriveFromTranscript("res master"u8, string.Empty);
            Host.OnSecret(EncryptionLevel.Application, KeyDirection.Receive, CipherSuite, serverSecret.Span);
            Host.OnSecret(EncryptionLevel.Application, KeyDirection.Send, CipherSuite, clientSecret.Span);
        }

        _clientHandshakeSecret!.Dispose();
        _serverHandshakeSecret!.Dispose();
        _state = ClientState.Connected;
        IsComplete = true;
        Host.OnHandshakeComplete();
        return default;
    }

    private TransportError HandleNewSessionTicket(ReadOnlySpan<byte> message, long now)
    {
        TransportError error = NewSessionTicketMessage.Parse(message, out NewSessionTicketMessage ticket);

        // RFC 8446 section 4.6.1: a lifetime of zero is a ticket to throw away.
        if (error.IsError || !_options.AllowResumption || ticket.LifetimeSeconds == 0 || _ticketsTaken >= Limits.MaxSessionTickets)
        {
            return error;
        }

        _ticketsTaken++;
        using SecretBuffer secret = Schedule!.TicketSecret(_resumptionSecret!.Span, ticket.Nonce);
        Host.OnSessionTicket(new TlsSessionTicket
        {
            ServerName = _options.TargetHost,
            ApplicationProtocol = ApplicationProtocol,
            CipherSuite = CipherSuite,
            Identity = ticket.Identity.ToArray(),
            Secret = secret.Span.ToArray(),
            AgeAdd = ticket.AgeAdd,
            ReceivedAt = At(now),
            AuthenticatedAt = IsResumed ? _ticket!.AuthenticatedAt : At(now),
            Lifetime = TimeSpan.FromSeconds(Math.Min(ticket.LifetimeSeconds, TlsSessionTicket.MaxLifetimeSeconds)),
            AllowsEarlyData = ticket.AllowsEarlyData,
            TransportParameters = _peerParameters,
            PeerType = Peer!.Type,
            PeerCertificate = Peer.Encoded.ToArray(),
            OwnCertificate = IsResumed ? _ticket!.OwnCertificate : _certificateAnswer?.Credential?.Fingerprint() ?? [],
            ValidationPolicy = _policy,
        });
        return default;
    }
}

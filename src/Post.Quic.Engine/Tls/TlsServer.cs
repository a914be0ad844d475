using System.Net.Security;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Tls.Keys;
using Post.Quic.Engine.Tls.Messages;
using Post.Quic.Engine.Tls.Tickets;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls;

/// <summary>The server's side of the handshake.</summary>
internal sealed class TlsServer : TlsSession
{
    private ServerState _state = ServerState.ClientHello;
    private TlsServerOptions? _options;
    private byte[] _firstHello = [];
    private byte[] _hello = [];
    private SecretBuffer? _clientHandshakeSecret;
    private SecretBuffer? _clientSecret;
    private PeerCredential? _candidate;
    private CertificateType? _clientType;
    private CertificateType _serverType;
    private DateTimeOffset _authenticatedAt;
    private bool _offeredEarlyData;
    private bool _takesTickets;

    public TlsServer(ITlsHost host, RandomSource random, TlsClock clock)
        : base(host, random, clock)
    {
    }

    public override bool IsWaiting => base.IsWaiting || (_state == ServerState.Options && _options is null);

    public override TransportError Start(long now) => default;

    /// <summary>Answers <see cref="ITlsHost.OnClientHello"/>, also from within it.</summary>
    public TransportError ProvideOptions(TlsServerOptions options, long now)
    {
        if (_state == ServerState.Options && _options is null)
        {
            _options = options;
        }

        return Process(now);
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _clientHandshakeSecret?.Dispose();
        _clientSecret?.Dispose();
    }

    private protected override bool Expects(HandshakeType type) => _state switch
    {
        ServerState.ClientHello or ServerState.SecondClientHello => type == HandshakeType.ClientHello,
        ServerState.Certificate => type == HandshakeType.Certificate,
        ServerState.CertificateVerify => type == HandshakeType.CertificateVerify,
        ServerState.Finished => type == HandshakeType.Finished,
        _ => false,
    };

    private protected override TransportError Handle(HandshakeType type, ReadOnlySpan<byte> message, long now) => type switch
    {
        HandshakeType.ClientHello when _state == ServerState.ClientHello => HandleFirstHello(message),
        HandshakeType.ClientHello => HandleSecondHello(message, now),
        HandshakeType.Certificate => HandleCertificate(message),
        HandshakeType.CertificateVerify => HandleCertificateVerify(message, now),
        _ => HandleFinished(message, now),
    };

    private protected override TransportError Resume(long now)
    {
        if (_state != ServerState.Options || _options is null)
        {
            return default;
        }

        KeyLog = new KeyLog(_options.KeyLog, _hello.AsMemory(HandshakeAssembler.HeaderLength + 2, 32));
        return Negotiate(now);
    }

    private protected override void OnPeerAccepted() => _state = ServerState.Finished;

    private TransportError HandleFirstHello(ReadOnlySpan<byte> message)
    {
        TransportError error = ClientHello.Parse(message, out ClientHello hello);
        if (error.IsError)
        {
            return error;
        }

        error = ClientOffer.Read(hello, out ClientOffer offer);
        if (error.IsError)
        {
            return error;
        }

        error = Host.OnPeerTransportParameters(offer.TransportParameters);
        if (error.IsError)
        {
            return error;
        }

        _hello = message.ToArray();
        _offeredEarlyData = offer.OffersEarlyData;
        ServerName = offer.ServerName;
        _state = ServerState.Options;
        Host.OnClientHello(new ClientHelloInfo(offer.ServerName, offer.ApplicationProtocols));
        return default;
    }

    private TransportError HandleSecondHello(ReadOnlySpan<byte> message, long now)
    {
        TransportError error = ClientHello.Parse(message, out ClientHello hello);
        if (error.IsError)
        {
            return error;
        }

        error = ClientOffer.Read(hello, out ClientOffer offer);
        if (error.IsError)
        {
            return error;
        }

        _ = ClientHello.Parse(_firstHello, out ClientHello first);
        error = SecondHelloRules.Check(first, offer, Group, _options!.RetryCookie.Span);
        if (error.IsError)
        {
            return error;
        }

        _hello = message.ToArray();
        return Negotiate(now);
    }

    private TransportError Negotiate(long now)
    {
        // Parsed before; the spans of then are gone.
        _ = ClientHello.Parse(_hello, out ClientHello hello);
        _ = ClientOffer.Read(hello, out ClientOffer offer);
        if (!TrySelectProtocol(offer))
        {
            return TlsError.Alert(TlsAlert.NoApplicationProtocol, "No application protocol is common.");
        }

        using TicketSelection? ticket = TicketSelection.Find(
            _options!, offer, ApplicationProtocol.Protocol.Span, IsRetried ? CipherSuite : CipherSuite.None, At(now));
        if (!IsRetried && !TrySelectSuite(offer, ticket))
        {
            return TlsError.Alert(TlsAlert.HandshakeFailure, "No cipher suite is common.");
        }

        if (!TrySelectGroup(offer, out ReadOnlySpan<byte> clientShare))
        {
            return TlsError.Alert(TlsAlert.HandshakeFailure, "No key exchange group is common.");
        }

        return clientShare.IsEmpty ? SendRetry() : Accept(offer, clientShare, ticket, now);
    }

    private bool TrySelectProtocol(ClientOffer offer)
    {
        foreach (SslApplicationProtocol protocol in _options!.ApplicationProtocols)
        {
            if (offer.ApplicationProtocols.Contains(protocol))
            {
                ApplicationProtocol = protocol;
                return true;
            }
        }

        return false;
    }

    private bool TrySelectSuite(ClientOffer offer, TicketSelection? ticket)
    {
        if (ticket is not null)
        {
            CipherSuite = ticket.Ticket.Suite;
            return true;
        }

        foreach (CipherSuite suite in _options!.CipherSuites)
        {
            if (VectorReading.ContainsNumber(offer.Hello.CipherSuites, (ushort)suite))
            {
                CipherSuite = suite;
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// The best group that the client sent a share of; where there is none, the best it supports, without a share. A
    /// hybrid that stands first is worth a round trip: who listens today can break the rest later.
    /// </summary>
    private bool TrySelectGroup(ClientOffer offer, out ReadOnlySpan<byte> clientShare)
    {
        NamedGroup withoutShare = NamedGroup.None;
        foreach (NamedGroup group in _options!.Groups)
        {
            if (KeyExchange.Find(_options.Crypto, group) is null || !VectorReading.ContainsNumber(offer.Groups, (ushort)group))
            {
                continue;
            }

            if (withoutShare.IsHybrid() && !group.IsHybrid())
            {
                break;
            }

            if (KeyShareEntries.TryFind(offer.KeyShares, group, out clientShare))
            {
                Group = group;
                return true;
            }

            withoutShare = withoutShare == NamedGroup.None ? group : withoutShare;
        }

        clientShare = default;
        Group = withoutShare;
        return withoutShare != NamedGroup.None;
    }

    private TransportError SendRetry()
    {
        // RFC 8446 section 4.2.10: a HelloRetryRequest rejects early data.
        if (_offeredEarlyData)
        {
            Host.OnEarlyDataDecision(accepted: false);
            _offeredEarlyData = false;
        }

        Transcript.Add(_hello);
        Transcript.Select(CipherSuite);
        Transcript.ReplaceWithMessageHash();
        Send(EncryptionLevel.Initial, ServerHelloWriter.WriteRetry(Writer, CipherSuite, Group, _options!.RetryCookie.Span));
        _firstHello = _hello;
        IsRetried = true;
        _state = ServerState.SecondClientHello;
        return default;
    }

    private TransportError Accept(ClientOffer offer, ReadOnlySpan<byte> clientShare, TicketSelection? ticket, long now)
    {
        Schedule = new KeySchedule(CipherSuite, ticket is null ? default : ticket.Ticket.Secret.Span);
        if (ticket?.CheckBinder(offer.PreSharedKeys, _hello, Transcript, Schedule) is { IsError: true } bad)
        {
            return bad;
        }

        TransportError refused = SelectTypes(offer, ticket, out Credential? credential, out SignatureScheme scheme);
        if (refused.IsError)
        {
            return refused;
        }

        if (!KeyExchange.Find(_options!.Crypto, Group)!.TryAnswer(clientShare, out byte[] share, out SecretBuffer? shared))
        {
            return TlsError.Illegal("The client's share is not valid.");
        }

        using (shared)
        {
            TransportError error = EnterReadLevel(EncryptionLevel.Handshake);
            if (error.IsError)
            {
                return error;
            }

            Transcript.Add(_hello);
            if (!IsRetried)
            {
                Transcript.Select(CipherSuite);
            }

            _takesTickets = offer.TakesTickets;
            IsResumed = ticket is not null;
            Peer = ticket?.Client;
            _authenticatedAt = ticket?.Ticket.AuthenticatedAt ?? At(now);
            DecideEarlyData(offer, ticket, now);
            SendHello(share, shared!, ticket?.Index ?? -1);
        }

        SendFlight(offer, credential, scheme);
        return default;
    }

    private TransportError SelectTypes(
        ClientOffer offer, TicketSelection? ticket, out Credential? credential, out SignatureScheme scheme)
    {
        credential = null;
        scheme = default;
        if (ticket is null)
        {
            TransportError error = CertificateNegotiation.SelectCredential(_options!, offer, out credential, out scheme);
            if (error.IsError)
            {
                return error;
            }
        }

        // A resumed session shows nothing, and is told what it was made with: other stacks look for it there too.
        _serverType = ticket?.Ticket.ServerType ?? credential!.Type;
        if (ticket?.Client is { } client)
        {
            _clientType = client.Type;
            return default;
        }

        return CertificateNegotiation.SelectClientType(_options!, offer, out _clientType);
    }

    private void DecideEarlyData(ClientOffer offer, TicketSelection? ticket, long now)
    {
        if (!_offeredEarlyData)
        {
            return;
        }

        EarlyDataAccepted = ticket?.AcceptsEarlyData(_options!, CipherSuite, offer.PreSharedKeys, At(now)) ?? false;
        Host.OnEarlyDataDecision(EarlyDataAccepted);
        if (EarlyDataAccepted)
        {
            using SecretBuffer secret = DeriveFromTranscript("c e traffic"u8, "CLIENT_EARLY_TRAFFIC_SECRET");
            Host.OnSecret(EncryptionLevel.EarlyData, KeyDirection.Receive, CipherSuite, secret.Span);
        }
    }

    private void SendHello(ReadOnlySpan<byte> share, SecretBuffer shared, int selectedKey)
    {
        Span<byte> random = stackalloc byte[32];
        Random.Fill(random);
        Send(
            EncryptionLevel.Initial,
            ServerHelloWriter.WriteHello(Writer, random, CipherSuite, Group, share, selectedKey));
        Schedule!.EnterHandshake(shared.Span);
        _clientHandshakeSecret = DeriveFromTranscript("c hs traffic"u8, "CLIENT_HANDSHAKE_TRAFFIC_SECRET");
    }

    private void SendFlight(ClientOffer offer, Credential? credential, SignatureScheme scheme)
    {
        using SecretBuffer serverHandshakeSecret = DeriveFromTranscript("s hs traffic"u8, "SERVER_HANDSHAKE_TRAFFIC_SECRET");
        Host.OnSecret(EncryptionLevel.Handshake, KeyDirection.Send, CipherSuite, serverHandshakeSecret.Span);
        Host.OnSecret(EncryptionLevel.Handshake, KeyDirection.Receive, CipherSuite, _clientHandshakeSecret!.Span);
        Send(EncryptionLevel.Handshake, ServerHelloWriter.WriteEncryptedExtensions(
            Writer,
            Host,
            ApplicationProtocol,
            ServerName.Length != 0 && !IsResumed,
            EarlyDataAccepted,
            offer.ListsClientTypes ? _clientType : null,
            offer.ListsServerTypes ? _serverType : null));
        bool asksForCertificate = credential is not null && _clientType is not null;
        if (asksForCertificate)
        {
            Writer.Clear();
            Send(EncryptionLevel.Handshake, CertificateRequestMessage.Write(
                Writer, _options!.CertificatePolicy.TrustedNames, _options.Crypto));
        }

        if (credential is not null)
        {
            Writer.Clear();
            Send(EncryptionLevel.Handshake, CertificateMessage.Write(Writer, credential.Entries));
            Writer.Clear();
            Send(EncryptionLevel.Handshake, CertificateVerifyMessage.Write(
                Writer, credential, scheme, isServer: true, Transcript));
        }

        SendFinished(serverHandshakeSecret);
        EnterMaster(out _clientSecret, out SecretBuffer serverSecret);
        using (serverSecret)
        {
            Host.OnSecret(EncryptionLevel.Application, KeyDirection.Send, CipherSuite, serverSecret.Span);
        }

        _firstHello = [];
        _hello = [];
        _state = asksForCertificate ? ServerState.Certificate : ServerState.Finished;
    }

    private TransportError HandleCertificate(ReadOnlySpan<byte> message)
    {
        TransportError error = ReadCertificates(message, _clientType!.Value, _options!.Crypto, out _candidate);
        if (error.IsError)
        {
            return error;
        }

        // RFC 8446 section 4.4.2.4: whether a client may stay anonymous is the server's choice.
        if (_candidate is null && _options!.ClientCertificateMode == ClientCertificateMode.Required)
        {
            return TlsError.Alert(TlsAlert.CertificateRequired, "The client sent no certificate.");
        }

        Transcript.Add(message);
        _state = _candidate is null ? ServerState.Finished : ServerState.CertificateVerify;
        return default;
    }

    private TransportError HandleCertificateVerify(ReadOnlySpan<byte> message, long now)
    {
        TransportError error = CertificateVerifyMessage.Check(message, _candidate!, isServer: false, Transcript, _options!.Crypto);
        if (error.IsError)
        {
            return error;
        }

        Transcript.Add(message);
        AwaitValidation(_options.CertificatePolicy, _candidate!, string.Empty, now);
        return default;
    }

    private TransportError HandleFinished(ReadOnlySpan<byte> message, long now)
    {
        TransportError error = CheckFinished(message, _clientHandshakeSecret!);
        if (error.IsError)
        {
            return error;
        }

        error = EnterReadLevel(EncryptionLevel.Application);
        if (error.IsError)
        {
            return error;
        }

        Transcript.Add(message);
        Host.OnSecret(EncryptionLevel.Application, KeyDirection.Receive, CipherSuite, _clientSecret!.Span);
        _clientSecret.Dispose();
        _clientHandshakeSecret!.Dispose();
        _state = ServerState.Connected;
        IsComplete = true;
        Host.OnHandshakeComplete();
        SendTickets(At(now));
        return default;
    }

    private void SendTickets(DateTimeOffset now)
    {
        byte[] clientCertificate = Peer?.Encoded.ToArray() ?? [];
        if (_options!.TicketKeys is not { } keys || !_takesTickets || clientCertificate.Length > Limits.MaxCertificateInTicket)
        {
            return;
        }

        using SecretBuffer resumptionSecret = DeriveFromTranscript("res master"u8, string.Empty);
        byte[] policy = TicketSelection.PolicyOf(_options);
        for (int i = 0; i < Math.Min(_options.TicketCount, Limits.MaxSessionTickets); i++)
        {
            ReadOnlySpan<byte> nonce = [(byte)i];
            using var ticket = new ServerTicket
            {
                Suite = CipherSuite,
                Secret = Schedule!.TicketSecret(resumptionSecret.Span, nonce),
                IssuedAt = now,
                AuthenticatedAt = _authenticatedAt,
                AgeAdd = (uint)Random.NextUInt64(),
                ServerName = ServerName,
                ApplicationProtocol = ApplicationProtocol.Protocol.ToArray(),
                AllowsEarlyData = _options.EnableEarlyData,
                EarlyDataContext = _options.EarlyDataContext.ToArray(),
                ServerType = _serverType,
                ClientType = Peer?.Type ?? CertificateType.X509,
                ClientCertificate = clientCertificate,
                ValidationPolicy = policy,
            };
            byte[] identity = ticket.Seal(keys, now);
            Writer.Clear();
            Host.OnHandshakeData(EncryptionLevel.Application, NewSessionTicketMessage.Write(
                Writer, (uint)keys.Lifetime.TotalSeconds, ticket.AgeAdd, nonce, identity, _options.EnableEarlyData));
        }
    }
}

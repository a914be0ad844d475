using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Diagnostics;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Packets;

namespace Post.Quic.Engine.Endpoint;

/// <summary>
/// Decides what becomes of each datagram that reaches a socket: which connection gets it, or whether it may begin one,
/// or how it is answered without one. No sockets, no clock; used by the thread that receives.
/// </summary>
/// <typeparam name="T">What stands for a connection.</typeparam>
internal sealed class EndpointIngress<T> : IDisposable
    where T : class
{
    private readonly ConnectionRouter<T> _router;
    private readonly TokenSealer _tokens;
    private readonly TokenReplayFilter _usedTokens;
    private readonly StatelessResponses _responses;
    private readonly EngineMetrics _metrics;

    /// <param name="router">The table of connections.</param>
    /// <param name="crypto">For Retry and the refusal of tokens.</param>
    /// <param name="random">Unpredictable bits.</param>
    /// <param name="tokens">Opens what clients bring; not owned.</param>
    /// <param name="usedTokens">Remembers tokens of NEW_TOKEN frames.</param>
    /// <param name="metrics">Counts answers and tokens.</param>
    public EndpointIngress(
        ConnectionRouter<T> router,
        CryptoProvider crypto,
        RandomSource random,
        TokenSealer tokens,
        TokenReplayFilter usedTokens,
        EngineMetrics metrics)
    {
        _router = router;
        _tokens = tokens;
        _usedTokens = usedTokens;
        _responses = new StatelessResponses(crypto, random, tokens, metrics);
        _metrics = metrics;
    }

    /// <summary>What the largest answer needs.</summary>
    public static int MaxResponse => Limits.MinInitialDatagram;

    /// <summary>Looks at one datagram.</summary>
    /// <param name="datagram">Its bytes, untouched here.</param>
    /// <param name="metadata">Where it came from.</param>
    /// <param name="incoming">What is let in; null where nobody listens.</param>
    /// <param name="handshakes">Handshakes under way at this moment.</param>
    /// <param name="now">The time.</param>
    /// <param name="response">Room for an answer, <see cref="MaxResponse"/> bytes.</param>
    public Route<T> Decide(
        ReadOnlySpan<byte> datagram,
        in DatagramMetadata metadata,
        IncomingPolicy? incoming,
        int handshakes,
        long now,
        Span<byte> response)
    {
        if (!InvariantHeader.TryParse(datagram, ConnectionRouter<T>.IdLength, out InvariantHeader header))
        {
            return Route<T>.Drop(EndpointDropReason.Malformed);
        }

        if (_router.TryFind(header.DestinationConnectionId, out T? connection)
            || (!header.IsLong && _router.TryFindByResetToken(datagram, metadata.Remote, out connection)))
        {
            return Route<T>.Deliver(connection);
        }

        if (incoming is null)
        {
            return Route<T>.Drop(EndpointDropReason.NotListening);
        }

        return header.IsLong
            ? DecideLong(datagram, header, metadata, incoming, handshakes, now, response)
            : ResetUnknown(datagram, header, now, response);
    }

    public void Dispose() => _responses.Dispose();

    private Route<T> ResetUnknown(ReadOnlySpan<byte> datagram, scoped in InvariantHeader header, long now, Span<byte> response)
    {
        // A reset must be shorter than its trigger, so nothing can answer the shortest (RFC 9000 section 10.3.3).
        if (datagram.Length <= Limits.MinStatelessReset)
        {
            return Route<T>.Drop(EndpointDropReason.UnknownConnection);
        }

        StatelessResetToken token = _router.TokenOf(new ConnectionId(header.DestinationConnectionId));
        return Route<T>.Respond(_responses.Reset(datagram.Length, token, now, response));
    }

    private Route<T> DecideLong(
        ReadOnlySpan<byte> datagram,
        scoped in InvariantHeader invariant,
        in DatagramMetadata metadata,
        IncomingPolicy incoming,
        int handshakes,
        long now,
        Span<byte> response)
    {
        // RFC 9000 section 14.1: a datagram that begins a connection is 1200 bytes long, and nothing shorter is
        // answered: that is what keeps the answers from amplifying.
        if (datagram.Length < Limits.MinInitialDatagram)
        {
            return Route<T>.Drop(EndpointDropReason.TooShort);
        }

        if (invariant.Version == (uint)QuicVersion.Negotiation)
        {
            return Route<T>.Drop(EndpointDropReason.UnknownConnection);
        }

        if (!QuicVersions.IsSupported(invariant.Version))
        {
            // RFC 9000 section 6.1: at most one for each datagram. Ids of other versions may be longer than ours.
            return Route<T>.Respond(_responses.NegotiateVersion(invariant, now, response));
        }

        // RFC 9000 section 7.2: a client's first destination id has at least 8 bytes, so that it is unpredictable.
        if (PacketHeader.TryParse(datagram, ConnectionRouter<T>.IdLength, out PacketHeader initial) != PacketParseResult.Parsed
            || initial.DestinationConnectionId.Length < Limits.MinInitialConnectionId)
        {
            return Route<T>.Drop(EndpointDropReason.Malformed);
        }

        if (initial.Type != PacketType.Initial)
        {
            return Route<T>.Drop(EndpointDropReason.UnknownConnection);
        }

        return DecideInitial(initial, metadata.Remote, incoming, handshakes, now, response);
    }

    private Route<T> DecideInitial(
        scoped in PacketHeader initial,
        in NetworkAddress client,
        IncomingPolicy incoming,
        int handshakes,
        long now,
        Span<byte> response)
    {
        var destination = new ConnectionId(initial.DestinationConnectionId);
        var arrival = new ServerArrival
        {
            Version = initial.Version,
            DestinationConnectionId = destination,
            SourceConnectionId = new ConnectionId(initial.SourceConnectionId),
            OriginalDestinationConnectionId = destination,
        };

        bool opened = _tokens.TryOpen(initial.Token, client, now, out AddressToken token);
        if (!initial.Token.IsEmpty)
        {
            _metrics.TokenReceived(TokenSealer.ClaimsRetry(initial.Token), opened);
        }

        if (opened && token.Kind == AddressTokenKind.Retry && token.RetrySourceConnectionId == destination)
        {
            arrival = arrival with
            {
                OriginalDestinationConnectionId = token.OriginalDestinationConnectionId,
                RetrySourceConnectionId = token.RetrySourceConnectionId,
                IsAddressValidated = true,
            };
        }
        else if (opened && token.Kind == AddressTokenKind.NewToken && _usedTokens.TryUse(initial.Token, now))
        {
            arrival = arrival with { IsAddressValidated = true };
        }
        else if (TokenSealer.ClaimsRetry(initial.Token))
        {
            // A client takes one Retry only, so another would not help it.
            return Route<T>.Respond(_responses.RefuseToken(initial, now, response));
        }

        if (handshakes >= incoming.MaxHandshakes)
        {
            return Route<T>.Drop(EndpointDropReason.Saturated);
        }

        bool mustProve = incoming.Retry == QuicRetryPolicy.Always
            || (incoming.Retry == QuicRetryPolicy.UnderLoad && handshakes >= incoming.RetryThreshold);
        return mustProve && !arrival.IsAddressValidated
            ? Route<T>.Respond(_responses.Retry(initial, _router.Unrouted(), client, now, response))
            : Route<T>.Accept(arrival);
    }
}

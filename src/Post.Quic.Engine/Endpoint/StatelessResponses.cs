using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Diagnostics;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Packets;

namespace Post.Quic.Engine.Endpoint;

/// <summary>
/// Writes the answers that need no connection: Version Negotiation, Retry, stateless reset and the refusal of a bad
/// Retry token. Each is smaller than what it answers, and together they are limited in rate: nobody can use us to
/// multiply traffic against a third. Used by one thread.
/// </summary>
internal sealed class StatelessResponses : IDisposable
{
    private readonly CryptoProvider _crypto;
    private readonly RandomSource _random;
    private readonly TokenSealer _tokens;
    private readonly EngineMetrics _metrics;
    private readonly RetryIntegrity _retryIntegrity;

    // RFC 9000 section 6.3: the reserved version in the last place keeps clients able to skip what they do not know.
    private readonly uint[] _versions = [(uint)QuicVersion.Version1, (uint)QuicVersion.Version2, 0];
    private RateLimit _negotiations = new(Limits.StatelessResponsesPerSecond);
    private RateLimit _retries = new(Limits.RetriesPerSecond);
    private RateLimit _resets = new(Limits.StatelessResponsesPerSecond);
    private RateLimit _refusals = new(Limits.StatelessResponsesPerSecond);

    public StatelessResponses(CryptoProvider crypto, RandomSource random, TokenSealer tokens, EngineMetrics metrics)
    {
        _metrics = metrics;
        _crypto = crypto;
        _random = random;
        _tokens = tokens;
        _retryIntegrity = new RetryIntegrity(crypto);
    }

    /// <summary>Answers a version that we do not speak; returns the length, 0 for no answer.</summary>
    public int NegotiateVersion(scoped in InvariantHeader header, long now, Span<byte> response)
    {
        if (!_negotiations.TryTake(now))
        {
            return 0;
        }

        _versions[^1] = QuicVersions.Reserved((uint)_random.NextUInt64());
        var writer = new WireWriter(response);
        VersionNegotiationPacket.Write(
            ref writer, header.SourceConnectionId, header.DestinationConnectionId, _versions, _random.NextByte());
        _metrics.VersionNegotiationSent();
        return writer.Position;
    }

    /// <summary>Asks a client to prove its address (RFC 9000 section 8.1.2).</summary>
    public int Retry(scoped in PacketHeader initial, in ConnectionId newId, in NetworkAddress client, long now, Span<byte> response)
    {
        if (!_retries.TryTake(now))
        {
            return 0;
        }

        Span<byte> token = stackalloc byte[TokenSealer.MaxTokenLength];
        int tokenLength = _tokens.SealRetry(client, new ConnectionId(initial.DestinationConnectionId), newId, now, token);
        var writer = new WireWriter(response);
        PacketHeaderWriter.WriteRetry(
            ref writer, initial.Version, new ConnectionId(initial.SourceConnectionId), newId, token[..tokenLength], _random.NextByte());
        writer.Advance(RetryIntegrity.TagLength);
        _retryIntegrity.Write(initial.Version, initial.DestinationConnectionId, writer.Written);
        _metrics.RetrySent();
        _metrics.TokenIssued(forRetry: true);
        return writer.Position;
    }

    /// <summary>
    /// Tells a peer that its connection is gone. Always shorter than what it answers, or two endpoints that lost their
    /// state would answer each other for ever (RFC 9000 section 10.3.3).
    /// </summary>
    public int Reset(int triggerLength, in StatelessResetToken token, long now, Span<byte> response)
    {
        int length = Math.Min(triggerLength - 1, Limits.MinStatelessReset + Limits.StatelessResetPadding);
        if (length < Limits.MinStatelessReset || !_resets.TryTake(now))
        {
            return 0;
        }

        // It looks like a packet with a short header to everyone but the peer.
        Span<byte> packet = response[..length];
        _random.Fill(packet);
        packet[0] = (byte)((packet[0] & 0x3f) | FirstByte.Fixed);
        token.Span.CopyTo(packet[^StatelessResetToken.Length..]);
        _metrics.StatelessResetSent();
        return length;
    }

    /// <summary>RFC 9000 section 8.1.3: a Retry token that does not open ends the attempt with INVALID_TOKEN.</summary>
    public int RefuseToken(scoped in PacketHeader initial, long now, Span<byte> response)
    {
        if (!_refusals.TryTake(now))
        {
            return 0;
        }

        const int PacketNumberLength = 1;
        Span<byte> frame = stackalloc byte[8];
        var content = new WireWriter(frame);
        content.WriteVarInt(Wire.Frames.FrameType.ConnectionClose);
        content.WriteVarInt((ulong)TransportErrorCode.InvalidToken);
        content.WriteVarInt(0);
        content.WriteVarInt(0);

        (PacketKeys keys, PacketKeys unused) = InitialSecrets.CreateKeys(
            _crypto, initial.Version, new ConnectionId(initial.DestinationConnectionId), isClient: false);
        unused.Dispose();

        var writer = new WireWriter(response);
        int lengthAt = PacketHeaderWriter.WriteLong(
            ref writer,
            PacketType.Initial,
            initial.Version,
            new ConnectionId(initial.SourceConnectionId),
            new ConnectionId(initial.DestinationConnectionId),
            token: default,
            PacketNumberLength);
        int packetNumberOffset = writer.Position;
        writer.WriteByte(0);
        writer.WriteBytes(content.Written);
        writer.Advance(Aead.TagLength);
        PacketHeaderWriter.FillLength(response, lengthAt, writer.Position - packetNumberOffset);
        using (keys)
        {
            keys.Protect(writer.Written, packetNumberOffset, PacketNumberLength, packetNumber: 0, pathId: 0);
        }

        return writer.Position;
    }

    public void Dispose() => _retryIntegrity.Dispose();
}

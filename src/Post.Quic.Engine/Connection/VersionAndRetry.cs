using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Packets;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// What a client makes of the two packets that no keys protect: Version Negotiation (RFC 9000 section 6.2) and Retry
/// (section 17.2.5). Each is followed once, and only as the very first word of the server.
/// </summary>
internal sealed class VersionAndRetry
{
    private readonly ConnectionState _state;

    public VersionAndRetry(ConnectionState state)
    {
        _state = state;
    }

    private bool IsFirstWord => !_state.IsServer && !_state.HasHeardPeer && !_state.IsOver;

    /// <summary>Returns whether the packet was taken.</summary>
    public bool OnVersionNegotiation(ReadOnlySpan<byte> packet, long now)
    {
        // RFC 9000 section 6.2: not after any other packet, not a second time, and not if it lists the version that
        // was sent. RFC 8999 section 6: the ids are ours, turned round.
        if (!IsFirstWord
            || _state.RetrySource is not null
            || _state.Version.FollowedNegotiation
            || !VersionNegotiationPacket.TryParse(packet, out VersionNegotiationPacket negotiation)
            || !_state.OwnInitialSource.SequenceEqual(negotiation.DestinationConnectionId)
            || !_state.OriginalDestination.SequenceEqual(negotiation.SourceConnectionId)
            || negotiation.Contains((uint)_state.Version.Original))
        {
            _state.CountDropped(packet.Length, PacketDropReason.Unexpected, now);
            return false;
        }

        if (!_state.Version.TryFollow(negotiation))
        {
            _state.Lifecycle.EndSilently(CloseSource.VersionNegotiation, "the server speaks no version of ours", now);
            return true;
        }

        _state.FirstFlight.RestartInOtherVersion(now);
        return true;
    }

    /// <summary>Returns whether the packet was taken.</summary>
    public bool OnRetry(in PacketHeader header, ReadOnlySpan<byte> packet, long now)
    {
        // RFC 9000 section 17.2.5.2: at most one, as the first word, to our id, with a source id other than the one we
        // sent to, and with a tag that shows that whoever made it saw our Initial.
        if (!IsFirstWord
            || _state.RetrySource is not null
            || header.Version != _state.Version.Original
            || !_state.OwnInitialSource.SequenceEqual(header.DestinationConnectionId)
            || _state.OriginalDestination.SequenceEqual(header.SourceConnectionId)
            || !IsAuthentic(header.Version, packet))
        {
            _state.CountDropped(packet.Length, PacketDropReason.Unexpected, now);
            return false;
        }

        _state.FirstFlight.FollowRetry(new ConnectionId(header.SourceConnectionId), header.Token, now);
        return true;
    }

    private bool IsAuthentic(QuicVersion version, ReadOnlySpan<byte> packet)
    {
        using var integrity = new RetryIntegrity(_state.Setup.Crypto);
        return integrity.Verify(version, _state.OriginalDestination.Span, packet);
    }
}

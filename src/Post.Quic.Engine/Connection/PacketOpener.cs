using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Packets;

namespace Post.Quic.Engine.Connection;

/// <summary>Opens received packets with the keys of their level, as they come and change (RFC 9001 sections 5 and 6).</summary>
internal sealed class PacketOpener
{
    private readonly ConnectionState _state;

    public PacketOpener(ConnectionState state)
    {
        _state = state;
    }

    /// <summary>RFC 9001 section 5.7: a server processes no 1-RTT packet before the handshake is complete.</summary>
    public bool CanOpen(EncryptionLevel level) =>
        _state.Keys.CanReceive(level)
        && (level != EncryptionLevel.Application || !_state.IsServer || _state.IsHandshakeComplete);

    /// <summary>Removes both protections in place; what fails to authenticate is counted and leaves no other trace.</summary>
    public bool TryOpen(in PacketHeader header, Span<byte> packet, Path path, long now, out ulong number, out int headerLength)
    {
        number = 0;
        headerLength = 0;
        ulong expected = path.HasNetwork && _state.Space(header.Level, path).Received.Largest is { } largest ? largest + 1 : 0;
        if (header.Level == EncryptionLevel.Application)
        {
            return TryOpenApplication(header, packet, path, expected, now, out number, out headerLength);
        }

        PacketKeys? keys = header.Level == EncryptionLevel.Initial
            ? InitialKeys(header.Version)
            : _state.Keys.ForReceiving(header.Level);
        if (keys is null || !keys.TryUnprotectHeader(packet, header.PacketNumberOffset, out int length, out uint truncated))
        {
            _state.CountDropped(packet.Length, PacketDropReason.NotAuthentic, now);
            return false;
        }

        number = PacketNumber.Decode(expected, truncated, length);
        headerLength = header.PacketNumberOffset + length;
        if (!keys.TryOpen(packet, headerLength, number))
        {
            _state.CountDropped(packet.Length, PacketDropReason.NotAuthentic, now);
            return false;
        }

        return true;
    }

    private bool TryOpenApplication(
        in PacketHeader header, Span<byte> packet, Path path, ulong expected, long now, out ulong number, out int headerLength)
    {
        number = 0;
        headerLength = 0;
        ApplicationKeys keys = _state.Keys.Application!;
        if (!keys.TryUnprotectHeader(packet, header.PacketNumberOffset, out int length, out uint truncated))
        {
            _state.CountDropped(packet.Length, PacketDropReason.NotAuthentic, now);
            return false;
        }

        number = PacketNumber.Decode(expected, truncated, length);
        headerLength = header.PacketNumberOffset + length;
        switch (keys.TryOpen(packet, headerLength, number, path.Id))
        {
            case OpenOutcome.Opened:
                return true;
            case OpenOutcome.OpenedInNewPhase:
                _state.KeyUpdates.OnUpdatedByPeer(now);
                return true;
            case OpenOutcome.KeyUpdateError:
                // RFC 9001 sections 6.2 and 6.4.
                _state.Lifecycle.Fail(new TransportError(TransportErrorCode.KeyUpdateError, "keys out of order"), now);
                return false;
            case OpenOutcome.IntegrityLimitReached:
                // RFC 9001 section 6.6: so many forgeries may have found a key.
                _state.Lifecycle.Fail(new TransportError(TransportErrorCode.AeadLimitReached, "too many forged packets"), now);
                return false;
            default:
                _state.CountDropped(packet.Length, PacketDropReason.NotAuthentic, now);
                return false;
        }
    }

    /// <summary>
    /// A server that takes another version than the client's first answers in it (RFC 9368 section 2.3): its keys are
    /// tried, and only an authentic packet changes our version.
    /// </summary>
    private PacketKeys? InitialKeys(QuicVersion version)
    {
        if (!_state.IsServer && version != _state.Version.Current && !_state.Version.IsSettled)
        {
            _state.Keys.PrepareInitialFor(version, _state.InitialKeyId, isClient: true);
        }

        return _state.Keys.InitialForReceiving(version);
    }
}

using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Connection;

/// <summary>Builds the datagrams that ask whether a network reaches the peer, and how large its datagrams may be.</summary>
internal sealed class ProbeDatagrams
{
    private readonly ConnectionState _state;
    private readonly PacketBuilder _builder;

    public ProbeDatagrams(ConnectionState state, PacketBuilder builder)
    {
        _state = state;
        _builder = builder;
    }

    /// <summary>
    /// Challenges and answers that belong to one path, in a datagram of their own (RFC 9000 section 8.2): expanded to
    /// 1200 bytes unless the limit on amplification forbids it. Returns 0 where that leaves no room for any of them.
    /// </summary>
    public int BuildPathProbe(Span<byte> buffer, Path path, Network network, long now, out OutgoingDatagrams batch)
    {
        batch = default;
        int room = (int)Math.Min(Math.Min(buffer.Length, Limits.MinInitialDatagram), network.Amplification.Budget);
        if (!_builder.TryBegin(buffer[..room], 0, EncryptionLevel.Application, path, network, out PacketDraft draft))
        {
            return 0;
        }

        PacketNumberSpace space = path.Space;
        var writer = new WireWriter(buffer[draft.PayloadOffset..(room - PacketKeys.Overhead)]);
        while (network.Responses.TryWrite(ref writer))
        {
        }

        if (network.Validation.WantsChallenge(now) && writer.Remaining >= PathChallengeFrame.Length)
        {
            if (network is { ActivateWhenValidated: true, Validation.HasAsked: true, PacketsReceived: 0 })
            {
                path.LocalIds.RecallAll();
            }

            ulong data = _state.Random.NextUInt64();
            new PathChallengeFrame(data).Write(ref writer);
            space.Frames.Record(new SentFrame(SentFrameKind.PathChallenge, data));
            network.Validation.OnChallengeSent(data, expanded: room == Limits.MinInitialDatagram, now);
        }

        draft.PayloadLength = writer.Position;
        if (draft.PayloadLength == 0)
        {
            space.Frames.Discard();
            return 0;
        }

        draft.Flags = SentPacketFlags.AckEliciting | SentPacketFlags.InFlight | SentPacketFlags.PathProbe;

        // RFC 9000 section 8.2.1: all of the 1200 bytes or, where the limit on amplification forbids them, none of the
        // padding: what is left of the limit is for asking again, should this be lost.
        int padTo = room == Limits.MinInitialDatagram ? room : 0;
        int length = _builder.Finish(buffer[..room], ref draft, padTo, path, network, EcnCodepoint.NotEct, now);
        _builder.OnDatagramBuilt(network, length);
        batch = new OutgoingDatagrams(network.Local, network.Remote, EcnCodepoint.NotEct, length, length);
        return length;
    }

    /// <summary>A packet of only PING and PADDING, as large as the size to be tried (RFC 9000 section 14.4).</summary>
    public int BuildMtuProbe(Span<byte> buffer, Path path, long now, out OutgoingDatagrams batch)
    {
        batch = default;
        Network network = path.Network;
        if (!_state.IsHandshakeConfirmed || !path.IsUsable || network.IsHeld)
        {
            return 0;
        }

        int size = network.Transmission.Mtu.NextProbe(now, Math.Min(network.Transmission.Congestion.Window, buffer.Length));
        PacketNumberSpace space = path.Space;
        if (size == 0
            || !network.Transmission.CanSendMtuProbe(size)
            || !_builder.TryBegin(buffer[..size], 0, EncryptionLevel.Application, path, network, out PacketDraft draft))
        {
            return 0;
        }

        var writer = new WireWriter(buffer[draft.PayloadOffset..(size - PacketKeys.Overhead)]);
        PingFrame.Write(ref writer);
        space.Frames.Record(new SentFrame(SentFrameKind.Ping));
        draft.PayloadLength = writer.Position;
        draft.Flags = SentPacketFlags.AckEliciting | SentPacketFlags.InFlight | SentPacketFlags.MtuProbe;
        int length = _builder.Finish(buffer[..size], ref draft, size, path, network, EcnCodepoint.NotEct, now);
        _builder.OnDatagramBuilt(network, length);
        batch = new OutgoingDatagrams(network.Local, network.Remote, EcnCodepoint.NotEct, length, length);
        return length;
    }
}

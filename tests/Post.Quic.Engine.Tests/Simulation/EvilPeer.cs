using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Wire;
using Path = Post.Quic.Engine.Paths.Path;

namespace Post.Quic.Engine.Tests.Simulation;

/// <summary>Says anything it likes, under the true keys of one side: authentic packets with whatever frames.</summary>
internal sealed class EvilPeer
{
    private readonly SimulatedSide _side;
    private readonly SimulatedSide _victim;
    private readonly PacketBuilder _builder;

    public EvilPeer(SimulatedSide side, SimulatedSide victim)
    {
        _side = side;
        _victim = victim;
        _builder = new PacketBuilder(side.Core!.State);
    }

    public delegate void FrameAuthor(ref WireWriter writer);

    /// <summary>Where its packets seem to come from.</summary>
    public NetworkAddress? From { get; set; }

    /// <summary>The path its packets belong to; the first where none is named.</summary>
    public Path? On { get; set; }

    /// <summary>Builds one datagram with the frames and gives it to the victim.</summary>
    public void Send(long now, FrameAuthor frames, EncryptionLevel level = EncryptionLevel.Application, int padTo = 0)
    {
        byte[] datagram = Build(now, frames, level, padTo);
        var metadata = new DatagramMetadata(_victim.Address, From ?? _side.Address, EcnCodepoint.NotEct);
        _victim.Core!.ReceiveDatagram(datagram, metadata, now);
    }

    public byte[] Build(long now, FrameAuthor frames, EncryptionLevel level = EncryptionLevel.Application, int padTo = 0)
    {
        byte[] buffer = new byte[1452];
        Path path = On ?? _side.Core!.State.Paths.First;
        Assert.IsTrue(_builder.TryBegin(buffer, 0, level, path, path.Network, out PacketDraft draft));
        var writer = new WireWriter(buffer.AsSpan(draft.PayloadOffset..^16));
        frames(ref writer);
        draft.PayloadLength = writer.Position;
        draft.Flags = SentPacketFlags.AckEliciting | SentPacketFlags.InFlight;
        int length = _builder.Finish(buffer, ref draft, padTo, path, path.Network, EcnCodepoint.NotEct, now);
        return buffer[..length];
    }
}

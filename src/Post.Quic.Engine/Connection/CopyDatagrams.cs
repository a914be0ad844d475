using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Lanes;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Connection;

/// <summary>Builds the datagrams that say what others have said, by other paths or, the last time that it is of use, by the same.</summary>
internal sealed class CopyDatagrams
{
    private readonly ConnectionState _state;
    private readonly PacketBuilder _builder;
    private readonly PathWalk _walk;
    private readonly PacketCopies _copies;

    public CopyDatagrams(ConnectionState state, PacketBuilder builder, PathWalk walk)
    {
        _state = state;
        _builder = builder;
        _walk = walk;
        _copies = new PacketCopies(state);
    }

    /// <summary>Something waits for a path.</summary>
    public bool AreAny => _copies.AreAny;

    /// <summary>Takes the data of a packet that is being built, where it goes by other paths or once more.</summary>
    public void Take(ReadOnlySpan<byte> payload, SentFrameLog log, Path path)
    {
        (Range bytes, int frames, bool isFull) = _state.FrameWriter.LastData;
        if (frames == 0)
        {
            return;
        }

        if (_walk.Copies > 1)
        {
            _copies.Take(payload[bytes], isFull, log, frames, path, _walk.CopyPaths, _walk.Copies - 1, lastTry: null);
            return;
        }

        // What is repeated for the last time goes twice, and both count in the window. What rides along may be bound to this path.
        PathSet paths = _state.Lanes.IsOnlyDefault ? PathSet.Any : new PathSet(PathSetKind.Only, path.Id);
        _copies.Take(payload[bytes], isFull, log, frames, path, paths, copies: 1, log.LastTry);
    }

    /// <summary>What was sent, once more by another path.</summary>
    public int Build(Span<byte> buffer, long now, out OutgoingDatagrams batch)
    {
        batch = default;
        while (_copies.TryNext(_walk, now, out PacketCopy? copy, out Path? path))
        {
            Network network = path.Network;
            int room = Math.Min(buffer.Length, _state.DatagramSize(network));
            if (!_builder.TryBegin(buffer[..room], 0, EncryptionLevel.Application, path, network, out PacketDraft draft)
                || draft.PayloadOffset + copy.Payload.Length + PacketKeys.Overhead > room)
            {
                _copies.GiveUp(copy);
                continue;
            }

            copy.Payload.CopyTo(buffer[draft.PayloadOffset..]);
            foreach (ref readonly SentFrame frame in copy.Frames)
            {
                path.Space.Frames.Record(frame);
            }

            draft.PayloadLength = copy.Payload.Length;
            draft.IsFull = copy.IsFull;
            draft.Flags = SentPacketFlags.AckEliciting | SentPacketFlags.InFlight;
            _copies.OnSent(copy, path);
            EcnCodepoint ecn = network.Transmission.Ecn.Mark;
            int length = _builder.Finish(buffer[..room], ref draft, padTo: 0, path, network, ecn, now);
            _builder.OnDatagramBuilt(network, length);
            batch = new OutgoingDatagrams(network.Local, network.Remote, ecn, length, length);
            return length;
        }

        return 0;
    }
}

using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Connection;

/// <summary>Builds the datagrams that say that the connection is closed.</summary>
internal sealed class CloseDatagrams
{
    private readonly ConnectionState _state;
    private readonly PacketBuilder _builder;
    private int _closed;

    public CloseDatagrams(ConnectionState state, PacketBuilder builder)
    {
        _state = state;
        _builder = builder;
    }

    /// <summary>
    /// CONNECTION_CLOSE at each level that the peer may be able to read (RFC 9000 section 10.2.3), and over every path that may still
    /// work.
    /// </summary>
    public int Build(Span<byte> buffer, long now, out OutgoingDatagrams batch)
    {
        batch = default;
        while (_state.Closing.HasDataToSend)
        {
            if (_state.Closing.NextLevel(_state) is not { } level)
            {
                _state.Closing.OnSent();
                return 0;
            }

            ReadOnlySpan<Path> open = _state.Paths.Open;
            bool overAll = level == EncryptionLevel.Application;
            Path? path = !overAll ? _state.Paths.First : _closed < open.Length ? open[_closed] : null;
            int room = path is null ? 0 : (int)Math.Min(Math.Min(buffer.Length, Limits.MinInitialDatagram), path.Network.Amplification.Budget);
            if (room == 0 && open.Length == 1)
            {
                // The next datagram of the peer's brings the right to say it.
                return 0;
            }

            if (overAll && _closed + 1 < open.Length)
            {
                _closed++;
            }
            else
            {
                _closed = 0;
                _state.Closing.OnSent(level);
            }

            int length = room == 0 ? 0 : Build(buffer[..room], level, path!, now, out batch);
            if (length != 0)
            {
                return length;
            }
        }

        return 0;
    }

    private int Build(Span<byte> buffer, EncryptionLevel level, Path path, long now, out OutgoingDatagrams batch)
    {
        batch = default;
        Network network = path.Network;
        if (!_builder.TryBegin(buffer, 0, level, path, network, out PacketDraft draft))
        {
            return 0;
        }

        var writer = new WireWriter(buffer[draft.PayloadOffset..^PacketKeys.Overhead]);
        if (!_state.Closing.TryWrite(level, ref writer))
        {
            return 0;
        }

        draft.PayloadLength = writer.Position;
        int padTo = level == EncryptionLevel.Initial && !_state.IsServer ? Limits.MinInitialDatagram : 0;
        int length = _builder.Finish(buffer, ref draft, padTo, path, network, EcnCodepoint.NotEct, now);
        _builder.OnDatagramBuilt(network, length);
        batch = new OutgoingDatagrams(network.Local, network.Remote, EcnCodepoint.NotEct, length, length);
        return length;
    }
}

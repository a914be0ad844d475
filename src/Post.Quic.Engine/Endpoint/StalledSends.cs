using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Udp;

namespace Post.Quic.Engine.Endpoint;

/// <summary>
/// What sockets did not take yet, a batch for each of them: one that is full holds up only the paths that go by it. Only the one who runs
/// the connection touches it.
/// </summary>
internal sealed class StalledSends
{
    private readonly List<StalledSend> _stalled = [];

    public bool AreAny => _stalled.Count != 0;

    /// <summary>Keeps what is left of a batch, and the buffer that it is in.</summary>
    public void Add(UdpBuffer buffer, in OutgoingDatagrams batch, int sent) => _stalled.Add(new StalledSend(buffer, batch, sent));

    /// <summary>The next batch after so many that still do not go.</summary>
    public bool TryGet(int skipped, out StalledSend stalled)
    {
        bool any = skipped < _stalled.Count;
        stalled = any ? _stalled[skipped] : default;
        return any;
    }

    /// <summary>More of the batch was sent.</summary>
    public void Advance(int index, int sent) => _stalled[index] = _stalled[index] with { Offset = _stalled[index].Offset + sent };

    /// <summary>It is done with, one way or another. Returns whether its socket has no other.</summary>
    public bool Remove(int index)
    {
        NetworkAddress local = _stalled[index].Batch.Local;
        _stalled.RemoveAt(index);
        return !_stalled.Exists(other => other.Batch.Local.IsSameSocket(local));
    }
}

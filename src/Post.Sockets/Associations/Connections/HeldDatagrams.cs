using Post.Sockets.Protocol;

namespace Post.Sockets.Associations.Connections;

/// <summary>
/// Datagrams that overtook the HELLO which says what their ids mean. Bounded: their sender cannot know that we must wait, so what does not
/// fit costs the connection, not the objects.
/// </summary>
internal sealed class HeldDatagrams
{
    private readonly List<(byte[] Payload, bool IsEarly, long ArrivedAt)> _datagrams = [];
    private int _bytes;

    /// <summary>Keeps a copy; false when there is no room.</summary>
    public bool TryAdd(ReadOnlySpan<byte> payload, bool isEarly, long arrivedAt)
    {
        // What one costs beside its bytes counts too: empty ones must not be free.
        var cost = payload.Length + 128;
        if (_bytes + cost > ProtocolLimits.MaxDatagramBytesBeforeHello)
        {
            return false;
        }

        _bytes += cost;
        _datagrams.Add((payload.ToArray(), isEarly, arrivedAt));
        return true;
    }

    public List<(byte[] Payload, bool IsEarly, long ArrivedAt)> Take()
    {
        List<(byte[], bool, long)> taken = [.. _datagrams];
        _datagrams.Clear();
        return taken;
    }
}

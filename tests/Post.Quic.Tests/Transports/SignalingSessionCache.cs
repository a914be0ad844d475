using System.Threading.Channels;
using Post.Sockets;

namespace Post.Quic.Tests.Transports;

/// <summary>A session cache that tells when a session came, and can spoil what it holds.</summary>
internal sealed class SignalingSessionCache : ISessionCache
{
    private readonly MemorySessionCache _inner = new();
    private readonly Channel<string> _puts = Channel.CreateUnbounded<string>();
    private volatile bool _isGarbled;

    /// <summary>Waits until a session was put.</summary>
    public ValueTask<string> PutAsync(CancellationToken cancellationToken) => _puts.Reader.ReadAsync(cancellationToken);

    /// <summary>From now on sessions come out with every bit turned.</summary>
    public void Garble() => _isGarbled = true;

    public void Put(string key, ReadOnlyMemory<byte> session, DateTimeOffset expiresAt)
    {
        _inner.Put(key, session, expiresAt);
        _puts.Writer.TryWrite(key);
    }

    public bool TryTake(string key, out ReadOnlyMemory<byte> session)
    {
        bool found = _inner.TryTake(key, out session);
        if (found && _isGarbled)
        {
            byte[] garbled = session.ToArray();
            for (int i = 0; i < garbled.Length; i++)
            {
                garbled[i] ^= 0xFF;
            }

            session = garbled;
        }

        return found;
    }

    public void Remove(string key) => _inner.Remove(key);
}

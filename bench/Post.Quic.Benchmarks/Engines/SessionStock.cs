using System.Threading.Channels;
using Post.Sockets;

namespace Post.Quic.Benchmarks.Engines;

/// <summary>Keeps every session that comes, and gives each once. There is one server, so the keys do not matter.</summary>
internal sealed class SessionStock : ISessionCache
{
    private readonly Channel<byte[]> _sessions = Channel.CreateUnbounded<byte[]>();
    private readonly Channel<bool> _arrivals = Channel.CreateUnbounded<bool>();

    public int Count => _sessions.Reader.Count;

    /// <summary>Whether sessions are given out. Not while they are being gathered: each would be used up to get the next one.</summary>
    public bool IsOpen { get; set; }

    /// <summary>Waits for a session that nobody has waited for yet.</summary>
    public async Task WaitForAnotherAsync(CancellationToken cancellationToken) =>
        await _arrivals.Reader.ReadAsync(cancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(10), cancellationToken);

    public void Put(string key, ReadOnlyMemory<byte> session, DateTimeOffset expiresAt)
    {
        _sessions.Writer.TryWrite(session.ToArray());
        _arrivals.Writer.TryWrite(true);
    }

    public bool TryTake(string key, out ReadOnlyMemory<byte> session)
    {
        byte[]? bytes = null;
        bool isTaken = IsOpen && _sessions.Reader.TryRead(out bytes);
        session = bytes;
        return isTaken;
    }

    public void Remove(string key)
    {
        // No session of this stock is ever refused; a case that met one fails, since its connection is not resumed.
    }
}

using System.Buffers.Binary;
using Post.Quic.Engine.Bounds;

namespace Post.Quic.Engine.Crypto;

/// <summary>
/// Lets each token of a NEW_TOKEN frame through once (RFC 9000 section 8.1.4), in bounded memory: what was used is
/// remembered for one to two lifetimes of a token, and where there is no room left to remember, a token is refused.
/// Thread-safe.
/// </summary>
internal sealed class TokenReplayFilter(long tokenLifetimeMicroseconds, int capacity = Limits.UsedTokensRemembered)
{
    private readonly Lock _gate = new();
    private HashSet<ulong> _current = [];
    private HashSet<ulong> _previous = [];
    private long _epoch;

    /// <summary>
    /// False: used before, or no room. Only for tokens that <see cref="TokenSealer"/> has opened: what is remembered is
    /// a part of the tag, of which a client can choose nothing.
    /// </summary>
    public bool TryUse(ReadOnlySpan<byte> token, long now)
    {
        ulong fingerprint = BinaryPrimitives.ReadUInt64LittleEndian(token[^sizeof(ulong)..]);
        lock (_gate)
        {
            Advance(now / tokenLifetimeMicroseconds);
            return !_previous.Contains(fingerprint) && _current.Count < capacity && _current.Add(fingerprint);
        }
    }

    private void Advance(long epoch)
    {
        if (epoch <= _epoch)
        {
            return;
        }

        // A set that filled once is not kept: after a flood the memory goes back.
        _previous = epoch == _epoch + 1 ? _current : [];
        _current = [];
        _epoch = epoch;
    }
}

using System.Buffers.Binary;
using Post.Quic.Engine.Bounds;

namespace Post.Quic.Engine.Tls.Tickets;

/// <summary>
/// The memory of early data within one process: two generations of identifiers, so that forgetting is cheap. When it
/// is full it says no.
/// </summary>
internal sealed class BoundedAntiReplay(int capacity = Limits.MaxReplayEntries) : IAntiReplay
{
    private readonly Lock _gate = new();
    private HashSet<UInt128> _current = [];
    private HashSet<UInt128> _previous = [];
    private DateTimeOffset _currentUntil = DateTimeOffset.MinValue;
    private DateTimeOffset _previousUntil = DateTimeOffset.MinValue;

    public bool TryUse(ReadOnlySpan<byte> identifier, DateTimeOffset now, DateTimeOffset until)
    {
        // The identifier is a MAC under a key only the client and we have: 16 bytes of it cannot be made to collide.
        UInt128 key = BinaryPrimitives.ReadUInt128BigEndian(identifier);
        lock (_gate)
        {
            Forget(now);
            if (_previous.Contains(key) || _current.Contains(key) || _current.Count + _previous.Count >= capacity)
            {
                return false;
            }

            _current.Add(key);
            _currentUntil = until > _currentUntil ? until : _currentUntil;

            // Half the room taken: a new generation begins, and the old one goes when all of it may be forgotten.
            if (_current.Count >= capacity / 2 && _previous.Count == 0)
            {
                (_previous, _current) = (_current, _previous);
                (_previousUntil, _currentUntil) = (_currentUntil, DateTimeOffset.MinValue);
            }

            return true;
        }
    }

    private void Forget(DateTimeOffset now)
    {
        if (now > _previousUntil)
        {
            _previous.Clear();
        }

        if (now > _currentUntil)
        {
            _current.Clear();
        }
    }
}

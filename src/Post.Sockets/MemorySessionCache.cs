namespace Post.Sockets;

/// <summary>A session cache in memory, bounded in Remotes and in sessions of each.</summary>
public sealed class MemorySessionCache : ISessionCache
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, LinkedListNode<Entry>> _entries = new(StringComparer.Ordinal);
    private readonly LinkedList<Entry> _byUse = new();
    private readonly TimeProvider _time;
    private readonly int _maxKeys;
    private readonly int _maxSessionsPerKey;

    /// <summary>Creates an empty cache.</summary>
    /// <param name="time">The clock for expiry; null: the system's.</param>
    /// <param name="maxKeys">Remotes remembered; the least recently used gives way.</param>
    /// <param name="maxSessionsPerKey">Sessions kept for each.</param>
    public MemorySessionCache(TimeProvider? time = null, int maxKeys = 256, int maxSessionsPerKey = 4)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxKeys);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxSessionsPerKey);
        _time = time ?? TimeProvider.System;
        _maxKeys = maxKeys;
        _maxSessionsPerKey = maxSessionsPerKey;
    }

    /// <inheritdoc/>
    public void Put(string key, ReadOnlyMemory<byte> session, DateTimeOffset expiresAt)
    {
        ArgumentNullException.ThrowIfNull(key);
        lock (_gate)
        {
            if (!_entries.TryGetValue(key, out var node))
            {
                if (_entries.Count == _maxKeys)
                {
                    Forget(_byUse.Last!);
                }

                node = _byUse.AddFirst(new Entry(key));
                _entries.Add(key, node);
            }

            var sessions = node.Value.Sessions;
            if (sessions.Count == _maxSessionsPerKey)
            {
                sessions.RemoveAt(0);
            }

            sessions.Add((session.ToArray(), expiresAt));
        }
    }

    /// <inheritdoc/>
    public bool TryTake(string key, out ReadOnlyMemory<byte> session)
    {
        ArgumentNullException.ThrowIfNull(key);
        session = default;
        lock (_gate)
        {
            if (!_entries.TryGetValue(key, out var node))
            {
                return false;
            }

            _byUse.Remove(node);
            _byUse.AddFirst(node);
            var sessions = node.Value.Sessions;
            var now = _time.GetUtcNow();
            while (sessions.Count > 0)
            {
                var (state, expiresAt) = sessions[^1];
                sessions.RemoveAt(sessions.Count - 1);
                if (expiresAt > now)
                {
                    session = state;
                    return true;
                }
            }

            Forget(node);
            return false;
        }
    }

    /// <inheritdoc/>
    public void Remove(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        lock (_gate)
        {
            if (_entries.TryGetValue(key, out var node))
            {
                Forget(node);
            }
        }
    }

    private void Forget(LinkedListNode<Entry> node)
    {
        _entries.Remove(node.Value.Key);
        _byUse.Remove(node);
    }

    private sealed class Entry(string key)
    {
        public string Key { get; } = key;

        public List<(byte[] State, DateTimeOffset ExpiresAt)> Sessions { get; } = [];
    }
}

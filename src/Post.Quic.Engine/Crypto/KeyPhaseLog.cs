using Post.Quic.Engine.Bounds;

namespace Post.Quic.Engine.Crypto;

/// <summary>
/// Where in each path's packet numbers the current key phase began and the previous one ended: what tells an old packet
/// from one of the next phase without trying keys (RFC 9001 section 6.5), and what shows a peer that breaks their order.
/// </summary>
internal sealed class KeyPhaseLog
{
    private Entry[] _entries = new Entry[1];
    private int _count;

    /// <summary>The entry of a path; the reference is good until the next call.</summary>
    public ref Entry For(uint pathId)
    {
        for (int i = 0; i < _count; i++)
        {
            if (_entries[i].PathId == pathId)
            {
                return ref _entries[i];
            }
        }

        if (_count == _entries.Length)
        {
            if (_count < Limits.PathsInKeyPhaseLog)
            {
                Array.Resize(ref _entries, Math.Min(_count * 4, Limits.PathsInKeyPhaseLog));
            }
            else
            {
                // The oldest path goes. All that is lost with it is a check on a path that has most likely been abandoned.
                Array.Copy(_entries, 1, _entries, 0, --_count);
            }
        }

        ref Entry entry = ref _entries[_count++];
        entry = new Entry { PathId = pathId };
        return ref entry;
    }

    public void OnReceivePhaseAdvanced()
    {
        foreach (ref Entry entry in _entries.AsSpan(0, _count))
        {
            entry.PreviousEnd = Math.Max(entry.CurrentEnd, entry.PreviousEnd);
            entry.CurrentStart = ulong.MaxValue;
            entry.CurrentEnd = 0;
        }
    }

    public void OnSendPhaseAdvanced()
    {
        foreach (ref Entry entry in _entries.AsSpan(0, _count))
        {
            entry.FirstSent = ulong.MaxValue;
        }
    }

    /// <summary>One path's packet numbers. "Ends" are one past the highest number, so that zero means none.</summary>
    internal struct Entry
    {
        public Entry()
        {
        }

        public uint PathId { get; init; }

        /// <summary>The lowest number sent in the current send phase; none: the largest value.</summary>
        public ulong FirstSent = ulong.MaxValue;

        /// <summary>The lowest number received in the current receive phase; none: the largest value.</summary>
        public ulong CurrentStart = ulong.MaxValue;

        public ulong CurrentEnd;

        /// <summary>One past the highest number received in any earlier phase.</summary>
        public ulong PreviousEnd;
    }
}

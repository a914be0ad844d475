using System.Numerics;

namespace Post.Sockets.Objects;

/// <summary>
/// Remembers of each incoming id whether it is resolved (delivered or certain never to be) and whether it failed: two bits an id, in a
/// ring that slides with the lowest unresolved id. What is below that is resolved; whether it failed is forgotten after a while.
/// </summary>
internal sealed class IdWindow(long span)
{
    /// <summary>Ids below the floor whose failure is remembered, for dependents that are on their way.</summary>
    private const long Memory = 1 << 14;

    // Nothing before the first id: most associations are idle.
    private ulong[] _resolved = [];
    private ulong[] _failed = [];

    // One bit for each word of _resolved that is full. A frame of nine bytes can claim two million ids, again and again: what is full is
    // passed over 4096 ids at a time.
    private ulong[] _full = [];
    private long _cleared;

    /// <summary>The lowest id that is not resolved.</summary>
    public long Floor { get; private set; }

    /// <summary>Ids from here on are impossible.</summary>
    public long Ceiling => Floor + span;

    public bool IsResolved(long id) => id < Floor || (id < Floor + Held && Bit(_resolved, id));

    public bool IsFailed(long id) => id >= Floor - Memory && id >= 0 && id < Floor + Held && Bit(_failed, id);

    /// <summary>Resolves an id below the ceiling; false when it was resolved before.</summary>
    public bool Resolve(long id, bool failed)
    {
        if (IsResolved(id))
        {
            return false;
        }

        Reserve(id);
        Set(_resolved, id);
        MarkFull(id);
        if (failed)
        {
            Set(_failed, id);
        }

        Slide();
        return true;
    }

    /// <summary>
    /// Resolves all ids of a range as failed, those excepted that are resolved. By words: the cost of a range is small
    /// however much it claims.
    /// </summary>
    public void FailRange(long first, long last)
    {
        first = Math.Max(first, Floor);
        if (first > last)
        {
            return;
        }

        Reserve(last);
        for (var id = first; id <= last;)
        {
            if ((id & 4095) == 0 && _full[Word(_full, id >> 6)] == ulong.MaxValue)
            {
                id += 4096;
                continue;
            }

            var bits = (int)Math.Min(64 - (id & 63), last - id + 1);
            var mask = (bits == 64 ? ulong.MaxValue : (1UL << bits) - 1) << (int)(id & 63);
            var word = Word(_resolved, id);
            _failed[word] |= mask & ~_resolved[word];
            _resolved[word] |= mask;
            MarkFull(id);
            id += bits;
        }

        Slide();
    }

    // A word less than the ring has room for, since the oldest word is kept whole.
    private long Held => (_resolved.Length * 64L) - Memory - 64;

    private static int Word(ulong[] bits, long id) => (int)((id >> 6) & (bits.Length - 1));

    private static bool Bit(ulong[] bits, long id) => (bits[Word(bits, id)] & (1UL << (int)(id & 63))) != 0;

    private static void Set(ulong[] bits, long id) => bits[Word(bits, id)] |= 1UL << (int)(id & 63);

    private void MarkFull(long id)
    {
        if (_resolved[Word(_resolved, id)] == ulong.MaxValue)
        {
            Set(_full, id >> 6);
        }
    }

    private void Reserve(long id)
    {
        if (id < Floor + Held)
        {
            return;
        }

        var needed = (ulong)(id - Floor + Memory + 192) / 64;
        var length = (int)BitOperations.RoundUpToPowerOf2(needed);
        var resolved = new ulong[length];
        var failed = new ulong[length];
        var from = Math.Max(0, Floor - Memory) & ~63L;
        for (var word = from; word < Floor + Held; word += 64)
        {
            resolved[(int)((word >> 6) & (length - 1))] = _resolved[Word(_resolved, word)];
            failed[(int)((word >> 6) & (length - 1))] = _failed[Word(_failed, word)];
        }

        _resolved = resolved;
        _failed = failed;
        _full = new ulong[length / 64];
        for (var word = from; word < Floor + length; word += 64)
        {
            MarkFull(word);
        }
    }

    private void Slide()
    {
        while (true)
        {
            var word = _resolved[Word(_resolved, Floor)] >> (int)(Floor & 63);
            var run = Math.Min(BitOperations.TrailingZeroCount(~word), 64 - (int)(Floor & 63));
            Floor += run;
            if (run == 0 || (Floor & 63) != 0)
            {
                break;
            }

            Clear();
        }

        Clear();
    }

    private void Clear()
    {
        // Words that fall out of memory are cleared before the ring comes round to them.
        var keep = (Floor - Memory) & ~63L;
        for (; _cleared < keep; _cleared += 64)
        {
            _resolved[Word(_resolved, _cleared)] = 0;
            _full[Word(_full, _cleared >> 6)] &= ~(1UL << (int)((_cleared >> 6) & 63));
            _failed[Word(_failed, _cleared)] = 0;
        }
    }
}

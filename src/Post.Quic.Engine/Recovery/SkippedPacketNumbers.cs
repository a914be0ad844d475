using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Recovery;

/// <summary>
/// Leaves out packet numbers at random, and remembers which: a peer that acknowledges one acknowledges what it did
/// not receive (optimistic ACK, RFC 9000 section 21.4), to be sent faster than the path can take.
/// </summary>
internal sealed class SkippedPacketNumbers
{
    // The first gap comes early, since a short connection must be guarded too; the spacing then doubles, since each
    // gap costs the peer a range in its ACKs for a while and makes reordering look larger by one.
    private const int FirstPeriod = 64;
    private const int LastPeriod = 64 * 1024;

    // An attacker has to guess ahead of what it receives, so only recent numbers matter.
    private const int Remembered = 8;

    private readonly RandomSource _random;
    private readonly ulong[] _skipped = new ulong[Remembered];
    private int _period = FirstPeriod;
    private ulong _next;
    private int _count;

    public SkippedPacketNumbers(RandomSource random)
    {
        _random = random;
        _next = (ulong)random.NextInt32(FirstPeriod) + 1;
    }

    /// <summary>The number to use after <paramref name="used"/>.</summary>
    public ulong Following(ulong used)
    {
        ulong following = used + 1;
        if (following < _next)
        {
            return following;
        }

        _skipped[_count++ % Remembered] = following;
        _next = following + 1 + (ulong)_random.NextInt32(2 * _period);
        _period = Math.Min(_period * 2, LastPeriod);
        return following + 1;
    }

    /// <summary>Whether the range holds a number that was left out.</summary>
    public bool IntersectsWith(PacketNumberRange range)
    {
        int count = Math.Min(_count, Remembered);
        for (int i = 0; i < count; i++)
        {
            if (_skipped[i] >= range.Smallest && _skipped[i] <= range.Largest)
            {
                return true;
            }
        }

        return false;
    }
}

using System.Runtime.CompilerServices;

namespace Post.Quic.Engine.Connection;

/// <summary>How many received packets went no further, for each reason. A value: it costs a connection no object.</summary>
internal struct PacketDropCounts : IEquatable<PacketDropCounts>
{
    public const int ReasonCount = (int)PacketDropReason.UnknownPath + 1;

    private Storage _counts;

    public readonly long Total
    {
        get
        {
            long total = 0;
            foreach (long count in _counts)
            {
                total += count;
            }

            return total;
        }
    }

    public readonly long this[PacketDropReason reason] => _counts[(int)reason];

    public static bool operator ==(PacketDropCounts left, PacketDropCounts right) => left.Equals(right);

    public static bool operator !=(PacketDropCounts left, PacketDropCounts right) => !left.Equals(right);

    public static PacketDropCounts operator +(PacketDropCounts left, PacketDropCounts right)
    {
        for (int i = 0; i < ReasonCount; i++)
        {
            left._counts[i] += right._counts[i];
        }

        return left;
    }

    public void Add(PacketDropReason reason) => _counts[(int)reason]++;

    public readonly bool Equals(PacketDropCounts other)
    {
        for (int i = 0; i < ReasonCount; i++)
        {
            if (_counts[i] != other._counts[i])
            {
                return false;
            }
        }

        return true;
    }

    public override readonly bool Equals(object? obj) => obj is PacketDropCounts other && Equals(other);

    public override readonly int GetHashCode() => Total.GetHashCode();

    [InlineArray(ReasonCount)]
    private struct Storage
    {
        private long _element0;
    }
}

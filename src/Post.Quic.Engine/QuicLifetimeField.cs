using System.Buffers.Binary;

namespace Post.Quic.Engine;

/// <summary>
/// A field of a datagram's payload that states what is left of its lifetime: milliseconds as a variable-length integer of four bytes
/// (RFC 9000 section 16). It is written anew when the datagram leaves, so that the receiver does not take for fresh what has waited here. The
/// lifetime ends with the deadline, by which the datagram must leave, or some time after it, in which it must arrive. The default is none.
/// </summary>
public readonly record struct QuicLifetimeField
{
    internal const int Length = sizeof(uint);

    private const uint FourBytes = 0x80000000;
    private const long Longest = 0x3fffffff;
    private readonly int _position;
    private readonly long _afterDeadline;

    /// <summary>Names a field.</summary>
    /// <param name="offset">Where in the payload it begins; at least 0.</param>
    /// <param name="afterDeadline">How long after the deadline the lifetime ends; not negative.</param>
    public QuicLifetimeField(int offset, TimeSpan afterDeadline = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfLessThan(afterDeadline, TimeSpan.Zero);
        _position = offset + 1;
        _afterDeadline = (long)afterDeadline.TotalMicroseconds;
    }

    /// <summary>Where in the payload it begins; -1 where there is none.</summary>
    public int Offset => _position - 1;

    /// <summary>Brings the field up to date; microseconds until the deadline.</summary>
    internal void State(Span<byte> payload, long toDeadline)
    {
        if (_position > 0)
        {
            var left = (uint)Math.Clamp((toDeadline + _afterDeadline) / 1000, 0, Longest);
            BinaryPrimitives.WriteUInt32BigEndian(payload[Offset..], FourBytes | left);
        }
    }
}

using System.Buffers.Binary;

namespace Post.Sockets.Transport;

/// <summary>
/// A field of a datagram's payload that states what is left of its lifetime: milliseconds as a variable-length integer of four bytes
/// (RFC 9000 section 16). The lifetime ends with the deadline, by which the datagram must leave, or some time after it, in which it must
/// arrive. The default is none.
/// </summary>
public readonly record struct TransportLifetimeField
{
    /// <summary>Bytes of the field.</summary>
    public const int Length = 4;

    private const uint FourBytes = 0x80000000;
    private const uint Mask = 0x3fffffff;
    private readonly int _position;

    /// <summary>Names a field.</summary>
    /// <param name="offset">Where in the payload it begins; at least 0.</param>
    /// <param name="afterDeadline">How long after the deadline the lifetime ends; not negative.</param>
    public TransportLifetimeField(int offset, TimeSpan afterDeadline = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfLessThan(afterDeadline, TimeSpan.Zero);
        _position = offset + 1;
        AfterDeadline = afterDeadline;
    }

    /// <summary>The longest lifetime that fits, some twelve days; what lives longer does not grow old in a queue.</summary>
    public static TimeSpan Longest => TimeSpan.FromMilliseconds(Mask);

    /// <summary>There is such a field.</summary>
    public bool IsPresent => _position > 0;

    /// <summary>Where in the payload it begins; -1 where there is none.</summary>
    public int Offset => _position - 1;

    /// <summary>How long after the deadline the lifetime ends.</summary>
    public TimeSpan AfterDeadline { get; }

    /// <summary>States what is left now, in whole milliseconds and at least 0; nothing happens where there is no field.</summary>
    /// <param name="payload">The payload, changed in place.</param>
    /// <param name="toDeadline">What is left until the deadline. At most <see cref="Longest"/> is stated.</param>
    public void State(Span<byte> payload, TimeSpan toDeadline)
    {
        if (IsPresent)
        {
            var milliseconds = (uint)Math.Clamp((toDeadline + AfterDeadline).TotalMilliseconds, 0, Mask);
            BinaryPrimitives.WriteUInt32BigEndian(payload.Slice(Offset, Length), FourBytes | milliseconds);
        }
    }
}
